/** The methods of times and durations that rule files call, as `($value | toTime).Format "15:04"`. */
import type { FunctionTable, Parameter, TemplateFunction } from './function.ts';
import { text } from './function.ts';
import { formatDuration, roundDuration } from './go-duration.ts';
import { type Calendar, calendarOf, formatTime, timeSyntax, timeText, withDate } from './go-time.ts';
import { isObject, type Value, type Whole, wholeOf } from './value.ts';

/** The methods of an instant. */
export function timeMethods(ns: bigint): FunctionTable {
  const at = () => calendarOf(ns);
  return {
    Unix: whole('int64', () => floorDivide(ns, 1_000_000_000n)),
    UnixMilli: whole('int64', () => floorDivide(ns, 1_000_000n)),
    UnixMicro: whole('int64', () => floorDivide(ns, 1000n)),
    UnixNano: whole('int64', () => BigInt.asIntN(64, ns)),
    Year: simple(() => BigInt(at().year)),
    Month: whole('time.Month', () => BigInt(at().month)),
    Day: simple(() => BigInt(at().day)),
    YearDay: simple(() => BigInt(at().yearDay)),
    Weekday: whole('time.Weekday', () => BigInt(at().weekday)),
    Hour: simple(() => BigInt(at().hour)),
    Minute: simple(() => BigInt(at().minute)),
    Second: simple(() => BigInt(at().second)),
    Nanosecond: simple(() => BigInt(at().nanosecond)),
    Format: { parameters: ['string'], apply: ([layout]) => formatTime(ns, text(layout)) },
    String: simple(() => timeText(ns)),
    GoString: simple(() => timeSyntax(ns)),
    UTC: simple(() => instant(ns)),
    Local: simple(() => instant(ns)),
    In: { parameters: ['*time.Location'], apply: () => instant(ns) },
    Location: simple(() => ({ kind: 'pointer', type: 'time.Location', to: { kind: 'location' } })),
    IsZero: simple(() => false),
    IsDST: simple(() => false),
    Equal: withTime((other) => ns === other),
    Before: withTime((other) => ns < other),
    After: withTime((other) => ns > other),
    Compare: withTime((other) => (ns < other ? -1n : ns > other ? 1n : 0n)),
    Sub: withTime((other) => duration(clamp(ns - other))),
    Add: withDuration((span) => instant(ns + span)),
    Truncate: withDuration((span) => instant(truncate(ns, span))),
    Round: withDuration((span) => instant(round(ns, span))),
    AddDate: { parameters: ['int', 'int', 'int'], apply: (values) => instant(withDate(ns, laterDate(at(), values))) },
    Date: flawed('function Date has 3 return values; should be 1 or 2'),
    Clock: flawed('function Clock has 3 return values; should be 1 or 2'),
    ISOWeek: flawed('invalid function signature for ISOWeek: second return value should be error; is int'),
    Zone: flawed('invalid function signature for Zone: second return value should be error; is int'),
  };
}

/** The methods of a duration. */
export function durationMethods(ns: bigint): FunctionTable {
  return {
    String: simple(() => formatDuration(ns)),
    Hours: simple(() => Number(ns) / 3_600e9),
    Minutes: simple(() => Number(ns) / 60e9),
    Seconds: simple(() => Number(ns) / 1e9),
    Milliseconds: whole('int64', () => ns / 1_000_000n),
    Microseconds: whole('int64', () => ns / 1000n),
    Nanoseconds: whole('int64', () => ns),
    Abs: simple(() => duration(ns < 0n ? clamp(-ns) : ns)),
    Round: withDuration((span) => duration(roundDuration(ns, span))),
    Truncate: withDuration((span) => duration(span <= 0n ? ns : ns - (ns % span))),
  };
}

/** The one method that months, weekdays and locations have. */
export function nameMethods(name: string): FunctionTable {
  return { String: simple(() => name) };
}

// The year 1, from which Go counts when it rounds times.
const ZERO_TIME_NS = -62_135_596_800n * 1_000_000_000n;

function truncate(ns: bigint, span: bigint): bigint {
  return span <= 0n ? ns : ns - ((ns - ZERO_TIME_NS) % span);
}

function round(ns: bigint, span: bigint): bigint {
  if (span <= 0n) return ns;
  const rest = (ns - ZERO_TIME_NS) % span;
  return rest * 2n < span ? ns - rest : ns + span - rest;
}

function laterDate(at: Calendar, [years, months, days]: readonly Value[]): Pick<Calendar, 'year' | 'month' | 'day'> {
  const plus = (base: number, value: Value) => base + Number(wholeOf(value) ?? 0n);
  return { year: plus(at.year, years), month: plus(at.month, months), day: plus(at.day, days) };
}

function simple(apply: () => Value): TemplateFunction {
  return { parameters: [], apply };
}

function whole(type: Whole['type'], value: () => bigint): TemplateFunction {
  return simple(() => ({ kind: 'whole', type, value: value() }));
}

function withTime(apply: (other: bigint) => Value): TemplateFunction {
  return ofOther('time.Time', (value) => apply(isObject(value) && value.kind === 'time' ? value.ns : 0n));
}

function withDuration(apply: (span: bigint) => Value): TemplateFunction {
  return ofOther('time.Duration', (value) => apply(wholeOf(value) ?? 0n));
}

function ofOther(type: Parameter, apply: (value: Value) => Value): TemplateFunction {
  return { parameters: [type], apply: ([value]) => apply(value) };
}

function flawed(flaw: string): TemplateFunction {
  return { parameters: [], flaw, apply: () => undefined };
}

function instant(ns: bigint): Value {
  return { kind: 'time', ns };
}

function duration(ns: bigint): Value {
  return { kind: 'whole', type: 'time.Duration', value: ns };
}

function clamp(ns: bigint): bigint {
  const max = (1n << 63n) - 1n;
  return ns > max ? max : ns < -max - 1n ? -max - 1n : ns;
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value / by - (value % by < 0n ? 1n : 0n);
}
