/** Memory errors and what they leave behind: counters, remapped rows and XIDs. */

import type { GpuReadings } from '../../readings.ts';
import type { Card } from './card.ts';
import { addedErrors, type Course, countBy, countWithin, everydayErrors, instantOf } from './course.ts';
import { type Influence, ofKind, type Span } from './effects.ts';
import { spansOffTheBus } from './flapping.ts';
import type { Scene } from './scene.ts';

/** An XID at an instant of scenario time. */
export interface RaisedXid {
  readonly atMs: number;
  readonly code: number;
}

const xid = { doubleBitError: 48, offTheBus: 79 } as const;

/** How many correctable errors of a storm end in a remapped row. */
const errorsPerRow = 256;
const recoveryAction = { none: 0, reset: 1 } as const;
// A flapping GPU drops out at least once in this time.
const longestPauseMs = 40 * 60_000;

/** Counters of the driver count from when they began, those of the card from its making. */
export function errorReadings({ card, influences, span }: Scene): GpuReadings {
  const lastXid = lastXidWithin(card, influences, span)?.code ?? 0;
  if (!card.profile.hasEcc) return { lastXid, eccMode: 0 };
  const life = { fromMs: 0, untilMs: span.untilMs };
  const everyday = everydayErrors(card);
  const added = addedErrors(card, influences);
  const correctable = [...everyday.correctable, ...added.correctable];
  const uncorrectable = [...everyday.uncorrectable, ...added.uncorrectable];
  const dbeVolatile = countWithin(uncorrectable, span) + brokenRows(influences, span);
  const dbeAggregate = countWithin(uncorrectable, life) + brokenRows(influences, life);
  return {
    lastXid,
    eccMode: 1,
    eccSbeVolatile: countWithin(correctable, span),
    eccDbeVolatile: dbeVolatile,
    eccSbeAggregate: card.sbeBefore + countWithin(correctable, life),
    eccDbeAggregate: dbeAggregate,
    // Each uncorrectable error costs a row at once; correctable ones only where they pile up.
    uncorrectableRemappedRows: dbeAggregate,
    correctableRemappedRows: Math.floor(countWithin(added.correctable, life) / errorsPerRow),
    rowRemapFailure: 0,
    rowRemapPending: dbeVolatile > 0 ? 1 : 0,
    recoveryAction: dbeVolatile > 0 ? recoveryAction.reset : recoveryAction.none,
  };
}

/** After `afterMs`, and at `toMs` or before it. */
export interface Reading {
  readonly afterMs: number;
  readonly toMs: number;
}

/** The XIDs of faults and behaviours. */
export function addedXids(
  card: Card,
  influences: readonly Influence[],
  { afterMs, toMs }: Reading,
): readonly RaisedXid[] {
  const flaps = flapsWithin(card, influences, { fromMs: Math.max(0, afterMs), untilMs: toMs + 1 });
  const single = [...singleXids(card, influences), ...flaps].filter(({ atMs }) => afterMs < atMs && atMs <= toMs);
  return [...single, ...errorXids(addedErrors(card, influences).uncorrectable, { afterMs, toMs })];
}

/** The XIDs that even a healthy card raises in the course of the years. */
export function everydayXids(card: Card, reading: Reading): readonly RaisedXid[] {
  return errorXids(everydayErrors(card).uncorrectable, reading);
}

function errorXids(courses: readonly Course[], { afterMs, toMs }: Reading): readonly RaisedXid[] {
  return courses.flatMap((course) => {
    const first = countBy(course, afterMs);
    const instants = Array.from({ length: countBy(course, toMs) - first }, (_, nth) => instantOf(course, first + nth));
    // Instant and count are computed in different ways, so that the last may lie a rounding error too late.
    return instants.map((atMs) => ({ atMs: Math.min(atMs, toMs), code: xid.doubleBitError }));
  });
}

function lastXidWithin(card: Card, influences: readonly Influence[], { fromMs, untilMs }: Span): RaisedXid | undefined {
  const courses = [...everydayErrors(card).uncorrectable, ...addedErrors(card, influences).uncorrectable];
  const errors = courses.flatMap((course) => {
    const count = countBy(course, untilMs);
    return count === 0 ? [] : { atMs: instantOf(course, count - 1), code: xid.doubleBitError };
  });
  const recently = { fromMs: Math.max(0, untilMs - longestPauseMs), untilMs: untilMs + 1 };
  const raised = [...errors, ...singleXids(card, influences), ...flapsWithin(card, influences, recently)];
  const known = raised.filter(({ atMs }) => fromMs <= atMs && atMs <= untilMs);
  return known.toSorted((one, other) => one.atMs - other.atMs).at(-1);
}

function singleXids({ profile }: Card, influences: readonly Influence[]): readonly RaisedXid[] {
  const given = ofKind(influences, 'xid').map(({ effect, fromMs }) => ({ atMs: fromMs, code: effect.code }));
  const fallen = ofKind(influences, 'gone').map(({ fromMs }) => ({ atMs: fromMs, code: xid.offTheBus }));
  const broken = profile.hasEcc ? ofKind(influences, 'broken-row') : [];
  return [...given, ...fallen, ...broken.map(({ fromMs }) => ({ atMs: fromMs, code: xid.doubleBitError }))];
}

function flapsWithin(card: Card, influences: readonly Influence[], span: Span): readonly RaisedXid[] {
  const spans = ofKind(influences, 'flapping').flatMap((influence) => spansOffTheBus(card, influence, span));
  return spans.map(({ fromMs }) => ({ atMs: fromMs, code: xid.offTheBus }));
}

function brokenRows(influences: readonly Influence[], { fromMs, untilMs }: Span): number {
  return ofKind(influences, 'broken-row').filter((broken) => fromMs <= broken.fromMs && broken.fromMs <= untilMs)
    .length;
}
