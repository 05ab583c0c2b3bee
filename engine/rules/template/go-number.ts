/** Floating-point numbers as Go's strconv and fmt print them, ties to even included: an alert must read as in Prometheus. */
import { roundedDigits, shortestDigits } from './decimal.ts';
import { formatBinary, formatHexadecimal } from './power-of-two.ts';

/** The forms of `%e %E %f %g %G %b %x %X`. */
export type FloatForm = 'e' | 'E' | 'f' | 'g' | 'G' | 'b' | 'x' | 'X';

/** `value` in the given form; without a precision, as many digits as it takes to read back the same number. */
export function formatFloat(value: number, form: FloatForm, precision?: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + formatMagnitude(Math.abs(value), form, precision);
}

/** `%v` and `%g`: the shortest digits that read back as the same number. */
export function formatShortest(value: number): string {
  // JavaScript and Go agree on whole numbers that are written without an exponent.
  if (Number.isInteger(value) && Math.abs(value) < 1e6 && !Object.is(value, -0)) return String(value);
  return formatFloat(value, 'g');
}

/** `%.Nf`: exactly `decimals` digits after the point. */
export function formatFixed(value: number, decimals: number): string {
  return formatFloat(value, 'f', decimals);
}

/** `%.Ng`: at most `digits` significant digits, trailing zeros cut. */
export function formatSignificant(value: number, digits: number): string {
  return formatFloat(value, 'g', digits);
}

function formatMagnitude(value: number, form: FloatForm, precision: number | undefined): string {
  switch (form) {
    case 'e':
    case 'E':
      return exponential(digitsFor(value, precision === undefined ? undefined : precision + 1), precision, form);
    case 'f':
      return fixed(value, precision);
    case 'g':
    case 'G':
      return general(value, precision, form);
    case 'b':
      return formatBinary(value);
    case 'x':
    case 'X': {
      const text = formatHexadecimal(value, precision);
      return form === 'X' ? text.toUpperCase() : text;
    }
  }
}

/** Significant digits, and the power of ten of the first one. */
interface Digits {
  readonly digits: string;
  readonly exponent: number;
}

function digitsFor(value: number, count: number | undefined): Digits {
  return count === undefined ? shortestDigits(value) : roundedDigits(value, count);
}

function fixed(value: number, precision: number | undefined): string {
  const shortest = shortestDigits(value);
  if (precision === undefined) return plain(shortest, Math.max(0, shortest.digits.length - shortest.exponent - 1));
  const count = shortest.exponent + 1 + precision;
  return plain(count < 0 ? { digits: '0', exponent: 0 } : roundedDigits(value, count), precision);
}

function general(value: number, precision: number | undefined, form: 'g' | 'G'): string {
  const found = digitsFor(value, precision === undefined ? undefined : Math.max(1, precision));
  const digits = found.digits.replace(/0+$/, '') || '0';
  // strconv decides as if six digits had been asked for, however many the shortest form has.
  const bound = precision === undefined ? 6 : Math.max(1, precision);
  const isPlain = found.exponent >= -4 && found.exponent < bound;
  if (isPlain) return plain({ ...found, digits }, Math.max(0, digits.length - found.exponent - 1));
  return exponential({ ...found, digits }, digits.length - 1, form === 'g' ? 'e' : 'E');
}

function exponential({ digits, exponent }: Digits, precision: number | undefined, letter: string): string {
  const decimals = precision ?? digits.length - 1;
  const fraction = decimals > 0 ? `.${digits.slice(1).padEnd(decimals, '0')}` : '';
  const sign = exponent < 0 ? '-' : '+';
  return `${digits[0]}${fraction}${letter}${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plain({ digits, exponent }: Digits, decimals: number): string {
  const whole = exponent < 0 ? '0' : digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  if (decimals === 0) return whole;
  const fraction = exponent < 0 ? '0'.repeat(-exponent - 1) + digits : digits.slice(exponent + 1);
  return `${whole}.${fraction.padEnd(decimals, '0').slice(0, decimals)}`;
}

function formatSpecial(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
