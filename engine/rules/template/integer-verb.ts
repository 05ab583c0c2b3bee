/** Whole numbers under printf's verbs `%d %b %o %O %x %X %c %q %U`. */
import { type Flags, pad } from './flags.ts';
import { isPrintable, quote } from './go-quote.ts';

const BASES: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

/** The text of the number; undefined when the verb is not for whole numbers. */
export function formatInteger(value: bigint, verb: string, flags: Flags): string | undefined {
  if (verb === 'c') return pad(letterOf(value), flags);
  if (verb === 'q') return pad(quote(letterOf(value), flags.plus, "'"), flags);
  if (verb === 'U') return formatUnicode(value, flags);
  const base = BASES[verb];
  return base === undefined ? undefined : formatBase(value, verb, base, flags);
}

/** What no code point is shows as the replacement character. */
function letterOf(value: bigint): string {
  const isScalar = value >= 0n && value <= 0x10ffffn && (value < 0xd800n || value > 0xdfffn);
  return String.fromCodePoint(isScalar ? Number(value) : 0xfffd);
}

function formatBase(value: bigint, verb: string, base: number, flags: Flags): string {
  const unsigned = value < 0n ? -value : value;
  // A precision of 0 prints nothing for 0, not even a sign; only the width is filled.
  if (flags.precision === 0 && unsigned === 0n) return ' '.repeat(flags.width ?? 0);
  const sign = value < 0n ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  const digits = unsigned.toString(base).padStart(minimumDigits(flags, sign), '0');
  const text = `${sign}${prefixOf(digits, verb, base, flags)}${digits}`;
  return pad(verb === 'X' ? text.toUpperCase() : text, { ...flags, zero: false });
}

/** Zeros may be asked for as a precision, or by filling the width with them; the precision wins. */
function minimumDigits(flags: Flags, sign: string): number {
  if (flags.precision !== undefined) return flags.precision;
  if (!flags.zero || flags.minus || flags.width === undefined) return 0;
  return flags.width - sign.length;
}

function prefixOf(digits: string, verb: string, base: number, flags: Flags): string {
  if (verb === 'O') return '0o';
  if (!flags.sharp) return '';
  if (base === 2) return '0b';
  if (base === 16) return '0x';
  return base === 8 && !digits.startsWith('0') ? '0' : '';
}

function formatUnicode(value: bigint, flags: Flags): string {
  const codePoint = BigInt.asUintN(64, value);
  const digits = codePoint
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, flags.precision ?? 0), '0');
  const isShown = flags.sharp && codePoint <= 0x10ffffn && isPrintable(Number(codePoint));
  const letter = isShown ? ` '${String.fromCodePoint(Number(codePoint))}'` : '';
  return pad(`U+${digits}${letter}`, { ...flags, zero: false });
}
