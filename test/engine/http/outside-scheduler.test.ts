/** A scheduler outside of the engine: asks whom to ping, asks the real agent itself, and hands in what came of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import { pingAgent } from '../../../engine/ping/client.ts';
import { PingService } from '../../../engine/ping/ping-service.ts';
import { AgentRegistry } from '../../../engine/ping/registry.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { startExporter } from '../../servers/exporter.ts';
import type { RunningServer } from '../../servers/server.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { pingPolicy } from '../core/ping/fixtures.ts';
import { WIDEST } from '../ping/open-policy.ts';
import { memoryLog } from '../ping/service-fixtures.ts';
import { ask } from './ping-serving.ts';
import { serve } from './serving.ts';

const FLEET = play(planOf(), times(1, { 'a/0': 'up' }));
const POLICY = pingPolicy({ baseIntervalMs: 2000, evidence: 'agent', targets: WIDEST });

const clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined),
};

let agent: RunningServer;
beforeAll(async () => {
  agent = await startExporter({
    env: { AGENT_MODE: 'true', AGENT_ID: 'agent-001', AGENT_GPU_CHECK_INTERVAL_SECONDS: '1' },
  });
});
afterAll(() => agent.stop());

/** The engine's HTTP side over a real ping service that leaves pings to others; and how to ask it. */
async function engine() {
  const stores = openSqliteStore(':memory:');
  const judgeUrl = (text: string) => readAgentUrl(text, addressGuard(WIDEST));
  const policy = () => POLICY;
  const registry = await AgentRegistry.open({ ...stores, now: Date.now, judgeUrl, policy, maxAgents: () => 10 });
  const world = { observe: async () => undefined, lookUp: async () => ['127.0.0.1'], accessOf: () => undefined };
  const log = memoryLog();
  const base = { ...stores, registry, policy, clock, log, ask: pingAgent, isScheduling: false };
  const pings = await PingService.open({ ...base, ...world });
  const stopped = new AbortController();
  const running = pings.run(stopped.signal);
  const { url, close } = await serve({ fleet: FLEET, pings, now: Date.now });
  onTestFinished(async () => {
    stopped.abort();
    await Promise.all([running, close()]);
    await stores.store.close();
  });
  const asking = async (request: string, body?: unknown) => (await ask(url, request, { body })).body as Answered;
  await asking('POST /ping-system/agents/register', { agent_id: 'agent-001', agent_url: agent.url });
  return { ask: asking, log };
}

/** What the steps of a scheduler look at. */
interface Answered {
  readonly ping_now: boolean;
  readonly wait_seconds: number;
  readonly question: { readonly url: string };
  readonly status: number;
  readonly counted: boolean;
}

const DECISION = 'GET /api/v1/decisions/ping/agent-001';
const RESULT = 'POST /api/v1/decisions/ping/agent-001/ping-result';

/** Asks the agent what the engine would ask, and hands in the answer. */
async function pingOnce(tell: (request: string, body?: unknown) => Promise<Answered>) {
  const at = Date.now() / 1000;
  const { question } = await tell(DECISION);
  const answer: unknown = await (await fetch(question.url)).json();
  const body = { at, ended_at: Date.now() / 1000, reply: { kind: 'answered', answer, round_trip_seconds: 0.004 } };
  return { body, result: await tell(RESULT, body) };
}

async function whenDue(tell: (request: string) => Promise<Answered>): Promise<void> {
  const { wait_seconds: waitSeconds } = await tell(DECISION);
  await sleep(waitSeconds * 1000);
  expect(await tell(DECISION)).toMatchObject({ ping_now: true, wait_seconds: 0 });
}

describe('an outside scheduler', () => {
  it('pings as the engine would, and counts once', { timeout: 30_000 }, async () => {
    const { ask: tell, log } = await engine();
    expect(await tell('GET /ping-system/agents/due-for-ping')).toMatchObject({ scheduler: 'external' });
    await whenDue(tell);
    const first = await pingOnce(tell);
    expect(first.result).toMatchObject({ counted: true, duplicate: false, outcome: 'good', evidence: null });
    expect(await tell(RESULT, first.body)).toMatchObject({ counted: false, duplicate: true });
    const early = await pingOnce(tell);
    expect(early.result).toMatchObject({
      counted: false,
      why_not: expect.stringMatching(/^it came \d\.?\d* s before its/),
    });
    await whenDue(tell);
    const second = await pingOnce(tell);
    expect(second.result).toMatchObject({
      counted: true,
      outcome: 'good',
      round_trip_seconds: 0.004,
      evidence: { from: expect.closeTo(first.body.at, 2), to: expect.closeTo(second.body.at, 2) },
      agent: { status: 'good', ping: { pings: 2, recovery: { pings: 0, at: null } } },
    });
    expect(await tell(RESULT, { ...first.body, at: first.body.at - 0.5 })).toMatchObject({
      counted: false,
      duplicate: false,
      why_not: expect.stringMatching(/^it is late: a ping that began at /),
    });
    expect(log.lines.filter(({ text }) => text.includes('late'))).toHaveLength(1);
    expect(await tell('GET /ping-system/agents/agent-001/history')).toMatchObject({
      count: 2,
      pings: [
        { sequence: 2, outcome: 'good' },
        { sequence: 1, outcome: 'good' },
      ],
    });
    expect(await tell('GET /ping-system/dashboard')).toMatchObject({
      scheduler: 'external',
      agents: { total: 1, by_status: { good: 1 } },
      pings_24h: { total: 2 },
    });
  });

  it('is told when its clock is wrong', async () => {
    const { ask: tell } = await engine();
    const future = Date.now() / 1000 + 60;
    expect(await tell(RESULT, { at: future, reply: { kind: 'unreachable', reason: 'no route' } })).toMatchObject({
      status: 400,
      detail: expect.stringMatching(/^the result is not valid: it lies 60 s in the future: compare the clocks/),
    });
  });

  it('may leave the asking to the engine', { timeout: 20_000 }, async () => {
    const { ask: tell } = await engine();
    await whenDue(tell);
    const pinged = await tell('POST /ping-system/agents/agent-001/ping');
    expect(pinged).toMatchObject({ counted: true, outcome: 'good', reply: { kind: 'answered', gpu_available: true } });
    expect(await tell('POST /ping-system/agents/agent-001/ping')).toMatchObject({
      counted: false,
      reply: { kind: 'answered' },
    });
  });
});
