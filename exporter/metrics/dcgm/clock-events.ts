/**
 * Why the clocks of one GPU were held down, sample by sample: in how many samples of a window each reason was there, and how often
 * it began since the start. A fold over the samples, which are numbered in the order in which they were taken.
 */

import { clockEventBits } from '../../clock-event-bits.ts';

type ClockEvent = keyof typeof clockEventBits;

const bits = Object.entries(clockEventBits) as readonly (readonly [ClockEvent, number])[];

/** In the order of their bits. */
export const clockEventNames: readonly ClockEvent[] = bits.map(([event]) => event);

/** Reasons that were never there are left out. */
export type EventTotals = Readonly<Partial<Record<ClockEvent, number>>>;

export interface ClockEventCounts {
  /** Stretches of samples with the same mask, the newest last; the last one lasts until now. */
  readonly runs: readonly Run[];
  /** The mask of the last sample that had one. */
  readonly mask: number | undefined;
  /** How often each reason began, since the start. */
  readonly totals: EventTotals;
}

interface Run {
  /** Number of its first sample. */
  readonly from: number;
  /** Undefined where the GPU could not say. */
  readonly mask: number | undefined;
}

export const noClockEvents: ClockEventCounts = { runs: [], mask: undefined, totals: {} };

/** The counts after sample `number`. Reasons that are there in the first sample of a GPU did not begin in it. */
export function addClockSample(
  counts: ClockEventCounts,
  { number, mask }: { readonly number: number; readonly mask: number | undefined },
): ClockEventCounts {
  const last = counts.runs.at(-1);
  const runs = last !== undefined && last.mask === mask ? counts.runs : [...counts.runs, { from: number, mask }];
  if (mask === undefined) return { ...counts, runs };
  const begun = counts.mask === undefined ? [] : eventsIn(mask & ~counts.mask);
  return { runs, mask, totals: begun.reduce((totals, event) => plus(totals, event, 1), counts.totals) };
}

/** Drops runs that ended before sample `first`. */
export function forgetClockSamples(counts: ClockEventCounts, first: number): ClockEventCounts {
  const keep = counts.runs.findLastIndex(({ from }) => from <= first);
  return keep > 0 ? { ...counts, runs: counts.runs.slice(keep) } : counts;
}

/** In how many samples from `first` up to, not including, `end` each reason was there; undefined when none of them had a mask. */
export function clockEventSamples({ runs }: ClockEventCounts, first: number, end: number): EventTotals | undefined {
  let counts: EventTotals | undefined;
  for (const [nth, { from, mask }] of runs.entries()) {
    const samples = Math.min(runs[nth + 1]?.from ?? end, end) - Math.max(from, first);
    if (mask === undefined || samples <= 0) continue;
    counts = eventsIn(mask).reduce((totals, event) => plus(totals, event, samples), counts ?? {});
  }
  return counts;
}

function eventsIn(mask: number): readonly ClockEvent[] {
  return bits.filter(([, bit]) => (mask & bit) !== 0).map(([event]) => event);
}

function plus(totals: EventTotals, event: ClockEvent, count: number): EventTotals {
  return { ...totals, [event]: (totals[event] ?? 0) + count };
}
