import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventLine, historyLine, restore } from '../../../exporter/agent/checkpoint-lines.ts';
import { emptyHistory, type HistoryEvent } from '../../../exporter/agent/history.ts';
import { check, checks, down, historyOf, ping, start, up } from './fixtures.ts';

const events = [start(), ...checks(1, 0, [up, down, up]), ping(3, 1), start('boot-b'), ...checks(4, 60, [up, down])];
const history = historyOf(events);
const lines = (given: readonly HistoryEvent[]) => given.map(eventLine).join('');
const restored = (text: string) => restore(text, 'agent-1', 10_000);

describe('restore', () => {
  it('gives back the history that the events led to', () => {
    expect(restored(lines(events))).toEqual({ history, damagedLines: 0, otherAgent: undefined });
  });

  it.each(events.map((_, nth) => nth))('does so wherever the file was compacted, as after %i events', (nth) => {
    const text = historyLine('agent-1', historyOf(events.slice(0, nth))) + lines(events.slice(nth));
    expect(restored(text)).toEqual({ history, damagedLines: 0, otherAgent: undefined });
  });

  it('begins anew with an empty file', () => {
    expect(restored('')).toEqual({ history: emptyHistory, damagedLines: 0, otherAgent: undefined });
  });

  it('does without the last line when its end is missing, at whatever byte', () => {
    const text = lines(events);
    const lastLine = text.lastIndexOf('\n', text.length - 2) + 1;
    for (let end = lastLine; end < text.length; end += 1)
      expect(restored(text.slice(0, end))).toEqual({
        history: historyOf(events.slice(0, -1)),
        damagedLines: 0,
        otherAgent: undefined,
      });
  });

  it.each([
    ['text', 'garbage'],
    ['nothing', ''],
    ['JSON of another kind', '{"kind":"other"}'],
    ['a negative number', eventLine(check(5, 20)).trim().replace('"gpus":8', '"gpus":-8')],
    ['a check that was there before', eventLine(check(2, 5)).trim()],
    ['a ping of a check to come', eventLine(ping(99)).trim()],
    ['a history in the middle', historyLine('agent-1', history).trim()],
  ])('counts a line with %s as damaged, and goes on', (_, line) => {
    const [before, later] = [events.slice(0, 4), events.slice(4)];
    expect(restored(`${lines(before)}${line}\n${lines(later)}`)).toEqual({
      history,
      damagedLines: 1,
      otherAgent: undefined,
    });
  });

  it.each([
    ['of a later format', (text: string) => text.replace('"format":1', '"format":2')],
    ['whose entries overlap', (text: string) => text.replace('"fromSeq":2', '"fromSeq":1')],
    ['that ends elsewhere', (text: string) => text.replace('"seq":5', '"seq":6')],
  ])('takes over no history %s, only what comes after it', (_, damage) => {
    const { history: rest, damagedLines } = restored(damage(historyLine('agent-1', history)) + lines([check(6, 70)]));
    expect([rest.seq, rest.spans.length, rest.spans[0]?.totals.lostChecks, damagedLines]).toEqual([6, 1, 5, 1]);
  });

  it('takes over a history of before plain callers were told everything', () => {
    const text = historyLine('agent-1', history).replace('"mostGpus"', '"acknowledgedSeq":3,"mostGpus"');
    expect(restored(text)).toEqual({ history, damagedLines: 0, otherAgent: undefined });
  });

  it('leaves the history of another agent alone, and says whose it is', () => {
    expect(restored(historyLine('agent-2', history))).toEqual({
      history: emptyHistory,
      damagedLines: 0,
      otherAgent: 'agent-2',
    });
  });

  it('never fails, whatever the file holds', () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(...events, historyLine('agent-1', history)).map((event) => JSON.stringify(event)),
      fc
        .tuple(fc.constantFrom(...lines(events).split('\n')), fc.nat(80), fc.string({ maxLength: 3 }))
        .map(([text, at, junk]) => text.slice(0, at) + junk + text.slice(at + junk.length)),
    );
    fc.assert(
      fc.property(fc.array(line), (given) => {
        const { history: read } = restored(given.map((text) => `${text}\n`).join(''));
        expect(read.seq).toBe(read.spans.at(-1)?.toSeq ?? 0);
      }),
    );
  });
});
