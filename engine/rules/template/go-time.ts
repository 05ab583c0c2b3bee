/** Instants as Go's time.Time shows them, always in UTC: fields of the calendar, and layouts such as `2006-01-02 15:04`. */

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

const MS = 1_000_000n;
const DAY_MS = 86_400_000;

/** The calendar of one instant. */
export interface Calendar {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** From 1. */
  readonly yearDay: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
}

export function calendarOf(ns: bigint): Calendar {
  const ms = ns / MS - (ns % MS < 0n ? 1n : 0n);
  const date = new Date(Number(ms));
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    yearDay: Math.floor((Number(ms) - startOfYear(year)) / DAY_MS) + 1,
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond: Number(ns - (ms / 1000n - (ms % 1000n < 0n ? 1n : 0n)) * 1_000_000_000n),
  };
}

/** The instant of a date that may overflow its fields (month 13 is January of the next year), at the time of day of `ns`. */
export function withDate(ns: bigint, { year, month, day }: Pick<Calendar, 'year' | 'month' | 'day'>): bigint {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const { hour, minute, second, nanosecond } = calendarOf(ns);
  const seconds = BigInt(Math.round(date.getTime() / 1000) + hour * 3600 + minute * 60 + second);
  return seconds * 1_000_000_000n + BigInt(nanosecond);
}

/** `2015-06-23 13:19:44.128 +0000 UTC`. */
export function timeText(ns: bigint): string {
  return formatTime(ns, '2006-01-02 15:04:05.999999999 -0700 MST');
}

/** `%#v`: the call of Go that makes the instant. */
export function timeSyntax(ns: bigint): string {
  const { year, month, day, hour, minute, second, nanosecond } = calendarOf(ns);
  const name = MONTHS[month - 1] ?? '';
  return `time.Date(${year}, time.${name}, ${day}, ${hour}, ${minute}, ${second}, ${nanosecond}, time.UTC)`;
}

// Alternatives that begin alike stand longest first.
const PARTS =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|_2006|_2|__2|3|4|5|PM|pm|[-Z]07(?::00:00|0000|:00|00)?|[.,](?:0+|9+)(?!\d)/g;

/** The instant in a layout that shows how Go's reference time, Mon Jan 2 15:04:05 MST 2006, would be written. */
export function formatTime(ns: bigint, layout: string): string {
  const calendar = calendarOf(ns);
  return layout.replace(PARTS, (part) => partText(part, calendar));
}

function partText(part: string, calendar: Calendar): string {
  if (part.startsWith('Z')) return 'Z';
  if (part.startsWith('-')) return part.replace('-07', '+00');
  return PART_TEXTS[part]?.(calendar) ?? fractionText(part, calendar.nanosecond);
}

/** A fraction of a second: zeros stand for all its digits, nines drop trailing zeros. */
function fractionText(part: string, nanosecond: number): string {
  const digits = String(nanosecond)
    .padStart(9, '0')
    .slice(0, part.length - 1);
  const shown = part[1] === '9' ? digits.replace(/0+$/, '') : digits;
  return shown === '' ? '' : `${part[0]}${shown}`;
}

const PART_TEXTS: Readonly<Record<string, (calendar: Calendar) => string>> = {
  January: ({ month }) => MONTHS[month - 1] ?? '',
  Jan: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  '01': ({ month }) => two(month),
  '1': ({ month }) => String(month),
  Monday: ({ weekday }) => WEEKDAYS[weekday] ?? '',
  Mon: ({ weekday }) => (WEEKDAYS[weekday] ?? '').slice(0, 3),
  '02': ({ day }) => two(day),
  _2: ({ day }) => String(day).padStart(2),
  '2': ({ day }) => String(day),
  '002': ({ yearDay }) => String(yearDay).padStart(3, '0'),
  __2: ({ yearDay }) => String(yearDay).padStart(3),
  '15': ({ hour }) => two(hour),
  '03': ({ hour }) => two(hour % 12 || 12),
  '3': ({ hour }) => String(hour % 12 || 12),
  '04': ({ minute }) => two(minute),
  '4': ({ minute }) => String(minute),
  '05': ({ second }) => two(second),
  '5': ({ second }) => String(second),
  '2006': ({ year }) => yearText(year),
  _2006: ({ year }) => `_${yearText(year)}`,
  '06': ({ year }) => two(Math.abs(year) % 100),
  PM: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'),
  pm: ({ hour }) => (hour >= 12 ? 'pm' : 'am'),
  MST: () => 'UTC',
};

function startOfYear(year: number): number {
  const date = new Date(0);
  return date.setUTCFullYear(year, 0, 1);
}

function yearText(year: number): string {
  return year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0');
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
