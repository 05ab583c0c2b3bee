import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monthOf } from '../../../engine/core/calendar-month.ts';
import { keptMaintenanceMs, planMaintenance } from '../../../engine/core/maintenance.ts';
import type { MaintenanceSpan } from '../../../engine/core/maintenance-span.ts';
import type { MaintenancePolicy } from '../../../engine/core/policy.ts';
import { MINUTE, policy } from './fixtures.ts';
import { atTick, maintenancePolicy, matcher, span, TICK_MS } from './silences.ts';

const GPU = { gpu: 'a/0', node: 'a', labels: {} };
const OTHER = { gpu: 'b/0', node: 'b', labels: {} };
const DAY = 24 * 60 * MINUTE;

function calendarOf(spans: readonly MaintenanceSpan[], change: Partial<MaintenancePolicy> = {}) {
  const calendar = planMaintenance(policy({ maintenance: maintenancePolicy(change) }), spans);
  if (calendar === undefined) throw new Error('the policy grants maintenance');
  return calendar;
}

/** `m` maintenance, `b` over budget, `-` neither, by tick. */
function drawn(calendar: ReturnType<typeof calendarOf>, ticks: number, gpu = GPU): string {
  const letters = { excluded: 'm', over_budget: 'b', none: '-' };
  return Array.from({ length: ticks }, (_, tick) => letters[calendar.at(atTick(tick))?.(gpu)?.kind ?? 'none']).join('');
}

describe('planMaintenance', () => {
  it('grants nothing without a policy for it', () => {
    expect(planMaintenance(policy(), [span(0, 5)])).toBeUndefined();
  });

  it.each<[string, readonly MaintenanceSpan[], Partial<MaintenancePolicy>, string]>([
    ['from the first tick up to, not including, the end', [span(2, 5)], {}, '--mmm-----'],
    ['ticks at or after a start off the grid', [span(2, 5, { fromMs: atTick(2) + 1 })], {}, '---mm-----'],
    ['the tick before an end off the grid', [span(2, 5, { toMs: atTick(5) + 1 })], {}, '--mmmm----'],
    ['overlapping spans once', [span(1, 4), span(3, 6, { id: 's2.0' })], { budgetMs: 5 * TICK_MS }, '-mmmmm----'],
    ['up to the budget, and shows the rest', [span(1, 9)], { budgetMs: 3 * TICK_MS }, '-mmmbbbbb-'],
    ['whole ticks of the budget', [span(1, 9)], { budgetMs: 3.9 * TICK_MS }, '-mmmbbbbb-'],
    [
      'one budget over several spans, in order of time',
      [span(6, 9, { id: 's2.0' }), span(1, 3)],
      { budgetMs: 3 * TICK_MS },
      '-mm---mbb-',
    ],
    ['nothing of a span that is empty', [span(4, 4)], {}, '----------'],
    ['nothing that the policy does not take for declared', [span(1, 5, { comment: 'noise' })], {}, '----------'],
    ['nothing of another node', [span(1, 5, { matchers: [matcher('instance=b')] })], {}, '----------'],
  ])('excludes %s', (_, spans, change, expected) => {
    expect(drawn(calendarOf(spans, change), 10)).toBe(expected);
  });

  it('keeps a budget for each node', () => {
    const spans = [span(0, 9, { matchers: [matcher('instance=~a|b')] }), span(0, 4, { id: 's2.0' })];
    const calendar = calendarOf(spans, { budgetMs: 4 * TICK_MS });
    expect([drawn(calendar, 10), drawn(calendar, 10, OTHER)]).toEqual(['mmmmbbbbb-', 'mmmmbbbbb-']);
  });

  it('starts a new budget with the month, also in the middle of a span', () => {
    const { endMs } = monthOf(atTick(0));
    const long = span(0, 0, { fromMs: endMs - 5 * TICK_MS, toMs: endMs + 5 * TICK_MS });
    const calendar = calendarOf([long], { budgetMs: 3 * TICK_MS });
    const kinds = Array.from({ length: 10 }, (_, i) => calendar.at(endMs + (i - 5) * TICK_MS)?.(GPU)?.kind);
    const [m, b] = ['excluded', 'over_budget'];
    expect(kinds).toEqual([m, m, m, b, b, m, m, m, b, b]);
    expect(calendar.spent(GPU, endMs - TICK_MS)).toEqual({ excludedMs: 3 * TICK_MS, overMs: 2 * TICK_MS });
    expect(calendar.spent(GPU, endMs)).toEqual({ excludedMs: TICK_MS, overMs: 0 });
  });

  it('says until when, over the turn of the month and until the budget ends', () => {
    const { endMs } = monthOf(atTick(0));
    const long = span(0, 0, { fromMs: endMs - 2 * TICK_MS, toMs: endMs + 9 * TICK_MS });
    const calendar = calendarOf([long], { budgetMs: 4 * TICK_MS });
    expect(calendar.at(endMs - 2 * TICK_MS)?.(GPU)).toEqual({ kind: 'excluded', untilMs: endMs + 4 * TICK_MS });
    expect(calendar.at(endMs + 4 * TICK_MS)?.(GPU)).toEqual({ kind: 'over_budget', untilMs: endMs + 9 * TICK_MS });
  });

  it('never spends more than the budget, and accounts for every declared tick', () => {
    const spans = fc
      .array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 6 })
      .map((pairs) => pairs.map(([a, b], i) => span(Math.min(a, b), Math.max(a, b), { id: `s${i}.0` })));
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 40 }), (declared, budget) => {
        const calendar = calendarOf(declared, { budgetMs: budget * TICK_MS });
        const picture = drawn(calendar, 51);
        const count = (letter: string) => [...picture].filter((one) => one === letter).length;
        const isDeclared = (tick: number) =>
          declared.some(({ fromMs, toMs }) => fromMs <= atTick(tick) && atTick(tick) < toMs);
        const ticks = Array.from({ length: 51 }, (_, tick) => tick).filter(isDeclared);
        expect([...picture].flatMap((letter, tick) => (letter === '-' ? [] : [tick]))).toEqual(ticks);
        expect(count('m')).toBe(Math.min(budget, ticks.length));
        expect(calendar.spent(GPU, atTick(50))).toEqual({
          excludedMs: count('m') * TICK_MS,
          overMs: count('b') * TICK_MS,
        });
      }),
    );
  });
});

describe('monthOf', () => {
  it('agrees with the calendar of the system, leap days included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 * DAY }), (atMs) => {
        const date = new Date(atMs);
        const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
        expect(monthOf(atMs)).toEqual({ startMs: Date.UTC(year, month), endMs: Date.UTC(year, month + 1) });
      }),
    );
  });

  it.each(['2024-02-29T23:59:59Z', '2023-02-28T00:00:00Z', '2026-12-31T23:59:59Z', '2000-02-29T12:00:00Z'])(
    '%s',
    (text) => {
      const date = new Date(text);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      expect(monthOf(date.getTime())).toEqual({ startMs: Date.UTC(year, month), endMs: Date.UTC(year, month + 1) });
    },
  );
});

describe('keptMaintenanceMs', () => {
  it('covers the backfill and the month that its first tick is in', () => {
    expect(keptMaintenanceMs(policy({ backfillMs: 4 * 60 * MINUTE }))).toBe(31 * DAY + 4 * 60 * MINUTE);
  });
});
