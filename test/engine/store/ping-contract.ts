/** What every store of pings must do; a second adapter passes this unchanged. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Claim, MAX_CLOCK_SKEW_MS, UnfitResultError } from '../../../engine/store/ping-store.ts';
import { anyRecord, anyState } from './any-ping.ts';
import { anAgent, aState, BASE_MS, goodPing, newAgent, type PingStores, START_MS } from './ping-fixtures.ts';

export interface PingStoreFixture extends PingStores {
  /** The same data as another engine sees it, over a connection of its own. */
  readonly other: PingStores;
  /** Opens the same data again, as a restarted process would. */
  reopen(): Promise<PingStores>;
  dispose(): Promise<void>;
}

export const LEASE_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Runs a test with a fixture of its own. */
export function usingFixture(open: () => Promise<PingStoreFixture>) {
  return async (work: (fixture: PingStoreFixture) => Promise<void>) => {
    const fixture = await open();
    try {
      await work(fixture);
    } finally {
      await fixture.dispose();
    }
  };
}

export function pingStoreContract(open: () => Promise<PingStoreFixture>): void {
  const using = usingFixture(open);

  it('starts empty', () =>
    using(async ({ agents, pings }) => {
      expect(await agents.list(undefined, 10)).toEqual([]);
      expect(await agents.find('a')).toBeUndefined();
      expect(await pings.claimDue(START_MS, 10, LEASE_MS)).toEqual([]);
      expect(await pings.claim('a', START_MS, LEASE_MS)).toBeUndefined();
      expect(await pings.totals(0)).toEqual([]);
      expect(await pings.trim(START_MS, 10)).toBe(0);
    }));

  it('leases those that are due, in the order of their due times', () =>
    using(async ({ agents, pings }) => {
      for (const [id, dueMs] of Object.entries({ a: 50, b: 20, c: 101, d: 0.5, e: 100 }))
        await agents.add(newAgent(id, dueMs), 10);
      const first = await pings.claimDue(100, 3, LEASE_MS);
      expect(first.map(({ agent }) => agent.id)).toEqual(['d', 'b', 'a']);
      expect(first[1]).toEqual({
        agent: anAgent('b'),
        state: aState(20),
        version: expect.any(Number),
        leasedUntilMs: 100 + LEASE_MS,
      });
      expect((await pings.claimDue(100, 3, LEASE_MS)).map(({ agent }) => agent.id)).toEqual(['e']);
      expect(await pings.claimDue(100, 3, LEASE_MS)).toEqual([]);
    }));

  it('never gives one agent to two engines, until the lease has ended', () =>
    using(async ({ agents, pings, other }) => {
      await agents.add(newAgent('a', START_MS), 10);
      const [claim] = await pings.claimDue(START_MS, 10, LEASE_MS);
      expect(await other.pings.claimDue(START_MS + LEASE_MS - 1, 10, LEASE_MS)).toEqual([]);
      expect(await other.pings.claim('a', START_MS + LEASE_MS - 1, LEASE_MS)).toBeUndefined();
      const [again] = await other.pings.claimDue(START_MS + LEASE_MS, 10, LEASE_MS);
      expect(again?.agent.id).toBe('a');
      expect(again?.version).not.toBe(claim?.version);
    }));

  it('ends a lease that was given before the clock was set back', () =>
    using(async ({ agents, pings, other }) => {
      await agents.add(newAgent('a', 0), 10);
      const claim = await claimOf(pings, 'a');
      const skewedMs = START_MS - MAX_CLOCK_SKEW_MS;
      expect(await other.pings.claimDue(skewedMs, 10, LEASE_MS)).toEqual([]);
      expect(await other.pings.claim('a', skewedMs, LEASE_MS)).toBeUndefined();
      expect(await other.pings.claimDue(skewedMs - 1, 10, LEASE_MS)).toHaveLength(1);
      expect(await pings.record([goodPing(claim, START_MS)])).toEqual(['stale']);
    }));

  it('leases an agent that is not due to whoever asks for it by name', () =>
    using(async ({ agents, pings, other }) => {
      await agents.add(newAgent('a', START_MS + BASE_MS), 10);
      const claim = await pings.claim('a', START_MS, LEASE_MS);
      expect(claim).toMatchObject({ agent: anAgent('a'), state: aState(START_MS + BASE_MS) });
      expect(await other.pings.claim('a', START_MS, LEASE_MS)).toBeUndefined();
    }));

  it('keeps state and ping together, ends the lease, and says when the agent is due again', () =>
    using(async ({ agents, pings, other }) => {
      await agents.add(newAgent('a', START_MS), 10);
      const result = goodPing(await claimOf(pings, 'a'), START_MS + 40);
      expect(await pings.record([result])).toEqual(['kept']);
      expect((await other.agents.find('a'))?.state).toEqual(result.state);
      expect(await other.pings.history(everything('a'))).toEqual([result.record]);
      expect(await other.pings.claimDue(result.state.nextDueAtMs - 1, 10, LEASE_MS)).toEqual([]);
      const [next] = await other.pings.claimDue(result.state.nextDueAtMs, 10, LEASE_MS);
      expect(next?.state).toEqual(result.state);
    }));

  it('keeps a state alone while nothing is decided', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      const { agentId, version } = goodPing(await claimOf(pings, 'a'), START_MS);
      const state = aState(START_MS + 2000, { attempts: 1, failingSinceMs: START_MS });
      expect(await pings.record([{ agentId, version, state, record: undefined }])).toEqual(['kept']);
      expect((await agents.find('a'))?.state).toEqual(state);
      expect(await pings.history(everything('a'))).toEqual([]);
      expect(await pings.totals(0)).toEqual([]);
    }));

  it('refuses a result that comes twice, or after another claim, and changes nothing then', () =>
    using(async ({ agents, pings, other }) => {
      await agents.add(newAgent('a', START_MS), 10);
      const slow = await claimOf(pings, 'a');
      const quick = await claimOf(other.pings, 'a', START_MS + LEASE_MS);
      expect(await pings.record([goodPing(slow, START_MS + LEASE_MS + 1)])).toEqual(['stale']);
      const decided = goodPing(quick, START_MS + LEASE_MS + 2);
      expect(await other.pings.record([decided])).toEqual(['kept']);
      expect(await other.pings.record([decided])).toEqual(['stale']);
      expect(await pings.record([goodPing(slow, START_MS + LEASE_MS + 3)])).toEqual(['stale']);
      expect((await agents.find('a'))?.state).toEqual(decided.state);
      expect(await pings.history(everything('a'))).toEqual([decided.record]);
      expect(await pings.totals(0)).toMatchObject([{ pings: 1 }]);
    }));

  it('keeps a result that comes after the lease, as long as nobody else has claimed the agent', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      expect(await pings.record([goodPing(await claimOf(pings, 'a'), START_MS + 2 * LEASE_MS)])).toEqual(['kept']);
    }));

  it('judges each of many results by itself', () =>
    using(async ({ agents, pings }) => {
      for (const id of ['a', 'b', 'c']) await agents.add(newAgent(id, START_MS), 10);
      const claims = await pings.claimDue(START_MS, 10, LEASE_MS);
      const results = claims.map((claim) => goodPing(claim, START_MS + 9));
      await agents.remove('b', undefined);
      expect(await pings.record(results)).toEqual(['kept', 'stale', 'kept']);
      expect(await pings.totals(0)).toMatchObject([{ outcome: 'good', pings: 2, answered: 2, roundTripMs: 25 }]);
    }));

  it('leaves nothing of a removed agent to the one that takes its id', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      await pings.record([goodPing(await claimOf(pings, 'a'), START_MS)]);
      const late = await claimOf(pings, 'a', START_MS + BASE_MS);
      await agents.remove('a', undefined);
      expect(await pings.history(everything('a'))).toEqual([]);
      await agents.add(newAgent('a', START_MS + BASE_MS), 10);
      const fresh = await claimOf(pings, 'a', START_MS + BASE_MS);
      expect(await pings.record([goodPing(late, START_MS + BASE_MS)])).toEqual(['stale']);
      expect(fresh.state).toEqual(aState(START_MS + BASE_MS));
      expect(await pings.history(everything('a'))).toEqual([]);
    }));

  it('gives any state and any ping back as it was', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', 0), 10);
      let atMs = 0;
      await fc.assert(
        fc.asyncProperty(anyState, anyRecord, async (state, record) => {
          atMs += LEASE_MS;
          const claim = await claimOf(pings, 'a', atMs);
          const ping = { ...record, agentId: 'a', atMs, sequence: state.pings };
          expect(await pings.record([{ agentId: 'a', version: claim.version, state, record: ping }])).toEqual(['kept']);
          expect((await agents.find('a'))?.state).toEqual(state);
          expect(await pings.history({ ...everything('a'), fromMs: atMs })).toEqual([ping]);
        }),
        { numRuns: 100 },
      );
    }));

  it('gives history of a span, newest first, in pages', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      await agents.add(newAgent('b', START_MS), 10);
      // Two within one millisecond: the second was asked for by name.
      for (const minute of [0, 1, 2, 2, 3, 4]) await pingAt(pings, 'a', START_MS + minute * 60_000);
      await pingAt(pings, 'b', START_MS + 60_000);
      const span = { agentId: 'a', fromMs: START_MS + 60_000, toMs: START_MS + 240_000, before: undefined, limit: 3 };
      const first = await pings.history(span);
      expect(first.map(({ sequence }) => sequence)).toEqual([5, 4, 3]);
      const rest = await pings.history({ ...span, before: first.at(-1) });
      expect(rest.map(({ sequence }) => sequence)).toEqual([2]);
      expect(await pings.history({ ...span, before: rest.at(-1) })).toEqual([]);
      expect(await pings.history({ ...span, agentId: 'nobody' })).toEqual([]);
    }));

  it('counts pings by hour and outcome', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      for (const atMs of [START_MS, START_MS + 1, START_MS + HOUR_MS]) await pingAt(pings, 'a', atMs);
      const claim = await claimOf(pings, 'a', START_MS + HOUR_MS + 1);
      const { record, ...result } = goodPing(claim, START_MS + HOUR_MS + 1);
      const silent = { ...record, outcome: 'unreachable', roundTripMs: undefined } as const;
      await pings.record([{ ...result, record: silent }]);
      const good = { outcome: 'good', pings: 2, answered: 2, roundTripMs: 25 };
      const totals = [
        { hourMs: START_MS, ...good },
        { hourMs: START_MS + HOUR_MS, ...good, pings: 1, answered: 1, roundTripMs: 12.5 },
        { hourMs: START_MS + HOUR_MS, outcome: 'unreachable', pings: 1, answered: 0, roundTripMs: 0 },
      ];
      expect(await pings.totals(0)).toEqual(totals);
      expect(await pings.totals(START_MS + HOUR_MS + 1)).toEqual(totals.slice(1));
    }));

  it('forgets old pings in bounded steps, oldest first', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      await agents.add(newAgent('b', START_MS), 10);
      for (let hour = 0; hour < 4; hour++)
        for (const id of ['a', 'b']) await pingAt(pings, id, START_MS + hour * HOUR_MS);
      const beforeMs = START_MS + 2 * HOUR_MS;
      expect([await pings.trim(beforeMs, 3), await pings.trim(beforeMs, 3), await pings.trim(beforeMs, 3)]).toEqual([
        3, 1, 0,
      ]);
      expect((await pings.history(everything('a'))).map(({ sequence }) => sequence)).toEqual([4, 3]);
      expect((await pings.history(everything('b'))).map(({ sequence }) => sequence)).toEqual([4, 3]);
      expect((await pings.totals(0)).map(({ hourMs }) => hourMs)).toEqual([beforeMs, beforeMs + HOUR_MS]);
    }));

  it('keeps the totals of an hour that is cut in two until all of it has gone', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      for (const atMs of [START_MS, START_MS + HOUR_MS, START_MS + 1.5 * HOUR_MS]) await pingAt(pings, 'a', atMs);
      expect(await pings.trim(START_MS + 1.25 * HOUR_MS, 10)).toBe(2);
      expect(await pings.totals(0)).toMatchObject([{ hourMs: START_MS + HOUR_MS, pings: 2 }]);
      expect(await pings.trim(START_MS + 2 * HOUR_MS, 10)).toBe(1);
      expect(await pings.totals(0)).toEqual([]);
    }));

  it('writes all results of a call or none of them', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      await agents.add(newAgent('b', START_MS), 10);
      const [good, bad] = (await pings.claimDue(START_MS, 10, LEASE_MS)).map((claim) => goodPing(claim, START_MS));
      if (good === undefined || bad === undefined) throw new Error('two claims were expected');
      const broken = { ...bad, record: { ...bad.record, atMs: Number.NaN } };
      await expect(pings.record([good, broken])).rejects.toThrow(UnfitResultError);
      expect((await agents.find('a'))?.state).toEqual(aState(START_MS));
      expect(await pings.history(everything('a'))).toEqual([]);
      expect(await pings.record([good])).toEqual(['kept']);
    }));

  it('keeps everything over a restart, also who holds what', () =>
    using(async (fixture) => {
      await fixture.agents.add(newAgent('a', START_MS), 10);
      await fixture.agents.add(newAgent('b', START_MS), 10);
      const result = await pingAt(fixture.pings, 'a', START_MS);
      const held = await claimOf(fixture.pings, 'b');
      const { agents, pings } = await fixture.reopen();
      expect(await agents.find('a')).toEqual({ ...newAgent('a', START_MS), state: result.state });
      expect(await pings.history(everything('a'))).toEqual([result.record]);
      expect(await pings.claimDue(START_MS, 10, LEASE_MS)).toEqual([]);
      expect(await pings.record([goodPing(held, START_MS)])).toEqual(['kept']);
    }));
}

function everything(agentId: string) {
  return { agentId, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, before: undefined, limit: 1000 };
}

export async function claimOf(pings: PingStores['pings'], id: string, nowMs = START_MS): Promise<Claim> {
  const claim = await pings.claim(id, nowMs, LEASE_MS);
  if (claim === undefined) throw new Error(`${id} cannot be claimed`);
  return claim;
}

export async function pingAt(pings: PingStores['pings'], id: string, atMs: number) {
  const result = goodPing(await claimOf(pings, id, atMs), atMs);
  expect(await pings.record([result])).toEqual(['kept']);
  return result;
}
