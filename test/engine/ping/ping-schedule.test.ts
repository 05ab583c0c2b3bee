/** Who is pinged when, and how many at once. */
import { describe, expect, it } from 'vitest';
import { aState, newAgent, START_MS } from '../store/ping-fixtures.ts';
import {
  type Agents,
  answer,
  DAY,
  HOUR,
  historyOf,
  MINUTE,
  openWorld,
  SECOND,
  storedState,
} from './service-fixtures.ts';

const NEVER = new AbortController().signal;
const slowly: Agents = (_, question) => ({ reply: answer(question), tookMs: 400 });

function named(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `agent-${String(at).padStart(4, '0')}`);
}

describe('a thousand agents that are due together', () => {
  it('are pinged once each, in the order they are due, and never more at once than the policy allows', async () => {
    const ids = named(1000);
    // Registered in another order than they are due in, so that neither id nor number gives it away.
    const place = (at: number) => (at * 617) % 1000;
    const world = await openWorld({ agents: ids, say: slowly, dueAtMs: (at) => START_MS + place(at) / 1000 });
    const { service } = await world.start();
    await world.time.advance(300);
    const waited = service.stats();
    await world.time.advance(10 * SECOND);
    expect(waited.waiting + waited.inFlight).toBe(1000);
    const inOrder = ids.toSorted((a, b) => place(ids.indexOf(a)) - place(ids.indexOf(b)));
    expect(world.fleet.idsAsked()).toEqual(inOrder);
    expect([world.fleet.mostAtOnce, world.fleet.mostOfOne]).toEqual([100, 1]);
    const { lagBuckets, worstLagMs, decided } = service.stats();
    expect(decided.good).toBe(1000);
    expect(worstLagMs).toBeGreaterThan(3000);
    expect(lagBuckets.map(({ count }) => count)).toEqual(
      lagBuckets.map(({ count }) => count).toSorted((a, b) => a - b),
    );
  });

  it('leave room for whoever is asked for, who is served first', async () => {
    const world = await openWorld({ agents: named(50), say: slowly, policy: { maxConcurrentAgents: 2 } });
    const { service } = await world.start();
    await world.time.advance(100);
    const asked = Promise.all(['agent-0040', 'agent-0041', 'agent-0042'].map((id) => service.pingNow(id, NEVER)));
    await world.time.advance(1500);
    expect((await asked).map(({ kind }) => kind)).toEqual(['pinged', 'pinged', 'pinged']);
    expect(world.fleet.mostAtOnce).toBe(2);
    await world.time.advance(20 * SECOND);
    expect(world.fleet.idsAsked().toSorted()).toEqual(named(50));
  });

  it('follow a policy that allows fewer at once', async () => {
    const world = await openWorld({ agents: named(200), say: slowly, policy: { maxConcurrentAgents: 50 } });
    await world.start();
    await world.time.advance(100);
    world.inForce.policy = { ...world.inForce.policy, maxConcurrentAgents: 3 };
    await world.time.advance(SECOND);
    world.fleet.mostAtOnce = 0;
    await world.time.advance(5 * SECOND);
    expect(world.fleet.mostAtOnce).toBe(3);
  });
});

describe('one agent', () => {
  it('is never asked twice at once, whoever asks', async () => {
    const world = await openWorld({ say: slowly });
    const { service } = await world.start();
    const kinds: string[] = [];
    for (let at = 0; at < 40; at++) {
      void service.pingNow('a', NEVER).then(({ kind }) => kinds.push(kind));
      await world.time.advance(50);
    }
    await world.time.advance(SECOND);
    expect(world.fleet.mostOfOne).toBe(1);
    expect([...new Set(kinds)].toSorted()).toEqual(['busy', 'pinged']);
    expect(kinds).toHaveLength(40);
    expect(await historyOf(world)).toHaveLength(1);
  });

  it('is never asked twice at once by two engines that share the store', async () => {
    const world = await openWorld({ agents: named(300), say: slowly, policy: { baseIntervalMs: 3 * SECOND } });
    const engines = [await world.start(), await world.start()];
    await world.time.advance(20 * SECOND);
    expect(world.fleet.mostOfOne).toBe(1);
    const decided = engines.map(({ service }) => service.stats().decided.good);
    expect(Math.min(...decided)).toBeGreaterThan(100);
    const kept = await Promise.all(named(300).map((id) => historyOf(world, id)));
    expect(kept.reduce((sum, { length }) => sum + length, 0)).toBe((decided[0] ?? 0) + (decided[1] ?? 0));
    for (const pings of kept) expect(pings.map(({ sequence }) => sequence)).toEqual(pings.map((_, at) => at + 1));
  });

  it('is pinged after 30 days, for which no timer can wait', async () => {
    const world = await openWorld({ policy: { baseIntervalMs: 30 * DAY, maxIntervalMs: 30 * DAY } });
    await world.start();
    await world.time.advance(MINUTE);
    const { nextDueAtMs } = await storedState(world);
    expect(nextDueAtMs).toBeGreaterThan(START_MS + 2 ** 31);
    world.time.suspend(nextDueAtMs - world.time.now() - MINUTE);
    await world.time.advance(50 * SECOND);
    expect(world.fleet.asked).toHaveLength(1);
    await world.time.advance(20 * SECOND);
    expect(world.fleet.asked).toHaveLength(2);
  });

  it('is left alone while its newest ping lies in the future of an engine whose clock is behind, but not for long', async () => {
    const world = await openWorld({ agents: [] });
    await world.start();
    await world.time.advance(SECOND);
    const pinged = { pings: 1, lastAttemptAtMs: START_MS + 30 * SECOND, lastPingAtMs: START_MS + 30 * SECOND };
    const { agent, tokenHash } = newAgent('a', START_MS);
    await world.agents.add({ agent, tokenHash, state: aState(START_MS + 500, pinged) }, 1);
    await world.time.advance(10 * SECOND);
    expect(await storedState(world)).toMatchObject({ pings: 1, lastAttemptAtMs: expect.any(Number) });
    expect(world.fleet.asked).toHaveLength(0);
    await world.time.advance(MINUTE);
    expect(world.fleet.asked).toHaveLength(1);
    expect(await storedState(world)).toMatchObject({ pings: 2, lastOutcome: 'good' });
  });
});

describe('a policy that changes', () => {
  it('takes effect at once on agents that wait longer than it allows', async () => {
    const world = await openWorld({ policy: { baseIntervalMs: 10 * HOUR } });
    await world.start();
    await world.time.advance(MINUTE);
    world.inForce.policy = { ...world.inForce.policy, baseIntervalMs: 10 * MINUTE };
    await world.time.advance(SECOND);
    expect((await storedState(world)).nextDueAtMs).toBeLessThanOrEqual(START_MS + 11 * MINUTE);
    await world.time.advance(12 * MINUTE);
    expect(world.fleet.asked).toHaveLength(2);
  });
});
