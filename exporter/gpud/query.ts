/** What a client asks GPUd's pages for. Parameters that GPUd does not know are ignored, as GPUd does. */

import type { FieldError, Problem } from '../problem.ts';
import { lookbackMs } from './slowdown.ts';
import { componentNames } from './states.ts';

type Query = Readonly<Record<string, unknown>>;

export type Asked<T> =
  | { readonly kind: 'understood'; readonly value: T }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** `components=a,b`; undefined asks for all that are supported. */
export function readNames({ components = '' }: Query): Asked<readonly string[] | undefined> {
  if (components === '') return { kind: 'understood', value: undefined };
  const names = typeof components === 'string' ? components.split(',') : [String(components)];
  const unknown = names.filter((name) => !componentNames.includes(name));
  if (unknown.length === 0) return { kind: 'understood', value: names.toSorted() };
  const detail = `There is no component ${unknown.join(', ')}; there are ${componentNames.join(', ')}.`;
  return { kind: 'refused', problem: { status: 404, title: 'Component not found', detail } };
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * `startTime` and `endTime`, in seconds since the epoch or as RFC 3339. Without a start, all that is remembered: GPUd would begin
 * now, and so never answer with anything.
 */
export function readSpan({ startTime, endTime }: Query, nowMs: number): Asked<Span> {
  const fromMs = readTime(startTime, nowMs - lookbackMs);
  const toMs = readTime(endTime, nowMs);
  if (fromMs === undefined || toMs === undefined) return refused(timeErrors({ startTime: fromMs, endTime: toMs }));
  return fromMs > toMs ? refused([orderError]) : { kind: 'understood', value: { fromMs, toMs } };
}

function refused(errors: readonly FieldError[]): Asked<Span> {
  const detail = 'The span cannot be understood; each entry of "errors" says what to change.';
  return { kind: 'refused', problem: { status: 400, title: 'Invalid time span', detail, errors } };
}

const orderError: FieldError = {
  field: 'startTime',
  problem: 'later than endTime',
  fix: 'swap the two, or leave endTime out for "until now"',
};

function timeErrors(times: Readonly<Record<string, number | undefined>>): readonly FieldError[] {
  const fix = 'give seconds since the epoch, such as 1767225600, or a time such as 2026-01-01T00:00:00Z';
  return Object.entries(times).flatMap(([field, ms]) =>
    ms === undefined ? [{ field, problem: 'not a time', fix }] : [],
  );
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function readTime(text: unknown, fallbackMs: number): number | undefined {
  if (text === undefined || text === '') return fallbackMs;
  if (typeof text !== 'string') return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  const ms = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
