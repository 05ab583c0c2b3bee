import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { observedUptime, ticksWithin } from '../../../../engine/core/ping/ticks.ts';
import { MINUTE } from '../fixtures.ts';
import { HOUR } from './fixtures.ts';

const GRID = { intervalMs: 5000, settleMs: 2000 };

describe('ticksWithin', () => {
  it.each([
    ['from tick to tick', 0, 15_000, { lastMs: 10_000, ticks: 2, stepMs: 5000 }],
    ['up to a tick that has just settled', 0, 17_000, { lastMs: 15_000, ticks: 3, stepMs: 5000 }],
    ['from just before a tick', 4999, 17_000, { lastMs: 15_000, ticks: 3, stepMs: 5000 }],
    ['from just after a tick', 5001, 17_000, { lastMs: 15_000, ticks: 2, stepMs: 5000 }],
    ['without a tick', 5000, 11_999, undefined],
    ['without time', 5000, 5000, undefined],
    ['backwards', 50_000, 5000, undefined],
    ['of a day', 0, 24 * HOUR, { lastMs: 24 * HOUR - 5000, ticks: 17_279, stepMs: 5000 }],
    ['of more than 20,000 ticks', 0, 28 * HOUR, { lastMs: 28 * HOUR - 10_000, ticks: 10_079, stepMs: 10_000 }],
    ['of a month', 0, 720 * HOUR, { lastMs: 720 * HOUR - 60_000, ticks: 19_938, stepMs: 130_000 }],
  ])('%s', (_, fromMs, toMs, expected) => {
    expect(ticksWithin(GRID, { fromMs, toMs })).toEqual(expected);
  });

  it('shares no tick with the span before, and leaves none out that has settled', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 0, max: HOUR }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(cuts, (list) => {
        const instants = list.toSorted((a, b) => a - b);
        const seen = instants.flatMap((toMs, index) => {
          const fromMs = instants[index - 1];
          const span = fromMs === undefined ? undefined : ticksWithin(GRID, { fromMs, toMs });
          return span === undefined ? [] : Array.from({ length: span.ticks }, (_, i) => span.lastMs - i * span.stepMs);
        });
        expect(new Set(seen).size).toBe(seen.length);
        const unsettled = (atMs: number) => instants.some((cut) => atMs <= cut && atMs > cut - GRID.settleMs);
        const missing = Array.from({ length: HOUR / 5000 }, (_, i) => i * 5000).filter(
          (atMs) => atMs > (instants[0] ?? 0) && atMs <= (instants.at(-1) ?? 0) && !seen.includes(atMs),
        );
        expect(missing.filter((atMs) => !unsettled(atMs))).toEqual([]);
      }),
    );
  });
});

describe('observedUptime', () => {
  it.each([
    ['no GPU', [], 180, { uptime: undefined, coverage: 0 }],
    ['a GPU that nobody watched', [{ up: 0, down: 0 }], 180, { uptime: undefined, coverage: 0 }],
    ['a GPU that was there', [{ up: 180, down: 0 }], 180, { uptime: 1, coverage: 1 }],
    ['a GPU that was watched for half of the time', [{ up: 81, down: 9 }], 180, { uptime: 0.9, coverage: 0.5 }],
    [
      'GPUs of a node, which weigh alike',
      [
        { up: 180, down: 0 },
        { up: 0, down: 180 },
        { up: 90, down: 0 },
      ],
      180,
      { uptime: 0.6, coverage: 450 / 540 },
    ],
  ])('of %s', (_, gpus, ticks, expected) => {
    expect(observedUptime(gpus, ticks)).toEqual(expected);
  });

  it('is of whole ticks: a quarter of an hour at 5 s is 180', () => {
    expect(ticksWithin(GRID, { fromMs: 3, toMs: 15 * MINUTE + 2003 })?.ticks).toBe(180);
  });
});
