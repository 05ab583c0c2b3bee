/** A thousand agents on a thousand ports, a fifth of which misbehave in every way there is. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { residentMebibytes } from '../bench/process.ts';
import type { AskedReport } from '../servers/agent-asked.ts';
import { BEHAVIOURS, type Behaviour } from '../servers/agent-behaviours.ts';
import type { FleetAgent } from '../servers/agent-fleet.ts';
import { registerAll } from '../servers/agent-registration.ts';
import type { RunningServer } from '../servers/server.ts';
import { until } from './fleet.ts';
import { type AgentEntry, agentEntries, agentsOf, pingEngine } from './ping-engine.ts';

const AGENTS = 1000;
const BASE_MS = 5000;
/** The slots of hanging agents are taken for the whole time limit, and there are 100. */
const PER_BEHAVIOUR = 14;
const POLICY = `
  base_interval: ${BASE_MS}ms
  max_interval: 40s
  evidence: agent
  confirm: [500ms, 1s]
  response_timeout: 2s
  catch_up: 3s
  max_retry_after: 3s
`;
const MAX_LAG_MS = 1500;
/** As with 10,000 GPUs. Some of it is what huge answers left for the garbage collector. */
const MAX_MEBIBYTES = 400;

/** What the engine makes of each, once it is sure. */
const OUTCOMES: Readonly<Record<Exclude<Behaviour, 'good'>, readonly string[]>> = {
  no_gpu: ['no_gpu'],
  forgets: ['poor'],
  contradicts: ['invalid'],
  hangs: ['unreachable'],
  drips: ['unreachable'],
  garbage: ['invalid'],
  half: ['invalid'],
  huge: ['invalid'],
  bomb: ['invalid'],
  redirects: ['invalid'],
  unavailable: ['refused'],
  too_many: ['refused'],
  resets: ['unreachable'],
  closed: ['unreachable'],
};
const MISBEHAVIOURS = Object.keys(BEHAVIOURS).filter((name): name is keyof typeof OUTCOMES => name !== 'good');

interface Cast {
  readonly healthy: readonly FleetAgent[];
  readonly misbehaving: ReadonlyMap<keyof typeof OUTCOMES, readonly FleetAgent[]>;
}

/** Every behaviour in every part of the fleet. */
function castOf(agents: readonly FleetAgent[]): Cast {
  const step = MISBEHAVIOURS.length;
  const misbehaving = new Map(
    MISBEHAVIOURS.map((name, nth) => [
      name,
      agents.slice(0, PER_BEHAVIOUR * step).filter((_, at) => at % step === nth),
    ]),
  );
  return { healthy: agents.slice(PER_BEHAVIOUR * step), misbehaving };
}

function healthyEntries(entries: readonly AgentEntry[], { healthy }: Cast): readonly AgentEntry[] {
  const ids = new Set(healthy.map(({ id }) => id));
  return entries.filter(({ agent_id }) => ids.has(agent_id));
}

/** The longest that one of the agents waited between two questions, milliseconds, from `sinceMs` on. */
function longestWaitMs(
  asked: ReadonlyMap<string, AskedReport>,
  agents: readonly FleetAgent[],
  sinceMs: number,
): number {
  const waits = agents.flatMap(({ id }) => {
    const atMs = (asked.get(id)?.atMs ?? []).filter((ms) => ms >= sinceMs);
    return atMs.slice(1).map((ms, nth) => ms - (atMs[nth] ?? 0));
  });
  return Math.max(...waits);
}

function overlaps(asked: ReadonlyMap<string, AskedReport>): readonly string[] {
  return [...asked].flatMap(([id, report]) => (report.overlaps > 0 ? [`${id}: ${report.overlaps}`] : []));
}

async function inFlight({ url }: RunningServer): Promise<number> {
  const dashboard = await (await fetch(`${url}/ping-system/dashboard`)).json();
  return (dashboard as { readonly agents: { readonly in_flight: number } }).agents.in_flight;
}

async function everyHealthyPinged(engine: RunningServer, cast: Cast, pings: number): Promise<readonly AgentEntry[]> {
  return until(
    () => agentEntries(engine),
    (entries) => {
      const behind = healthyEntries(entries, cast).filter((entry) => entry.ping.pings < pings);
      expect(behind.map(({ agent_id }) => agent_id)).toEqual([]);
    },
    60_000,
  );
}

describe('a thousand agents, of which a fifth misbehaves', () => {
  it('are pinged on time, each judged by what it does itself, by an engine that may be killed in between', {
    timeout: 300_000,
  }, async () => {
    const fleet = await agentsOf({ count: AGENTS, checkMs: 250 });
    const cast = castOf(fleet.agents);
    const { start } = await pingEngine({ ping: POLICY });
    const engine = await start();
    await registerAll(engine, fleet.agents);
    await everyHealthyPinged(engine, cast, 1);
    for (const [behaviour, agents] of cast.misbehaving) {
      await fleet.behave(
        agents.map(({ id }) => id),
        behaviour,
      );
    }

    const chaosSinceMs = Date.now();
    await delay(6 * BASE_MS);
    const entries = await agentEntries(engine);
    const byId = new Map(entries.map((entry) => [entry.agent_id, entry]));
    const judged = [...cast.misbehaving].map(([behaviour, agents]) => [
      behaviour,
      [...new Set(agents.map(({ id }) => byId.get(id)?.status))],
    ]);
    expect(Object.fromEntries(judged)).toEqual(OUTCOMES);
    const notGood = healthyEntries(entries, cast).filter(
      ({ status, ping }) => status !== 'good' || ping.consecutive_poor > 0,
    );
    expect(notGood).toEqual([]);
    const asked = await fleet.report();
    expect(overlaps(asked)).toEqual([]);
    expect(longestWaitMs(asked, cast.healthy, chaosSinceMs)).toBeLessThan(1.05 * BASE_MS + MAX_LAG_MS);
    expect(residentMebibytes(engine.pid)).toBeLessThan(MAX_MEBIBYTES);

    await until(
      () => inFlight(engine),
      (count) => expect(count).toBeGreaterThan(0),
    );
    await engine.kill();
    const before = new Map(entries.map((entry) => [entry.agent_id, entry.ping]));
    await delay(2 * BASE_MS);
    const next = await start();
    const after = await agentEntries(next);
    expect(after).toHaveLength(AGENTS);
    const lost = after.filter(({ agent_id, ping }) => ping.pings < (before.get(agent_id)?.pings ?? 0));
    expect(lost).toEqual([]);
    const continued = await everyHealthyPinged(next, cast, 2 + Math.max(...after.map(({ ping }) => ping.pings)));
    const paying = healthyEntries(continued, cast).filter(
      ({ status, ping }) => status !== 'good' || ping.consecutive_poor > 0,
    );
    expect(paying).toEqual([]);
    expect(overlaps(await fleet.report())).toEqual([]);
    expect(residentMebibytes(next.pid)).toBeLessThan(MAX_MEBIBYTES);
  });
});
