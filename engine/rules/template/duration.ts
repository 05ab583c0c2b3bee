/** `parseDuration`: Prometheus' durations, which may be negative here, with its texts for those that are none. */
import { quote } from './go-quote.ts';

const SECOND = 1_000_000_000n;
/** From the largest; a duration names each at most once and in this order. */
const UNITS: readonly { readonly name: string; readonly ns: bigint }[] = [
  { name: 'y', ns: 365n * 24n * 3600n * SECOND },
  { name: 'w', ns: 7n * 24n * 3600n * SECOND },
  { name: 'd', ns: 24n * 3600n * SECOND },
  { name: 'h', ns: 3600n * SECOND },
  { name: 'm', ns: 60n * SECOND },
  { name: 's', ns: SECOND },
  { name: 'ms', ns: 1_000_000n },
];
const MAX_NS = (1n << 63n) - 1n;
const MAX_COUNT = (1n << 64n) - 1n;

export type ParsedDuration =
  | { readonly ok: true; readonly ns: bigint }
  | { readonly ok: false; readonly reason: string };

/** Nanoseconds of a duration such as `1h30m` or `-5m`. */
export function parseDuration(text: string): ParsedDuration {
  if (!text.startsWith('-')) return parsePositive(text);
  const parsed = parsePositive(text.slice(1));
  return parsed.ok ? { ok: true, ns: -parsed.ns } : parsed;
}

function parsePositive(text: string): ParsedDuration {
  if (text === '0') return { ok: true, ns: 0n };
  if (text === '') return { ok: false, reason: 'empty duration string' };
  const invalid: ParsedDuration = { ok: false, reason: `not a valid duration string: ${quote(text)}` };
  let ns = 0n;
  let last = -1;
  for (const [, digits = '', name = ''] of text.matchAll(/(\d*)(\D*)/g)) {
    if (digits === '' && name === '') break;
    if (digits === '' || name === '' || BigInt(digits) > MAX_COUNT) return invalid;
    const index = UNITS.findIndex((unit) => unit.name === name);
    if (index === -1) return { ok: false, reason: `unknown unit ${quote(name)} in duration ${quote(text)}` };
    if (index <= last) return invalid;
    last = index;
    ns += BigInt(digits) * (UNITS[index]?.ns ?? 0n);
    if (ns > MAX_NS) return { ok: false, reason: 'duration out of range' };
  }
  return { ok: true, ns };
}
