import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spanOf } from '../../../../engine/core/ping/judge.ts';
import { observedUptime, ticksWithin } from '../../../../engine/core/ping/ticks.ts';
import { latestSettledTick } from '../../../../engine/core/tick.ts';
import { MINUTE } from '../fixtures.ts';
import { HOUR, pingPolicy, play, UP } from './fixtures.ts';

const GRID = { intervalMs: 5000, settleMs: 2000 };

describe('ticksWithin', () => {
  it.each([
    ['from tick to tick', 5000, 20_000, { lastMs: 15_000, ticks: 3, stepMs: 5000 }],
    ['up to a tick that has just settled', 5000, 17_000, { lastMs: 15_000, ticks: 3, stepMs: 5000 }],
    ['from just before a tick has settled', 6999, 17_000, { lastMs: 15_000, ticks: 3, stepMs: 5000 }],
    ['from when a tick has just settled', 7000, 17_000, { lastMs: 15_000, ticks: 2, stepMs: 5000 }],
    ['without a tick', 7000, 11_999, undefined],
    ['without time', 5000, 5000, undefined],
    ['backwards', 50_000, 5000, undefined],
    ['of a day', 0, 24 * HOUR, { lastMs: 24 * HOUR - 5000, ticks: 17_280, stepMs: 5000 }],
    ['of more than 20,000 ticks', 0, 28 * HOUR, { lastMs: 28 * HOUR - 10_000, ticks: 10_080, stepMs: 10_000 }],
    ['of a month', 0, 720 * HOUR, { lastMs: 720 * HOUR - 60_000, ticks: 19_939, stepMs: 130_000 }],
  ])('%s', (_, fromMs, toMs, expected) => {
    expect(ticksWithin(GRID, { fromMs, toMs })).toEqual(expected);
  });

  it('has every tick of spans which follow one another in exactly one of them', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 0, max: HOUR }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(cuts, (list) => {
        const instants = list.toSorted((a, b) => a - b);
        const seen = instants.flatMap((toMs, index) => {
          const fromMs = instants[index - 1];
          const span = fromMs === undefined ? undefined : ticksWithin(GRID, { fromMs, toMs });
          return span === undefined
            ? []
            : Array.from({ length: span.ticks }, (_, i) => span.lastMs - (span.ticks - 1 - i) * span.stepMs);
        });
        const [first = 0, last = 0] = [instants[0], instants.at(-1)];
        const settled = Array.from({ length: HOUR / 5000 + 1 }, (_, i) => i * 5000).filter((tickMs) => {
          const settledMs = tickMs + GRID.settleMs;
          return settledMs > first && settledMs <= last;
        });
        expect(seen).toEqual(settled);
      }),
    );
  });
});

describe('a long run of pings', () => {
  it('is about every tick since the first of them, once', () => {
    const delays = fc.array(fc.nat({ max: 4 * MINUTE }), { minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(delays, (list) => {
        let state = play(pingPolicy(), [UP]).state;
        const firstMs = state.lastPingAtMs ?? 0;
        const seen = list.flatMap((delayMs) => {
          const atMs = state.nextDueAtMs + delayMs;
          const span = spanOf(pingPolicy(), state, atMs);
          const ticks = span && ticksWithin(GRID, span);
          state = play(pingPolicy(), [{ reply: UP, atMs }], state).state;
          return ticks === undefined ? [] : [ticks];
        });
        const ends = [latestSettledTick(firstMs, GRID.intervalMs, GRID.settleMs), ...seen.map(({ lastMs }) => lastMs)];
        expect(seen.map(({ ticks, stepMs }) => ticks * stepMs)).toEqual(
          ends.slice(1).map((endMs, at) => endMs - (ends[at] ?? 0)),
        );
        const lastMs = latestSettledTick(state.lastPingAtMs ?? 0, GRID.intervalMs, GRID.settleMs);
        expect(ends.at(-1)).toBe(lastMs);
      }),
      { numRuns: 20 },
    );
  });
});

describe('observedUptime', () => {
  it.each([
    ['no GPU', [], 180, { uptime: undefined, coverage: 0, watched: 0.5 }],
    ['a GPU that nobody watched', [{ up: 0, down: 0 }], 180, { uptime: undefined, coverage: 0, watched: 0.5 }],
    ['a GPU that was there', [{ up: 180, down: 0 }], 180, { uptime: 1, coverage: 1, watched: 0.5 }],
    [
      'a GPU that was watched for half of the time',
      [{ up: 81, down: 9 }],
      180,
      { uptime: 0.9, coverage: 0.5, watched: 0.5 },
    ],
    [
      'GPUs of a node, which weigh alike',
      [
        { up: 180, down: 0 },
        { up: 0, down: 180 },
        { up: 90, down: 0 },
      ],
      180,
      { uptime: 0.6, coverage: 450 / 540, watched: 0.5 },
    ],
  ])('of %s', (_, gpus, ticks, expected) => {
    expect(observedUptime({ gpus, watched: 90 }, ticks)).toEqual(expected);
  });

  it('is of whole ticks: a quarter of an hour at 5 s is 180', () => {
    expect(ticksWithin(GRID, { fromMs: 3, toMs: 15 * MINUTE + 3 })?.ticks).toBe(180);
  });
});
