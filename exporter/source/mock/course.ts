/** Random events that come at a known rate: how many there have been by an instant, and when each of them came. */

import type { Card } from './card.ts';
import { type Influence, ofKind, type Span } from './effects.ts';
import { stream, unit } from './seed.ts';

/** One event falls somewhere in each stretch in which one is expected, so that a count needs no walk through the past. */
export interface Course {
  /** How many events are expected by an instant of scenario time; never falls. */
  readonly expectedBy: (atMs: number) => number;
  /** The instant by which so many are expected; Infinity when that never comes. */
  readonly expectedAt: (count: number) => number;
  /** Where in its stretch the nth event falls, in [0, 1). */
  readonly jitter: (nth: number) => number;
}

export interface MemoryErrors {
  readonly correctable: readonly Course[];
  readonly uncorrectable: readonly Course[];
}

const noErrors: MemoryErrors = { correctable: [], uncorrectable: [] };
const hourMs = 3_600_000;

/** How many events there have been by an instant. */
export function countBy({ expectedBy, jitter }: Course, atMs: number): number {
  const expected = expectedBy(atMs);
  const nth = Math.floor(expected);
  return nth + (expected - nth >= jitter(nth) ? 1 : 0);
}

/** How many events of several courses there were within `span`; one that counts from 0 counts from the beginning. */
export function countWithin(courses: readonly Course[], { fromMs, untilMs }: Span): number {
  return countAll(courses, untilMs) - (fromMs > 0 ? countAll(courses, fromMs) : 0);
}

function countAll(courses: readonly Course[], atMs: number): number {
  return courses.reduce((sum, course) => sum + countBy(course, atMs), 0);
}

/** When the nth event (from 0) came. */
export function instantOf({ expectedAt, jitter }: Course, nth: number): number {
  return expectedAt(nth + jitter(nth));
}

/** The memory errors that every card with ECC has. */
export function everydayErrors(card: Card): MemoryErrors {
  const { hasEcc, hoursBetween, hoursBeforeFirstDbe } = card.profile;
  if (!hasEcc) return noErrors;
  const uncorrectable = { periodMs: hoursBetween.dbe * hourMs, startMs: hoursBeforeFirstDbe * hourMs };
  return {
    correctable: [steady(card, stream.sbe, { periodMs: hoursBetween.sbe * hourMs, startMs: 0 })],
    uncorrectable: [steady(card, stream.dbe, uncorrectable)],
  };
}

/** The memory errors that faults and behaviours add. */
export function addedErrors(card: Card, influences: readonly Influence[]): MemoryErrors {
  if (!card.profile.hasEcc) return noErrors;
  return {
    correctable: stormsOf(card, influences, stream.stormSbe, 'correctablePerHour'),
    uncorrectable: stormsOf(card, influences, stream.stormDbe, 'uncorrectablePerHour'),
  };
}

/** PCIe replays of a card. */
export function pcieReplays(card: Card): Course {
  return steady(card, stream.replay, { periodMs: card.profile.hoursBetween.pcieReplay * hourMs, startMs: 0 });
}

function steady(
  { seed, index }: Card,
  use: number,
  { periodMs, startMs }: { periodMs: number; startMs: number },
): Course {
  return {
    expectedBy: (atMs) => Math.max(0, (atMs - startMs) / periodMs),
    expectedAt: (count) => startMs + count * periodMs,
    jitter: (nth) => unit(seed, use, index, nth),
  };
}

type Rate = 'correctablePerHour' | 'uncorrectablePerHour';

function stormsOf(card: Card, influences: readonly Influence[], use: number, rate: Rate): readonly Course[] {
  return ofKind(influences, 'errors')
    .filter(({ effect }) => effect[rate] > 0)
    .map(({ effect, fromMs, untilMs, id }) => {
      const growth = { perHour: effect[rate], growsEveryHours: effect.growsEveryHours };
      return {
        expectedBy: (atMs) => expectedAfter(growth, Math.max(0, Math.min(atMs, untilMs) - fromMs) / hourMs),
        expectedAt: (count) => within(fromMs + hoursUntil(growth, count) * hourMs, untilMs),
        jitter: (nth) => unit(card.seed, use, card.index, id, nth),
      };
    });
}

interface Growth {
  readonly perHour: number;
  readonly growsEveryHours: number;
}

// The integral of perHour * (1 + hours / growsEveryHours).
function expectedAfter({ perHour, growsEveryHours }: Growth, hours: number): number {
  return perHour * (hours + hours ** 2 / (2 * growsEveryHours));
}

// Its inverse: the positive root of the square.
function hoursUntil({ perHour, growsEveryHours }: Growth, count: number): number {
  const hours = count / perHour;
  if (!Number.isFinite(growsEveryHours)) return hours;
  return growsEveryHours * (Math.sqrt(1 + (2 * hours) / growsEveryHours) - 1);
}

function within(atMs: number, untilMs: number): number {
  return atMs <= untilMs ? atMs : Number.POSITIVE_INFINITY;
}
