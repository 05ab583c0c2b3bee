/** Pings over a real registry and a real store; only what agents answer, and when, is written by the test. */
import { type PingObservation, spanOf } from '../../../engine/core/ping/judge.ts';
import type { PingReply, UptimeClaim } from '../../../engine/core/ping/outcome.ts';
import { stepPing } from '../../../engine/core/ping/step.ts';
import type { Pinged, PingStats, Pings } from '../../../engine/ping/pings.ts';
import { AgentRegistry, type HeldAgent } from '../../../engine/ping/registry.ts';
import type { PingStore } from '../../../engine/store/ping-store.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { policy } from '../core/fixtures.ts';
import { LEASE_MS } from '../ping/registry-fixtures.ts';
import { pingStats } from '../ping/shown-agents.ts';

export interface FakePings extends Pings {
  /** What comes back next, for any agent. */
  answer: PingReply;
  /** What Prometheus saw. */
  observed: UptimeClaim | undefined;
  /** Instead of a ping. */
  instead: ((id: string) => Pinged) | undefined;
  figures: Partial<PingStats>;
  /** Agents that are being asked. */
  readonly flying: Set<string>;
  readonly handedIn: unknown[];
}

export interface FakeParts {
  readonly registry: AgentRegistry;
  readonly pings: PingStore;
  readonly now: () => number;
}

const { ping } = policy();

export function fakePings({ registry, pings, now }: FakeParts): FakePings {
  const fake: FakePings = {
    answer: { kind: 'unreachable', reason: 'connection refused' },
    observed: undefined,
    instead: undefined,
    figures: {},
    flying: new Set(),
    handedIn: [],
    registry,
    policy: () => ping,
    isInFlight: (id) => fake.flying.has(id),
    stats: () => pingStats({ inFlight: 0, lagMs: undefined, worstLagMs: undefined, ...fake.figures }),
    pingNow: async (id) => {
      if (fake.instead !== undefined) return fake.instead(id);
      const held = await registry.claim(id, now(), LEASE_MS);
      return held === undefined ? { kind: 'unknown' } : attempt(fake, held, now());
    },
    handIn: async (id, handedIn) => {
      fake.handedIn.push(handedIn);
      return fake.pingNow(id, new AbortController().signal);
    },
    history: (query) => pings.history(query),
    totals: (fromMs) => pings.totals(fromMs),
  };
  return fake;
}

async function attempt(fake: FakePings, held: HeldAgent, atMs: number): Promise<Pinged> {
  const { agent, version } = held;
  const observed = spanOf(ping, held.state, atMs) && fake.observed;
  const about = { isSuspect: false, outageMs: 0, observed, reply: fake.answer };
  const observation: PingObservation = { agentId: agent.id, atMs, endedAtMs: atMs, ...about };
  const { state, record, events } = stepPing(ping, held.state, observation);
  await fake.registry.record([{ agentId: agent.id, version, state, record }]);
  return { kind: 'pinged', agent, state, record, events, reply: fake.answer };
}

/** Nobody is registered. */
export async function noAgents(now: () => number): Promise<Pings> {
  const opened = openSqliteStore(':memory:');
  const judgeUrl = () => ({ kind: 'unfit', problem: 'no agents here', fix: 'none' }) as const;
  const registry = await AgentRegistry.open({ ...opened, now, judgeUrl, policy: () => ping, maxAgents: () => 0 });
  return fakePings({ registry, pings: opened.pings, now });
}
