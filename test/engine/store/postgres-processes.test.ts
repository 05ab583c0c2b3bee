import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Claim, PingResult } from '../../../engine/store/ping-store.ts';
import { goodPing, KEEPING, newAgent, type PingStores, START_MS } from './ping-fixtures.ts';
import { expectNothingHalfWritten, startPinger } from './pinging-engines.ts';
import { describePostgres, openStore } from './postgres-fixtures.ts';

const LEASE_MS = 60_000;

describePostgres('engines that share a PostgreSQL', (server) => {
  async function filledStore(count: number) {
    const url = await server().createDatabase();
    const stores = await openStore(url);
    const ids = Array.from({ length: count }, (_, at) => `agent-${String(at).padStart(4, '0')}`);
    await Promise.all(ids.map((id) => stores.agents.add(newAgent(id, START_MS), count)));
    return { url, ids, ...stores };
  }

  async function connectionsTo(url: string): Promise<readonly number[]> {
    const ask = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    return (await server().run(ask, url)).rows.map(({ pid }) => Number(pid));
  }

  it.each([2, 3])('never lease one of 1,000 agents twice: %i engines at once', async (engines) => {
    const { url, ids } = await filledStore(1000);
    const stores = await Promise.all(Array.from({ length: engines }, () => openStore(url)));
    const claimed = await Promise.all(stores.flatMap(({ pings }) => [claimAll(pings), claimAll(pings)]));
    expect(
      claimed
        .flat()
        .map(({ agent }) => agent.id)
        .sort(),
    ).toEqual(ids);
    expect(new Set(claimed.flat().map(({ version }) => version)).size).toBe(1000);
    expect(claimed.filter((some) => some.length > 0).length).toBeGreaterThan(1);
  });

  it('keep one of the results of all who believe to hold an agent', async () => {
    const { url, agents } = await filledStore(20);
    const stores = await Promise.all([openStore(url), openStore(url), openStore(url)]);
    const kept: (readonly string[])[] = [];
    for (let round = 0; round < 15; round++) {
      // Each lease is over at once, so that claims of one engine race with results of another.
      const nowMs = START_MS + round;
      const outcomes = await Promise.all(stores.map((store) => pingAll(store, nowMs)));
      kept.push(outcomes.flat());
    }
    const pings = await expectNothingHalfWritten({ agents, pings: stores[0]?.pings ?? failing() });
    expect(pings).toBe(kept.flat().filter((outcome) => outcome === 'kept').length);
    expect(kept.flat()).toContain('stale');
  });

  it('record the same agents in any order at once, and none waits for the other for ever', async () => {
    const { url, ...first } = await filledStore(60);
    const second = await openStore(url);
    for (let round = 0; round < 20; round++) {
      const nowMs = START_MS + round;
      const results = (await first.pings.claimDue(nowMs, 60, 0)).map((claim) => dueAgain(goodPing(claim, nowMs)));
      const writers = [first.pings.record(results), second.pings.record(results.toReversed())];
      const outcomes = (await Promise.all(writers)).flat();
      expect(outcomes.filter((outcome) => outcome === 'kept')).toHaveLength(60);
    }
    expect(await expectNothingHalfWritten(first)).toBe(20 * 60);
  });

  it('give the last place to one of those who register at once', async () => {
    const url = await server().createDatabase();
    const stores = await Promise.all([openStore(url), openStore(url), openStore(url)]);
    const additions = Array.from({ length: 30 }, (_, at) =>
      stores[at % 3]?.agents.add(newAgent(`agent-${at}`, START_MS), 10),
    );
    const outcomes = await Promise.all(additions);
    expect(outcomes.filter((outcome) => outcome?.kind === 'added')).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome?.kind === 'full')).toHaveLength(20);
    const same = await Promise.all(stores.map(({ agents }) => agents.add(newAgent('agent-x', START_MS), 20)));
    expect(same.map(({ kind }) => kind).sort()).toEqual(['added', 'taken', 'taken']);
  });

  it('write, trim and remove at once without waiting for each other for ever', async () => {
    const { url } = await filledStore(200);
    const stores = await Promise.all([openStore(url), openStore(url), openStore(url)]);
    const working = stores.flatMap((store, at) => [
      pingFor(store, START_MS, 20),
      trimFor(store, 40),
      removeAndAdd(store, at, 40),
    ]);
    await Promise.all(working);
    expect((await stores[0]?.pings.totals(0))?.reduce((sum, { pings }) => sum + pings, 0)).toBeGreaterThan(0);
  });

  it('ping every agent once, each its own', async () => {
    const { url, ids, ...stores } = await filledStore(300);
    const pinging = { leaseMs: LEASE_MS, pauseMs: 3, nextInMs: 3_600_000 };
    const pingers = await Promise.all([startPinger(url, pinging), startPinger(url, pinging)]);
    for (const { begin } of pingers) begin();
    await Promise.all(pingers.map(({ ended }) => ended));
    const pinged = pingers.map(({ lines }) => lines.flatMap((line) => line.split(' ')));
    expect(pinged.flat().sort()).toEqual(ids);
    expect(Math.min(...pinged.map(({ length }) => length))).toBeGreaterThan(20);
    expect(await expectNothingHalfWritten(stores)).toBe(300);
  });

  it('take over from one that was killed, when its leases end', async () => {
    const { url, pings } = await filledStore(5);
    const pinger = await startPinger(url, { leaseMs: LEASE_MS, pauseMs: 600_000, nextInMs: 0 });
    pinger.begin();
    while (pinger.lines.length === 0) await sleep(5);
    pinger.child.kill('SIGKILL');
    await pinger.ended;
    expect(await pings.claimDue(Date.now(), 10, LEASE_MS)).toEqual([]);
    expect(await pings.claimDue(Date.now() + LEASE_MS, 10, LEASE_MS)).toHaveLength(5);
  });

  it('leave nothing half written when they are killed in the middle of it', async () => {
    const { url, ...stores } = await filledStore(50);
    let before = 0;
    for (let round = 0; round < 4; round++) {
      const own = await connectionsTo(url);
      const pinging = { leaseMs: 1, pauseMs: 0, nextInMs: 0 };
      const pingers = await Promise.all([startPinger(url, pinging), startPinger(url, pinging)]);
      for (const { begin } of pingers) begin();
      await sleep(200 + 90 * round);
      for (const { child } of pingers) child.kill('SIGKILL');
      await Promise.all(pingers.map(({ ended }) => ended));
      // The server finishes the statements of the dead.
      while ((await connectionsTo(url)).some((pid) => !own.includes(pid))) await sleep(10);
      const decided = await expectNothingHalfWritten(stores);
      expect(decided).toBeGreaterThan(before);
      before = decided;
    }
  });
});

async function claimAll(pings: PingStores['pings']): Promise<readonly Claim[]> {
  const claims: Claim[] = [];
  let empty = 0;
  // What another engine is just taking is passed over, so a page may be empty before all are taken.
  while (empty < 3) {
    const more = await pings.claimDue(START_MS, 7, LEASE_MS);
    claims.push(...more);
    empty = more.length === 0 ? empty + 1 : 0;
  }
  return claims;
}

async function pingAll({ pings }: PingStores, nowMs: number) {
  const claims = await pings.claimDue(nowMs, 20, 0);
  return pings.record(claims.map((claim) => dueAgain(goodPing(claim, nowMs))));
}

function dueAgain(result: PingResult): PingResult {
  return { ...result, state: { ...result.state, nextDueAtMs: 0 } };
}

async function pingFor(store: PingStores, fromMs: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) await pingAll(store, fromMs + round * 600_000);
}

async function trimFor({ pings }: PingStores, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) await pings.trim(START_MS + round * 100_000, 50);
}

async function removeAndAdd({ agents }: PingStores, engine: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const id = `agent-${String(round * 3 + engine).padStart(4, '0')}`;
    await agents.remove(id, `hash of ${id}`, KEEPING);
    await agents.add(newAgent(id, 0), 1000);
  }
}

function failing(): never {
  throw new Error('three stores were expected');
}
