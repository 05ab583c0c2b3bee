import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Collector, createCollector, initialState, step } from '../../exporter/collector.ts';
import { initialPresence, observe, resumed } from '../../exporter/presence.ts';
import type { Snapshot, Source } from '../../exporter/snapshot.ts';

const snapshotAt = (takenAtMs: number, uuids: readonly string[] = []): Snapshot => ({
  takenAtMs,
  driverVersion: undefined,
  gpus: uuids.map((uuid, index) => ({ index, uuid, pciBusId: '00000000:07:00.0', modelName: 'A100' })),
  health: { failures: [] },
});

type Reads = { signal: AbortSignal; answer: (snapshot: Snapshot) => void; fail: (error: Error) => void }[];

/** A source that answers when the test says so. */
function manualSource() {
  const reads: Reads = [];
  const source: Source = {
    read: (signal) => new Promise((answer, fail) => reads.push({ signal, answer, fail })),
    close: async () => undefined,
  };
  return { source, reads };
}

const collectorOf = (source: Source, now = () => 0) => createCollector({ source, intervalMs: 1, timeoutMs: 15, now });

describe('step', () => {
  const read = { kind: 'read', snapshot: snapshotAt(1), atMs: 3, durationMs: 2 } as const;
  const failure = { reason: 'timeout', message: 'no answer' } as const;
  const failed = { kind: 'failed', failure, atMs: 12, durationMs: 9 } as const;
  const presence = (atMs: number) => ({ ...initialPresence, atMs });

  it('keeps the last snapshot through a failure, and counts the failure by reason', () => {
    const state = step(step(initialState, read), failed);
    const failures = { error: 0, timeout: 1 };
    expect(state).toEqual({ snapshot: snapshotAt(1), failure, durationMs: 9, failures, presence: presence(12) });
  });

  it('forgets the failure at the next success, but not that it was counted', () => {
    const state = step(step(initialState, failed), read);
    expect(state).toEqual({
      snapshot: snapshotAt(1),
      failure: undefined,
      durationMs: 2,
      failures: { error: 0, timeout: 1 },
      presence: presence(3),
    });
  });

  it('takes every round into the presence of the GPUs', () => {
    const found = { ...read, snapshot: snapshotAt(1, ['A']) };
    const { gpus } = step(step(initialState, found), failed).presence;
    expect(gpus.A).toMatchObject({ state: 'unobserved', availableMs: 9 });
  });
});

describe('createCollector', () => {
  it('takes over what the source says, and how long that took', async () => {
    const { source, reads } = manualSource();
    let nowMs = 100;
    const collector = collectorOf(source, () => nowMs);
    const round = collector.collect();
    nowMs = 130;
    reads[0]?.answer(snapshotAt(110));
    await round;
    const presence = { ...initialPresence, atMs: 130 };
    expect(collector.state()).toEqual({ ...initialState, snapshot: snapshotAt(110), durationMs: 30, presence });
  });

  it('turns a rejection into a counted failure', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    const round = collector.collect();
    reads[0]?.fail(new Error('driver not loaded'));
    await round;
    const failure = { reason: 'error', message: 'driver not loaded' };
    expect(collector.state()).toEqual({
      ...initialState,
      failure,
      durationMs: 0,
      failures: { error: 1, timeout: 0 },
      presence: { ...initialPresence, atMs: 0 },
    });
  });

  it('gives up waiting for a wedged source, aborts the read, and does not start a second one beside it', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    await collector.collect();
    await collector.collect();
    expect(reads.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(collector.state()).toMatchObject({ failure: { reason: 'timeout' }, failures: { error: 0, timeout: 2 } });
  });

  it('reads anew once the wedged read has come back, and throws its late answer away', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    await collector.collect();
    reads[0]?.answer(snapshotAt(1));
    await nextTurn();
    expect(collector.state().snapshot).toBeUndefined();
    const round = collector.collect();
    reads[1]?.answer(snapshotAt(2));
    await round;
    expect(collector.state()).toMatchObject({ snapshot: snapshotAt(2), failure: undefined });
  });

  it('reads in the background, never two reads at once, until it is stopped', async () => {
    let underWay = 0;
    let most = 0;
    let count = 0;
    const source: Source = {
      read: async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await nextTurn();
        underWay -= 1;
        count += 1;
        if (count === 5) collector.stop();
        return snapshotAt(count);
      },
      close: async () => undefined,
    };
    const collector = collectorOf(source);
    collector.start();
    await expect.poll(() => collector.state().snapshot?.takenAtMs).toBe(5);
    await nextTurn();
    expect({ most, count }).toEqual({ most: 1, count: 5 });
  });

  it('aborts the read under way when it is stopped', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    collector.start();
    collector.stop();
    expect(reads.map(({ signal }) => signal.aborted)).toEqual([true]);
  });

  it('takes a read that was cut off by stopping for no failure of the source', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    const round = collector.collect();
    collector.stop();
    reads[0]?.fail(new Error('aborted'));
    await round;
    expect(collector.state()).toEqual(initialState);
  });

  it('counts what two callers waited for once', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    const rounds = [collector.collect(), collector.collect()];
    const xids = [{ uuid: 'A', code: 79, atMs: 1 }];
    reads[0]?.answer({ ...snapshotAt(1, ['A']), xids });
    await Promise.all(rounds);
    expect(reads).toHaveLength(1);
    expect(collector.state().presence.gpus.A?.xids).toEqual({ 79: 1 });
  });

  it('goes on from what an earlier exporter knew', async () => {
    const { source, reads } = manualSource();
    const snapshot = snapshotAt(0, ['A']);
    const earlier = observe(initialPresence, { kind: 'read', atMs: 0, snapshot });
    const options = { source, intervalMs: 1, timeoutMs: 15, now: () => 500 };
    const collector = createCollector({ ...options, presence: resumed(earlier, 400) });
    const round = collector.collect();
    reads[0]?.answer(snapshotAt(500));
    await round;
    const { gpus } = collector.state().presence;
    expect(gpus.A).toMatchObject({ state: 'unavailable', reason: 'missing', unobservedMs: 500, availableMs: 0 });
  });

  it('takes pauses for watched that are as long as its interval asks for, and longer ones for unobserved', async () => {
    let nowMs = 0;
    const source: Source = { read: async () => snapshotAt(nowMs, ['A']), close: async () => undefined };
    const collector = createCollector({ source, intervalMs: 300_000, timeoutMs: 5000, now: () => nowMs });
    for (nowMs of [0, 305_000, 10_305_000]) await collector.collect();
    expect(collector.state().presence.gpus.A).toMatchObject({ availableMs: 305_000, unobservedMs: 10_000_000 });
  });
});

describe('firstRound', () => {
  const hasEnded = async (collector: Collector) => {
    const pending = Symbol('pending');
    return (await Promise.race([collector.firstRound(), nextTurn(pending)])) !== pending;
  };

  it.each([
    { what: 'a snapshot', end: (reads: Reads) => reads[0]?.answer(snapshotAt(1)) },
    { what: 'a failure', end: (reads: Reads) => reads[0]?.fail(new Error('no driver')) },
  ])('settles with the first round that came to $what', async ({ end }) => {
    const { source, reads } = manualSource();
    const collector = createCollector({ source, intervalMs: 60_000, timeoutMs: 60_000, now: () => 0 });
    collector.start();
    expect(await hasEnded(collector)).toBe(false);
    end(reads);
    await nextTurn();
    expect(await hasEnded(collector)).toBe(true);
    collector.stop();
  });

  it('settles when there will be no round', async () => {
    const collector = collectorOf(manualSource().source);
    collector.stop();
    expect(await hasEnded(collector)).toBe(true);
  });
});

describe('freshen', () => {
  function onDemand() {
    const world = { nowMs: 1000, reads: 0 };
    const source: Source = {
      read: async () => {
        world.reads += 1;
        return snapshotAt(world.nowMs);
      },
      close: async () => undefined,
    };
    const collector = createCollector({ source, intervalMs: 100, timeoutMs: 1000, now: () => world.nowMs });
    return { world, collector };
  }

  it('reads only where the last round is older than the interval, or lies in the future', async () => {
    const { world, collector } = onDemand();
    const readsAt = async (nowMs: number) => {
      world.nowMs = nowMs;
      await collector.freshen();
      return world.reads;
    };
    expect(await readsAt(1000)).toBe(1);
    expect(await readsAt(1099)).toBe(1);
    expect(await readsAt(1100)).toBe(2);
    expect(await readsAt(500)).toBe(3);
  });

  it('is one round for all who ask at the same time, and gives each its state', async () => {
    const { world, collector } = onDemand();
    const states = await Promise.all([collector.freshen(), collector.freshen(), collector.freshen()]);
    expect(world.reads).toBe(1);
    expect(states.map(({ snapshot }) => snapshot?.takenAtMs)).toEqual([1000, 1000, 1000]);
  });

  it('reads no more after the end', async () => {
    const { world, collector } = onDemand();
    collector.stop();
    expect((await collector.freshen()).snapshot).toBeUndefined();
    expect(world.reads).toBe(0);
  });
});

describe('forget', () => {
  it('forgets a GPU that is gone, and keeps one that is there', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    for (const uuids of [['A', 'B'], ['B']]) {
      const round = collector.collect();
      reads.at(-1)?.answer(snapshotAt(1, uuids));
      await round;
    }
    const answers = ['A', 'B', 'C', 'constructor'].map(collector.forget);
    expect(answers).toEqual(['forgotten', 'present', 'unknown', 'unknown']);
    expect(Object.keys(collector.state().presence.gpus)).toEqual(['B']);
  });
});
