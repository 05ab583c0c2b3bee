/** How the engine tells its own outages from those of agents. */
import { describe, expect, it } from 'vitest';
import { isSuspect, type RecentPings, stepSuspicion } from '../../../../engine/core/ping/suspicion.ts';
import { NEVER_WATCHED, outageMsIn, stepWatch } from '../../../../engine/core/ping/watch.ts';
import { MINUTE, SECOND } from '../fixtures.ts';
import { HOUR, NOON_MS, pingPolicy } from './fixtures.ts';

const POLICY = pingPolicy().suspect;

const FINDINGS = { '.': 'answered', x: 'lost', o: 'missing' } as const;

/** One ping per character and minute: `.` answered, `x` was lost, `o` never answered. */
function recent(pings: string, everyMs = MINUTE): RecentPings {
  return [...pings].reduce<RecentPings>((known, ping, index) => {
    const finding = FINDINGS[ping as keyof typeof FINDINGS];
    return stepSuspicion(POLICY, known, { atMs: NOON_MS + index * everyMs, finding });
  }, []);
}

function suspects(pings: string, everyMs = MINUTE, sinceMs?: number): boolean {
  return isSuspect(POLICY, recent(pings, everyMs), { sinceMs, nowMs: NOON_MS + (pings.length - 1) * everyMs });
}

describe('isSuspect', () => {
  it.each([
    ['nothing was pinged', '', false],
    ['one dead agent of one', 'x', false],
    ['two of two are too few to say', 'xx', false],
    ['three of three', 'xxx', true],
    ['half is not most', '..xx', false],
    ['most of the window', '..xxx', true],
    ['what is older than the window does not count', 'xxxxx.....', false],
    ['most answer again', 'xxxxx...', false],
    ['URLs that never answered tell nothing while anybody answers', 'ooo.o', false],
    ['so one that is lost beside them is one of two', 'oox.o', false],
    ['they do when nobody answers at all', 'oox', true],
    ['also when they are all there is', 'ooo', true],
  ])('%s', (_, pings, expected) => {
    expect(suspects(pings)).toBe(expected);
  });

  it('sees the outage of a large fleet from within the first confirmation', () => {
    const pings = `${'.'.repeat(1000)}${'x'.repeat(20)}`;
    const lastMs = NOON_MS + (pings.length - 1) * 100;
    expect(suspects(pings, 100)).toBe(false);
    expect(suspects(pings, 100, lastMs - 1900)).toBe(true);
  });

  it('does not take one dead agent among many for an outage', () => {
    const pings = `${'.'.repeat(50)}x${'.'.repeat(50)}`;
    expect(suspects(pings, 100, NOON_MS + 50 * 100)).toBe(false);
  });

  it('does not take two dead agents that are due one after the other for an outage', () => {
    const pings = `${'.'.repeat(50)}xx`;
    expect(suspects(pings, SECOND, NOON_MS + 50 * SECOND)).toBe(false);
  });

  it('remembers a bounded number of pings, and none from the future of a clock that was set back', () => {
    expect(recent('.'.repeat(1500), 1)).toHaveLength(1000);
    const back = stepSuspicion(POLICY, recent('xxxxx'), { atMs: NOON_MS - HOUR, finding: 'answered' });
    expect(back).toEqual([{ atMs: NOON_MS - HOUR, finding: 'answered' }]);
  });
});

describe('stepWatch', () => {
  const WATCH = { toleranceMs: 15 * SECOND, keepMs: 48 * HOUR };
  const watched = (...minutes: readonly number[]) =>
    minutes.reduce((watch, minute) => stepWatch(WATCH, watch, NOON_MS + minute * MINUTE), NEVER_WATCHED);

  it('sees an outage between two signs of life that are too far apart', () => {
    expect(watched(0, 0.25, 0.5, 10.5, 10.75)).toEqual({
      lastMs: NOON_MS + 10.75 * MINUTE,
      outages: [{ fromMs: NOON_MS + 0.5 * MINUTE, untilMs: NOON_MS + 10.5 * MINUTE }],
    });
  });

  it('makes no outage of the first sign of life, nor of a clock that was set back', () => {
    expect(watched(0).outages).toEqual([]);
    expect(watched(60, 0, 0.25).outages).toEqual([]);
  });

  it('forgets what no span reaches back to', () => {
    const later = stepWatch({ ...WATCH, toleranceMs: 100 * HOUR }, watched(0, 10), NOON_MS + 10 * MINUTE + 48 * HOUR);
    expect(later.outages).toEqual([]);
  });

  it.each([
    ['before the outage', -10, 0, 0],
    ['over its beginning', -5, 5, 5],
    ['within it', 2, 3, 1],
    ['around it', -10, 30, 10],
    ['after it', 10, 30, 0],
  ])('outageMsIn: a span %s', (_, from, to, expected) => {
    const watch = watched(0, 10);
    expect(outageMsIn(watch, NOON_MS + from * MINUTE, NOON_MS + to * MINUTE)).toBe(expected * MINUTE);
  });
});
