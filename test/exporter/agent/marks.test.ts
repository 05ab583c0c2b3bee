import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type History, type HistoryEvent, step } from '../../../exporter/agent/history.ts';
import { type Mark, withAnswer } from '../../../exporter/agent/marks.ts';
import { uptimeReport } from '../../../exporter/agent/uptime-report.ts';
import { check, down, historyOf, ping, start, up } from './fixtures.ts';

/** A reader was given 2, came back and was given 4, and stays away for 2000 checks, of which `others` hear. */
function historyWith(others: (seq: number) => readonly HistoryEvent[]): History {
  const [maxSpans, last] = [10, 2004];
  const flapping = (seq: number) => check(seq, seq * 5, seq % 2 === 0 ? up : down);
  const events: HistoryEvent[] = [start(), flapping(1), flapping(2), ping(2), flapping(3), flapping(4), ping(4, 2)];
  for (let seq = 5; seq <= last; seq += 1) events.push(flapping(seq), ...others(seq));
  return historyOf(events, maxSpans);
}

describe('a reader that stays away', () => {
  it.each<[string, (seq: number) => readonly HistoryEvent[]]>([
    ['nobody', () => []],
    ['whoever asks without a cursor', (seq) => [ping(seq)]],
    ['whoever makes cursors up', (seq) => [ping(seq, 3), ping(seq, 1), ping(seq)]],
    ['whoever comes from the beginning each time', (seq) => [ping(seq, 0)]],
    ['whoever comes with the same old cursor each time', (seq) => [ping(seq, 2)]],
    ['another reader, at every check', (seq) => [ping(seq, seq === 5 ? undefined : seq - 1)]],
  ])('is still told exactly what it missed, pushed out by %s', (_, others) => {
    const history = historyWith(others);
    expect(uptimeReport(history, { bootId: 'boot-a', since: 4 })).toMatchObject({
      since: 4,
      continuity: 'complete',
      totals: { checks: 2000, availableChecks: 1000, availableMs: 5_000_000, unavailableMs: 5_000_000 },
    });
    expect(history.marks.length).toBeLessThanOrEqual(512);
  });
});

describe('withAnswer', () => {
  const after = (...answers: readonly (readonly [number, number?])[]) =>
    answers.reduce<readonly Mark[]>((marks, [seq, since]) => withAnswer(marks, seq, since), []);

  it('holds what a reader came with and what it was given, and releases what came before', () => {
    expect(after([1])).toEqual([{ seq: 1, isUsed: false }]);
    expect(after([1], [2, 1])).toEqual([
      { seq: 1, isUsed: true },
      { seq: 2, isUsed: false, answerTo: 1 },
    ]);
    expect(after([1], [2, 1], [3, 2])).toEqual([
      { seq: 1, isUsed: false },
      { seq: 2, isUsed: true },
      { seq: 3, isUsed: false, answerTo: 2 },
    ]);
  });

  it('holds the first and the last of several answers to the same cursor', () => {
    expect(after([1], [2, 1], [3, 1], [4, 1])).toEqual([
      { seq: 1, isUsed: true },
      { seq: 2, isUsed: false, answerTo: 1 },
      { seq: 3, isUsed: false },
      { seq: 4, isUsed: false, answerTo: 1 },
    ]);
  });

  it('forgets the oldest of those that nobody holds', () => {
    const asked = Array.from({ length: 600 }, (_, nth) => [nth + 3] as const);
    const marks = after([1], [2, 1], ...asked);
    expect(marks.map(({ seq }) => seq)).toEqual([1, 2, ...Array.from({ length: 256 }, (_, nth) => 347 + nth)]);
  });

  it('is news a few times for each check at most, however many ask and whatever for', () => {
    const question = fc.record({ isChecked: fc.boolean(), since: fc.option(fc.nat(12), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(question, { maxLength: 400 }), (questions) => {
        let [marks, seq, news]: [readonly Mark[], number, number] = [[], 1, 0];
        for (const { isChecked, since } of questions) {
          if (isChecked && seq < 12) seq += 1;
          const next = withAnswer(marks, seq, since);
          if (next !== marks) news += 1;
          marks = next;
        }
        expect(news).toBeLessThanOrEqual(4 * seq);
      }),
    );
  });
});

describe('a flood of questions', () => {
  it('never changes a total', () => {
    const quiet = historyWith(() => []);
    const flooded = historyWith((seq) => [ping(seq), ping(seq, seq - 1), ping(seq, 0), ping(seq, seq)]);
    const { downtimes: _, ...expected } = uptimeReport(quiet, undefined);
    expect(uptimeReport(flooded, undefined)).toMatchObject(expected);
    expect(step(flooded, ping(2004, 2004), 10)).toBe(flooded);
  });
});
