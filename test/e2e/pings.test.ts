/** One agent from its registration through an escalation and back, through the real engine process and real sockets. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AgentFleet } from '../servers/agent-fleet.ts';
import { register } from '../servers/agent-registration.ts';
import type { RunningServer } from '../servers/server.ts';
import { until } from './fleet.ts';
import { agentEntry, agentsOf, type PingEntry, pingEngine, pingHistory } from './ping-engine.ts';

/** 15 minutes become half a second, and 24 hours 6 seconds: the ladder 2x, 4x, 8x ends at 12x. */
const BASE_SECONDS = 0.5;
const FAST = '  base_interval: 500ms\n  max_interval: 6s\n  evidence: agent\n  confirm: [100ms]\n';
const CHECK_MS = 20;

/** Takes the agent's GPU away for a few checks, so that it is there again when the agent is asked. */
async function blink(fleet: AgentFleet, id: string): Promise<void> {
  await fleet.behave([id], 'no_gpu');
  await delay(5 * CHECK_MS);
  await fleet.behave([id], 'good');
}

/** Waits for ping number `sequence` and returns it. */
async function ping(engine: RunningServer, id: string, sequence: number): Promise<PingEntry> {
  const pings = await until(
    () => pingHistory(engine, id),
    (all) => expect(all.length).toBeGreaterThanOrEqual(sequence),
  );
  return pings[sequence - 1] as PingEntry;
}

describe('an agent that registers', () => {
  it('is pinged at once, escalates to the cap while its GPU keeps failing, and recovers step by step and then at once', {
    timeout: 120_000,
  }, async () => {
    const fleet = await agentsOf({ count: 1, checkMs: CHECK_MS });
    const [agent = { id: '', url: '' }] = fleet.agents;
    const engine = await (await pingEngine({ ping: FAST })).start();

    const sinceMs = Date.now();
    const answer = await register(engine, agent);
    expect([answer.status, await answer.json()]).toEqual([
      201,
      expect.objectContaining({
        result: 'registered',
        agent_token: expect.stringMatching(/^\S{20,}$/),
        agent: expect.objectContaining({ agent_id: agent.id, agent_url: agent.url, status: 'never_pinged' }),
      }),
    ]);
    expect(await ping(engine, agent.id, 1)).toMatchObject({
      outcome: 'good',
      uptime_percentage: null,
      consecutive_poor: 0,
      interval_seconds: BASE_SECONDS,
    });
    expect(Date.now() - sinceMs).toBeLessThan(7000);

    const poor: PingEntry[] = [];
    for (let nth = 2; nth <= 6; nth++) {
      await blink(fleet, agent.id);
      poor.push(await ping(engine, agent.id, nth));
    }
    expect(poor.map(({ outcome }) => outcome)).toEqual(Array(5).fill('poor'));
    expect(poor.map(({ consecutive_poor }) => consecutive_poor)).toEqual([1, 2, 3, 4, 4]);
    expect(poor.map(({ interval_seconds }) => interval_seconds)).toEqual([1, 2, 4, 6, 6]);

    const good: PingEntry[] = [];
    for (let nth = 7; nth <= 10; nth++) good.push(await ping(engine, agent.id, nth));
    expect(good.map(({ outcome, uptime_percentage }) => [outcome, uptime_percentage])).toEqual(
      Array(4).fill(['good', 100]),
    );
    expect(good.map(({ consecutive_poor }) => consecutive_poor)).toEqual([3, 2, 0, 0]);
    expect(good.map(({ interval_seconds }) => interval_seconds)).toEqual([4, 2, BASE_SECONDS, BASE_SECONDS]);

    // What the agent itself saw: it was left alone for as long as it was told.
    const { atMs, overlaps } = (await fleet.report()).get(agent.id) ?? { atMs: [], overlaps: -1 };
    const waited = atMs.slice(1, 10).map((ms, nth) => (ms - (atMs[nth] ?? 0)) / 1000);
    const told = [BASE_SECONDS, 1, 2, 4, 6, 6, 4, 2, BASE_SECONDS];
    for (const [nth, seconds] of waited.entries()) {
      expect(seconds).toBeGreaterThan((told[nth] ?? 0) - 0.1 * BASE_SECONDS);
      expect(seconds).toBeLessThan((told[nth] ?? 0) + 0.5);
    }
    expect(overlaps).toBe(0);
    expect(await agentEntry(engine, agent.id)).toMatchObject({ status: 'good', ping: { consecutive_poor: 0 } });
  });
});
