/** When the store or Prometheus does not do what it is asked. */
import { describe, expect, it } from 'vitest';
import type { Sighting } from '../../../engine/core/ping/outcome.ts';
import { PingStoreError } from '../../../engine/ping/store-health.ts';
import { QueryError } from '../../../engine/prometheus/query.ts';
import type { PingResult, PingStore } from '../../../engine/store/ping-store.ts';
import { answer, historyOf, MINUTE, newsIn, openWorld, SECOND, storedState } from './service-fixtures.ts';

const NEVER = new AbortController().signal;

/** The store, until it is broken. */
function breakable(pings: PingStore) {
  const state = { isBroken: false };
  const fail =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (state.isBroken) throw new Error('disk I/O error');
      return work(...args);
    };
  const { claimDue, claim, record, trim } = pings;
  const broken: PingStore = {
    ...pings,
    claimDue: fail(claimDue),
    claim: fail(claim),
    record: fail(record),
    trim: fail(trim),
  };
  return { state, broken };
}

describe('a store that fails', () => {
  it('is told of once, counted, and asked again, and no ping is lost or counted twice', async () => {
    const world = await openWorld({ agents: ['a', 'b'], policy: { baseIntervalMs: MINUTE } });
    const { state, broken } = breakable(world.pings);
    const { service } = await world.start({ pings: broken });
    await world.time.advance(5 * MINUTE);
    const before = (await historyOf(world)).length;
    expect(before).toBeGreaterThan(3);
    state.isBroken = true;
    await world.time.advance(5 * MINUTE);
    expect(await historyOf(world)).toHaveLength(before);
    await expect(service.pingNow('a', NEVER)).rejects.toThrow(
      new PingStoreError('the store of pings fails: disk I/O error'),
    );
    expect(service.stats().saveFailures).toBeGreaterThan(10);
    state.isBroken = false;
    await world.time.advance(3 * MINUTE);
    const after = await historyOf(world);
    expect(after.length).toBeGreaterThan(before);
    expect(after.map(({ sequence }) => sequence)).toEqual(after.map((_, at) => at + 1));
    expect((await storedState(world)).pings).toBe(after.length);
    expect(newsIn(world.log)).toEqual([
      'the store of pings fails: disk I/O error; it is asked again',
      'the store of pings works again',
    ]);
  });

  it('loses only the one result that it refuses, and says whose', async () => {
    const world = await openWorld({ agents: ['a', 'b', 'c'], policy: { baseIntervalMs: 10 * MINUTE } });
    const record: PingStore['record'] = (results) =>
      world.pings.record(results.map((result) => (result.agentId === 'b' ? unfit(result) : result)));
    const { service } = await world.start({ pings: { ...world.pings, record } });
    await world.time.advance(5 * SECOND);
    const pings = ['a', 'b', 'c'].map(async (id) => (await historyOf(world, id)).length);
    expect(await Promise.all(pings)).toEqual([1, 0, 1]);
    expect(service.stats().saveFailures).toBe(1);
    await world.time.advance(2 * MINUTE);
    expect(newsIn(world.log)).toEqual([
      'the store of pings fails: it refuses what a ping of b came to: NOT NULL constraint failed: ping.at_ms; it is asked again',
    ]);
  });

  it('that fails between a ping and its result has the agent pinged again when the lease has run out', async () => {
    const world = await openWorld({ say: (_, question) => ({ reply: answer(question), tookMs: SECOND }) });
    const { state, broken } = breakable(world.pings);
    const { service } = await world.start({ pings: broken });
    await world.time.advance(500);
    state.isBroken = true;
    await world.time.advance(SECOND);
    state.isBroken = false;
    await world.time.advance(20 * SECOND);
    expect(world.fleet.asked).toHaveLength(1);
    await world.time.advance(20 * SECOND);
    expect(world.fleet.asked).toHaveLength(2);
    expect(await historyOf(world)).toMatchObject([{ sequence: 1, outcome: 'good' }]);
    expect(service.stats().decided.good).toBe(1);
  });
});

function unfit(result: PingResult): PingResult {
  return result.record === undefined ? result : { ...result, record: { ...result.record, atMs: Number.NaN } };
}

describe('a Prometheus', () => {
  const failing = async () => Promise.reject(new QueryError('unreachable', 'connect ECONNREFUSED 127.0.0.1:9090'));

  it.each([
    ['that does not answer leaves it to the agent, with evidence: both', 'both', 'good', 1],
    ['that does not answer leaves nothing to judge, with evidence: prometheus', 'prometheus', 'unobserved', 1],
    ['is not asked, with evidence: agent', 'agent', 'good', 0],
  ] as const)('%s', async (_, evidence, outcome, withoutEvidence) => {
    const world = await openWorld({ policy: { evidence } });
    const { service } = await world.start({ observe: failing });
    await world.time.advance(20 * MINUTE);
    expect((await historyOf(world)).map((record) => record.outcome)).toEqual(['good', outcome]);
    expect(service.stats()).toMatchObject({ withoutEvidence, saveFailures: 0 });
    expect((await storedState(world)).consecutivePoor).toBe(0);
  });

  it('that forgets an agent it has seen leaves it where it is, and that is known after a restart', async () => {
    const seen = { uptime: 1, coverage: 1, watched: 1 };
    const forgotten = { uptime: undefined, coverage: 0, watched: 1 };
    let observed: Sighting = { ...seen, uptime: 0.5 };
    const world = await openWorld({ policy: { evidence: 'both' }, ports: { observe: async () => observed } });
    const { stop } = await world.start();
    await world.time.advance(20 * MINUTE);
    observed = forgotten;
    await stop();
    await world.start();
    await world.time.advance(70 * MINUTE);
    const outcomes = async () =>
      (await historyOf(world)).map(({ outcome, intervalMs }) => [outcome, intervalMs / MINUTE]);
    const left = ['unobserved', 30];
    expect(await outcomes()).toEqual([['good', 15], ['poor', 30], left, left]);
    expect((await historyOf(world)).at(-1)?.evidence?.observed).toEqual({ uptime: undefined, coverage: 0 });
    expect((await storedState(world)).isUnseen).toBe(true);
    observed = seen;
    await world.time.advance(30 * MINUTE);
    expect((await outcomes())[4]).toEqual(['good', 15]);
    expect((await storedState(world)).isUnseen).toBe(false);
  });

  it('that never answers is not waited for', async () => {
    const hanging = (_: unknown, __: unknown, signal: AbortSignal) =>
      new Promise<undefined>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const world = await openWorld({ policy: { evidence: 'both' }, ports: { timing: { evidenceMs: 20 } } });
    const { service, stop } = await world.start({ observe: hanging });
    await world.time.advance(14 * MINUTE + 30 * SECOND);
    while ((await historyOf(world)).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await world.time.advance(SECOND);
    }
    expect((await historyOf(world))[1]).toMatchObject({ outcome: 'good', evidence: { observed: undefined } });
    expect(service.stats().withoutEvidence).toBe(1);
    await stop();
  });

  it('has its word weighed over exactly the span between the two pings', async () => {
    const spans: { fromMs: number; toMs: number }[] = [];
    const world = await openWorld({ policy: { evidence: 'both' } });
    const observe = async (span: { fromMs: number; toMs: number }) => {
      spans.push(span);
      return { uptime: 0.95, coverage: 1 };
    };
    await world.start({ observe });
    await world.time.advance(20 * MINUTE);
    const [one, two] = await historyOf(world);
    expect(spans).toEqual([{ fromMs: one?.atMs, toMs: two?.atMs }]);
    expect(two).toMatchObject({ outcome: 'poor', uptime: 0.95, consecutivePoor: 1 });
  });
});

describe('a bug', () => {
  it('in one ping is told of, and leaves all others alone', async () => {
    const world = await openWorld({ agents: ['a', 'b'] });
    const accessOf = (url: string) => {
      if (url.includes('//a:')) throw new Error('no such origin');
      return undefined;
    };
    await world.start({ accessOf });
    await world.time.advance(MINUTE);
    expect(await historyOf(world, 'b')).toHaveLength(1);
    expect(newsIn(world.log)).toContain('a a ping broke off and is made again: no such origin');
  });
});
