import { describe, expect, it } from 'vitest';
import { step } from '../../../exporter/agent/history.ts';
import { noTotals } from '../../../exporter/agent/span.ts';
import { check, checks, down, historyOf, ping, start, up, wallZeroMs } from './fixtures.ts';

describe('step', () => {
  it('keeps like checks as one entry, and the time they vouch for', () => {
    const history = historyOf([start(), ...checks(1, 100, [up, up, up, down, down])]);
    expect(history).toMatchObject({ seq: 5, mostGpus: 8, boots: [{ id: 'boot-a', firstSeq: 1 }] });
    expect(history.spans).toEqual([
      {
        fromSeq: 1,
        toSeq: 3,
        fromMs: wallZeroMs + 100_000,
        toMs: wallZeroMs + 110_000,
        finding: up,
        totals: { ...noTotals, checks: 3, availableChecks: 3, availableMs: 10_000 },
      },
      {
        fromSeq: 4,
        toSeq: 5,
        fromMs: wallZeroMs + 115_000,
        toMs: wallZeroMs + 120_000,
        finding: down,
        totals: { ...noTotals, checks: 2, unavailableMs: 10_000 },
      },
    ]);
  });

  it.each([
    ['a check on time vouches for the time before it', 5, { availableMs: 5000, gapMs: 0, missedChecks: 0 }],
    ['so does one that is a little late', 7.5, { availableMs: 7500, gapMs: 0, missedChecks: 0 }],
    ['a stopped process leaves a gap', 60, { availableMs: 0, gapMs: 60_000, missedChecks: 11 }],
  ])('%s', (_, seconds, expected) => {
    const history = historyOf([start(), check(1, 0), check(2, seconds)]);
    const [last] = history.spans.slice(-1);
    expect({
      ...noTotals,
      ...expected,
      checks: last?.totals.checks,
      availableChecks: last?.totals.availableChecks,
    }).toEqual(last?.totals);
  });

  it('never counts the time between two processes as up, however short it was', () => {
    const history = historyOf([start(), check(1, 0), start('boot-b'), check(2, 3)]);
    expect(history.spans.at(-1)?.totals).toEqual({ ...noTotals, checks: 1, availableChecks: 1, gapMs: 3000 });
    expect(history.boots).toEqual([
      { id: 'boot-a', firstSeq: 1 },
      { id: 'boot-b', firstSeq: 2 },
    ]);
  });

  it.each([
    ['forward', 90_000],
    ['back', -90_000],
  ])('does not notice when the wall clock is set %s', (_, wallSecond) => {
    const history = historyOf([start(), check(1, 0), check(2, 5, up, { wallSecond })]);
    expect(history.spans.at(-1)?.totals).toMatchObject({ checks: 2, availableMs: 5000, gapMs: 0 });
  });

  it.each([
    ['measures a reboot of the machine by the wall clock', { wallSecond: 400, epoch: 'machine-2' }, 400_000],
    ['and never as less than nothing', { wallSecond: -400, epoch: 'machine-2' }, 0],
    ['also where the machine does not say that it was booted', { wallSecond: 400, epoch: 'machine-1' }, 400_000],
  ])('%s', (_, clocks, gapMs) => {
    const history = historyOf([
      start(),
      check(1, 50, up, { wallSecond: 0 }),
      start('boot-b'),
      check(2, 10, up, clocks),
    ]);
    expect(history.spans.at(-1)?.totals.gapMs).toBe(gapMs);
  });

  it('begins an entry where a reader was told to come back to, and only there', () => {
    const history = historyOf([start(), ...checks(1, 0, [up, up]), ping(2), ...checks(3, 10, [up, up])]);
    expect(history.spans.map(({ fromSeq, toSeq }) => [fromSeq, toSeq])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('counts checks whose records were lost, and ends the entry there', () => {
    const history = historyOf([start(), check(1, 0), check(4, 15)]);
    expect(history.spans.at(-1)).toMatchObject({
      fromSeq: 4,
      totals: { checks: 1, lostChecks: 2, missedChecks: 0, gapMs: 15_000 },
    });
  });

  it('says by identity that a ping is no news', () => {
    const history = historyOf([start(), check(1, 0), check(2, 5), ping(2, 1)]);
    expect(step(history, ping(2, 1), 10)).toBe(history);
    expect(step(history, ping(2), 10)).toBe(history);
    expect(step(history, ping(2, 2), 10)).not.toBe(history);
  });

  it('marks nothing for a number that nobody was given', () => {
    const history = historyOf([start(), ...checks(1, 0, [up, up, up]), ping(3)]);
    expect(step(history, ping(3, 2), 10)).toBe(history);
  });
});

describe('folding', () => {
  const flapping = Array.from({ length: 20 }, (_, nth) => (nth % 2 === 0 ? up : down));

  it('keeps totals of the oldest entries, and the newest ones apart', () => {
    const { spans } = historyOf([start(), ...checks(1, 0, flapping)], 5);
    expect(spans.map(({ fromSeq, toSeq }) => [fromSeq, toSeq])).toEqual([
      [1, 16],
      [17, 17],
      [18, 18],
      [19, 19],
      [20, 20],
    ]);
    expect(spans[0]).toMatchObject({
      finding: undefined,
      totals: { checks: 16, availableChecks: 8, availableMs: 35_000, unavailableMs: 40_000 },
    });
  });

  it('never folds across a number that a reader may come back with', () => {
    const events = [start(), ...checks(1, 0, flapping.slice(0, 7)), ping(7), ...checks(8, 35, flapping.slice(7))];
    expect(historyOf(events, 5).spans.map(({ toSeq }) => toSeq)).toEqual([7, 17, 18, 19, 20]);
  });

  it('first joins what loses nothing by it', () => {
    const asked = Array.from({ length: 400 }, (_, nth) => [check(nth + 1, nth * 5), ping(nth + 1)]).flat();
    const { spans, marks } = historyOf([start(), ...asked, ...checks(401, 2000, flapping)], 260);
    expect(marks.filter(({ isUsed }) => !isUsed)).toHaveLength(256);
    expect(spans[0]).toMatchObject({ fromSeq: 1, toSeq: 145, finding: up });
  });
});
