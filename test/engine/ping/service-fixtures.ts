/** A ping service over a real store, with time and agents in hand. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AgentAnswer, PingReply } from '../../../engine/core/ping/outcome.ts';
import type { PingPolicy } from '../../../engine/core/ping/policy.ts';
import type { PingRecord, PingState } from '../../../engine/core/ping/state.ts';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import type { PingMeans, PingQuestion } from '../../../engine/ping/client.ts';
import type { PingLog, PingPorts } from '../../../engine/ping/ping-ports.ts';
import { PingService } from '../../../engine/ping/ping-service.ts';
import { AgentRegistry } from '../../../engine/ping/registry.ts';
import { type OpenedStore, openSqliteStore } from '../../../engine/store/sqlite.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { pingPolicy } from '../core/ping/fixtures.ts';
import { newAgent, START_MS } from '../store/ping-fixtures.ts';
import { VirtualTime } from './virtual-time.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** What an agent says, and how long it takes to say it. */
interface Said {
  readonly reply: PingReply;
  readonly tookMs: number;
}

export type Agents = (agentId: string, question: PingQuestion, nowMs: number) => Said;

interface Asking {
  readonly agentId: string;
  readonly atMs: number;
}

/** Agents that answer as told, in virtual time; what they were asked is kept, and how many pings there were at once. */
class FakeAgents {
  readonly asked: Asking[] = [];
  readonly #time: VirtualTime;
  readonly #inFlight = new Map<string, number>();
  say: Agents;
  mostAtOnce = 0;
  mostOfOne = 0;

  constructor(time: VirtualTime, say: Agents) {
    this.#time = time;
    this.say = say;
  }

  readonly ask = async (question: PingQuestion, { timeoutMs }: PingMeans): Promise<PingReply | undefined> => {
    const { agentId, signal } = question;
    this.asked.push({ agentId, atMs: this.#time.now() });
    const { reply, tookMs } = this.say(agentId, question, this.#time.now());
    this.#count(agentId, 1);
    await this.#time.sleep(Math.min(tookMs, timeoutMs), signal);
    this.#count(agentId, -1);
    if (signal.aborted) return undefined;
    return tookMs > timeoutMs ? LATE : reply;
  };

  idsAsked(): readonly string[] {
    return this.asked.map(({ agentId }) => agentId);
  }

  #count(agentId: string, more: number): void {
    this.#inFlight.set(agentId, (this.#inFlight.get(agentId) ?? 0) + more);
    const counts = [...this.#inFlight.values()];
    this.mostAtOnce = Math.max(
      this.mostAtOnce,
      counts.reduce((sum, count) => sum + count, 0),
    );
    this.mostOfOne = Math.max(this.mostOfOne, ...counts);
  }
}

const LATE: PingReply = { kind: 'unreachable', reason: 'no whole answer in time' };
export const GONE: PingReply = { kind: 'unreachable', reason: 'connect ECONNREFUSED' };

/** An answer to the question, as of an agent that was up for this share of the time. */
export function answer(question: PingQuestion, uptime = 1, change: Partial<AgentAnswer> = {}): PingReply {
  const seq = (question.cursor?.seq ?? 0) + 180;
  const claimed = question.cursor === undefined ? { uptime: undefined, coverage: 0 } : { uptime, coverage: 1 };
  const said = { bootId: 'boot-1', seq, isGpuAvailable: true, reason: undefined, claimed, continuity: 'complete' };
  return { kind: 'answered', answer: { ...said, ...change }, roundTripMs: 5 };
}

const allUp: Agents = (_, question) => ({ reply: answer(question), tookMs: 5 });

export interface LogLine {
  readonly level: keyof PingLog;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function memoryLog(): PingLog & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const line = (level: keyof PingLog) => (fields: LogLine['fields'], text: string) => {
    lines.push({ level, text, fields });
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error'), lines };
}

export interface Options {
  readonly agents?: readonly string[];
  readonly policy?: Partial<PingPolicy>;
  readonly say?: Agents;
  readonly ports?: Partial<PingPorts>;
  readonly dueAtMs?: (at: number) => number;
}

export interface World extends OpenedStore {
  readonly file: string;
  readonly time: VirtualTime;
  readonly fleet: FakeAgents;
  /** The policy in force, which a reload replaces. */
  readonly inForce: { policy: PingPolicy };
  readonly log: ReturnType<typeof memoryLog>;
  /** An engine on the store; stopped with the test at the latest. */
  start(change?: Partial<PingPorts>): Promise<Running>;
}

interface Running {
  readonly service: PingService;
  stop(): Promise<void>;
}

/** A store with agents that are due, and the world around it. Only agents have a say, unless the policy says otherwise. */
export async function openWorld({ agents = ['a'], policy, say = allUp, ports, dueAtMs }: Options = {}): Promise<World> {
  const file = join(temporaryDirectory(), 'engine.db');
  const opened = openSqliteStore(file);
  onTestFinished(() => opened.store.close());
  for (const [at, id] of agents.entries()) {
    await opened.agents.add(newAgent(id, dueAtMs?.(at) ?? START_MS + 1), agents.length);
  }
  const time = new VirtualTime(START_MS);
  const fleet = new FakeAgents(time, say);
  const log = memoryLog();
  const inForce = { policy: pingPolicy({ evidence: 'agent', historyMs: 90 * DAY, ...policy }) };
  const start = async (change: Partial<PingPorts> = {}) => {
    const stores = { agents: opened.agents, pings: change.pings ?? opened.pings };
    const registry = await openRegistry(stores, time, () => inForce.policy);
    const base = { ...opened, registry, clock: time, log, ask: fleet.ask, policy: () => inForce.policy };
    return run(await PingService.open({ ...base, ...UNUSED, ...ports, ...change }));
  };
  return { ...opened, file, time, fleet, inForce, log, start };
}

const UNUSED = {
  observe: async () => undefined,
  lookUp: async () => ['127.0.0.1'],
  accessOf: () => undefined,
  isScheduling: true,
};

function openRegistry(
  stores: Pick<OpenedStore, 'agents' | 'pings'>,
  time: VirtualTime,
  policy: () => PingPolicy,
): Promise<AgentRegistry> {
  const judgeUrl = (text: string) => readAgentUrl(text, addressGuard(policy().targets));
  return AgentRegistry.open({ ...stores, now: time.now, judgeUrl, policy, maxAgents: () => 100_000 });
}

function run(service: PingService): Running {
  const end = new AbortController();
  const running = service.run(end.signal);
  const stop = () => {
    end.abort();
    return running;
  };
  onTestFinished(stop);
  return { service, stop };
}

/** All decided pings of an agent, the oldest first. */
export async function historyOf({ pings }: Pick<World, 'pings'>, agentId = 'a'): Promise<readonly PingRecord[]> {
  const query = { agentId, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, before: undefined, limit: 100_000 };
  return (await pings.history(query)).toReversed();
}

export async function storedState({ agents }: Pick<World, 'agents'>, agentId = 'a'): Promise<PingState> {
  const state = (await agents.find(agentId))?.state;
  if (state === undefined) throw new Error(`${agentId} has no state`);
  return state;
}

/** What the log says of agents, without the lines for who looks closely. */
export function newsIn({ lines }: World['log']): readonly string[] {
  return lines
    .filter(({ level }) => level !== 'debug')
    .map(({ fields, text }) => [fields.agent, text].join(' ').trim());
}
