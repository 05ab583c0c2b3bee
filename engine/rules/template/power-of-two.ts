/** `%b` and `%x` of numbers with a fraction: a mantissa and a power of two. `value` is finite and not negative. */
import { splitDouble } from './double.ts';

/** A whole mantissa and its exponent: 1 is `4503599627370496p-52`. */
export function formatBinary(value: number): string {
  const { mantissa, exponent } = splitDouble(value);
  return `${mantissa}p${signed(exponent)}`;
}

/** One hexadecimal digit, a fraction of `precision` digits (as many as needed without one) and an exponent: 10 is `0x1.4p+03`. */
export function formatHexadecimal(value: number, precision: number | undefined): string {
  const { mantissa, exponent } = normalize(value);
  // A fraction of 13 digits holds every bit, so rounding only concerns fewer.
  const cut = precision === undefined || precision >= 13 ? 0 : (13 - precision) * 4;
  const rounded = roundBits(mantissa, cut);
  const hasGrown = rounded >> 53n > 0n;
  const bits = hasGrown ? rounded >> 1n : rounded;
  const all = (bits & ((1n << 52n) - 1n)).toString(16).padStart(13, '0');
  const fraction = precision === undefined ? all.replace(/0+$/, '') : all.slice(0, precision).padEnd(precision, '0');
  const power = signed(exponent + (hasGrown ? 1 : 0), 2);
  return `0x${bits >> 52n}${fraction === '' ? '' : `.${fraction}`}p${power}`;
}

/** The mantissa shifted so that its first bit is the 53rd; the exponent is that of the first bit. */
function normalize(value: number): { mantissa: bigint; exponent: number } {
  if (value === 0) return { mantissa: 0n, exponent: 0 };
  const { mantissa, exponent } = splitDouble(value);
  const missing = 53 - mantissa.toString(2).length;
  return { mantissa: mantissa << BigInt(missing), exponent: exponent + 52 - missing };
}

/** Clears the lowest `cut` bits, rounding to the nearest and a tie to even. */
function roundBits(mantissa: bigint, cut: number): bigint {
  if (cut === 0) return mantissa;
  const unit = 1n << BigInt(cut);
  const rest = mantissa & (unit - 1n);
  const floor = mantissa - rest;
  const isOdd = (floor & unit) !== 0n;
  return rest * 2n > unit || (rest * 2n === unit && isOdd) ? floor + unit : floor;
}

function signed(exponent: number, width = 1): string {
  return `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(width, '0')}`;
}
