import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createCollector, initialState, step } from '../../exporter/collector.ts';
import type { Snapshot, Source } from '../../exporter/snapshot.ts';

const snapshotAt = (takenAtMs: number): Snapshot => ({
  takenAtMs,
  driverVersion: undefined,
  gpus: [],
  health: { failures: [] },
});

/** A source that answers when the test says so. */
function manualSource() {
  const reads: { signal: AbortSignal; answer: (snapshot: Snapshot) => void; fail: (error: Error) => void }[] = [];
  const source: Source = {
    read: (signal) => new Promise((answer, fail) => reads.push({ signal, answer, fail })),
    close: async () => undefined,
  };
  return { source, reads };
}

const collectorOf = (source: Source, now = () => 0) => createCollector({ source, intervalMs: 1, timeoutMs: 15, now });

describe('step', () => {
  const read = { kind: 'read', snapshot: snapshotAt(1), durationMs: 2 } as const;
  const failure = { reason: 'timeout', message: 'no answer' } as const;

  it('keeps the last snapshot through a failure, and counts the failure by reason', () => {
    const state = step(step(initialState, read), { kind: 'failed', failure, durationMs: 9 });
    expect(state).toEqual({ snapshot: snapshotAt(1), failure, durationMs: 9, failures: { error: 0, timeout: 1 } });
  });

  it('forgets the failure at the next success, but not that it was counted', () => {
    const state = step(step(initialState, { kind: 'failed', failure, durationMs: 9 }), read);
    expect(state).toEqual({
      snapshot: snapshotAt(1),
      failure: undefined,
      durationMs: 2,
      failures: { error: 0, timeout: 1 },
    });
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
    expect(collector.state()).toEqual({ ...initialState, snapshot: snapshotAt(110), durationMs: 30 });
  });

  it('turns a rejection into a counted failure', async () => {
    const { source, reads } = manualSource();
    const collector = collectorOf(source);
    const round = collector.collect();
    reads[0]?.fail(new Error('driver not loaded'));
    await round;
    const failure = { reason: 'error', message: 'driver not loaded' };
    expect(collector.state()).toEqual({ ...initialState, failure, durationMs: 0, failures: { error: 1, timeout: 0 } });
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
});
