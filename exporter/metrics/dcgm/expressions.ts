/**
 * The counters that dcgm-exporter makes itself: a fold over the snapshots, and the families it comes to.
 *
 * `DCGM_EXP_XID_ERRORS_COUNT` counts the XIDs of a window, `DCGM_EXP_CLOCK_EVENTS_COUNT` the samples of a window in which the clocks
 * had a reason: it grows with the rate of collection, as dcgm-exporter's does. `_TOTAL` counts since the start, XIDs one by one and
 * reasons as often as they began. A GPU without an XID, or without a single sample, has one series of 0 under `_COUNT`, without the
 * label `xid` or `clock_event`; under `_TOTAL` a series begins with its first event.
 */

import type { GpuSample, Snapshot } from '../../snapshot.ts';
import type { Family, Labels, Series } from '../exposition.ts';
import {
  addClockSample,
  type ClockEventCounts,
  clockEventNames,
  clockEventSamples,
  type EventTotals,
  forgetClockSamples,
  noClockEvents,
} from './clock-events.ts';
import { type DcgmRow, labelsWith } from './labels.ts';
import type { ExpressionField, SelectedExpression } from './selection.ts';
import { addXid, forgetXids, noXids, recentXids, type XidCounts } from './xid-counts.ts';

export interface ExpressionWindows {
  readonly xidWindowMs: number;
  readonly clockEventsWindowMs: number;
}

export interface ExpressionState {
  /** Every GPU that was ever seen, by UUID: totals outlive an absence. */
  readonly gpus: ReadonlyMap<string, GpuEvents>;
  /** When the snapshots of the clock-events window were taken; they are numbered, and `first` is the number of the oldest. */
  readonly samples: { readonly first: number; readonly takenAtMs: readonly number[] };
}

interface GpuEvents {
  readonly xids: XidCounts;
  readonly clocks: ClockEventCounts;
}

export const initialExpressions: ExpressionState = { gpus: new Map(), samples: { first: 0, takenAtMs: [] } };

const nothing: GpuEvents = { xids: noXids, clocks: noClockEvents };

// DCGM keeps 600 s of samples however long the window is; these are 2 hours 46 minutes at one sample per second.
const maxSamples = 10_000;

/** What is known after one more snapshot; each is to be given once. */
export function observeExpressions(
  state: ExpressionState,
  snapshot: Snapshot,
  windows: ExpressionWindows,
): ExpressionState {
  const samples = addSample(state.samples, snapshot.takenAtMs, windows.clockEventsWindowMs);
  const number = samples.first + samples.takenAtMs.length - 1;
  const masks = new Map(snapshot.gpus.map((gpu) => [gpu.uuid, clockMask(gpu)]));
  const gpus = new Map(addXids(state.gpus, snapshot, windows.xidWindowMs));
  for (const uuid of new Set([...gpus.keys(), ...masks.keys()])) {
    const { xids, clocks } = gpus.get(uuid) ?? nothing;
    gpus.set(uuid, {
      xids: forgetXids(xids, snapshot.takenAtMs, windows.xidWindowMs),
      clocks: forgetClockSamples(addClockSample(clocks, { number, mask: masks.get(uuid) }), samples.first),
    });
  }
  return { gpus, samples };
}

function addSample(
  { first, takenAtMs }: ExpressionState['samples'],
  atMs: number,
  windowMs: number,
): ExpressionState['samples'] {
  const times = [...takenAtMs, atMs];
  const inWindow = times.findIndex((time) => time >= atMs - windowMs);
  const dropped = Math.max(inWindow, times.length - maxSamples);
  return { first: first + dropped, takenAtMs: times.slice(dropped) };
}

// All bits set is how drivers write "blank".
function clockMask({ clocksEventReasons: mask }: GpuSample): number | undefined {
  return mask !== undefined && mask >= 0 && mask < 2 ** 32 - 1 ? mask : undefined;
}

function addXids(gpus: ExpressionState['gpus'], { xids = [] }: Snapshot, windowMs: number): ExpressionState['gpus'] {
  const after = new Map(gpus);
  for (const { uuid, ...xid } of xids) {
    if (uuid === undefined) continue;
    const before = after.get(uuid) ?? nothing;
    after.set(uuid, { ...before, xids: addXid(before.xids, xid, windowMs) });
  }
  return after;
}

export interface ExpressionReading extends ExpressionWindows {
  readonly state: ExpressionState;
  readonly expressions: readonly SelectedExpression[];
  /** The end of the windows. */
  readonly atMs: number;
  readonly rows: readonly DcgmRow[];
}

/** One family per expression. Each row of a GPU, be it an instance or a job, has all events of that GPU. */
export function expressionFamilies(reading: ExpressionReading): readonly Family[] {
  return reading.expressions.map(({ field, type, help }) => ({
    name: field,
    type,
    help,
    series: reading.rows.flatMap((row) => seriesOf(field, row, reading)),
  }));
}

function seriesOf(field: ExpressionField, row: DcgmRow, reading: ExpressionReading): readonly Series[] {
  const events = reading.state.gpus.get(row.gpu.uuid) ?? nothing;
  return countsOf(field, events, reading).map(({ labels, value }) => ({
    labels: labelsWith(row, { fields: labels }),
    value,
  }));
}

function countsOf(field: ExpressionField, { xids, clocks }: GpuEvents, reading: ExpressionReading): readonly Series[] {
  const { atMs, xidWindowMs, clockEventsWindowMs } = reading;
  switch (field) {
    case 'DCGM_EXP_XID_ERRORS_TOTAL':
      return byXid(xids.totals);
    case 'DCGM_EXP_CLOCK_EVENTS_TOTAL':
      return byClockEvent(clocks.totals);
    case 'DCGM_EXP_XID_ERRORS_COUNT': {
      const counts = recentXids(xids, atMs, xidWindowMs);
      return inWindow(xidWindowMs, counts.size === 0 ? undefined : byXid(counts));
    }
    case 'DCGM_EXP_CLOCK_EVENTS_COUNT': {
      const counts = recentClockEvents(clocks, reading);
      return inWindow(clockEventsWindowMs, counts && byClockEvent(counts));
    }
  }
}

function recentClockEvents(
  clocks: ClockEventCounts,
  { state: { samples }, atMs, clockEventsWindowMs }: ExpressionReading,
): EventTotals | undefined {
  const older = samples.takenAtMs.findIndex((takenAtMs) => takenAtMs >= atMs - clockEventsWindowMs);
  if (older < 0) return undefined;
  return clockEventSamples(clocks, samples.first + older, samples.first + samples.takenAtMs.length);
}

function byXid(counts: ReadonlyMap<number, number>): readonly Series[] {
  const sorted = [...counts].toSorted(([left], [right]) => left - right);
  return sorted.map(([code, value]) => ({ labels: { xid: String(code) }, value }));
}

function byClockEvent(counts: EventTotals): readonly Series[] {
  return clockEventNames.flatMap((event) => {
    const value = counts[event];
    return value === undefined ? [] : [{ labels: { clock_event: event }, value }];
  });
}

function inWindow(windowMs: number, series: readonly Series[] = [{ labels: {}, value: 0 }]): readonly Series[] {
  const window: Labels = { window_size_in_ms: String(windowMs) };
  return series.map(({ labels, value }) => ({ labels: { ...window, ...labels }, value }));
}
