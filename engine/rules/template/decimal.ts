/** The decimal digits of a double: as few as identify it, or exactly as many as are asked for, ties to even. */
import { splitDouble } from './double.ts';

/** `digits[0].digits[1…] * 10^exponent`; zero is the digit 0 with the exponent 0. */
export interface Decimal {
  readonly digits: string;
  readonly exponent: number;
}

/** Digits up to which JavaScript's own rounding can differ from Go's only where `isPossibleTie` says so. */
const TIE_DIGITS = 14;

/** The fewest digits that read back as `value`, which is finite and not negative. */
export function shortestDigits(value: number): Decimal {
  return split(value.toExponential());
}

/** `value` rounded to `count` significant digits, a tie to the even digit; with no digits it is either 0 or 1 of the next power. */
export function roundedDigits(value: number, count: number): Decimal {
  if (value === 0) return { digits: '0'.repeat(Math.max(1, count)), exponent: 0 };
  const isNative = count >= 1 && count <= TIE_DIGITS;
  if (isNative && !isPossibleTie(value, count)) return split(value.toExponential(count - 1));
  return roundExact(exactDigits(value), count);
}

/** A double that lies halfway at few digits has exactly one digit more, a 5, as its shortest form. */
function isPossibleTie(value: number, count: number): boolean {
  const { digits } = shortestDigits(value);
  return digits.length === count + 1 && digits.endsWith('5');
}

function split(text: string): Decimal {
  const [mantissa = '', exponent] = text.split('e');
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

/** Every digit of the double, which always has finitely many. */
function exactDigits(value: number): Decimal {
  const { mantissa, exponent } = splitDouble(value);
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = whole.toString();
  return { digits, exponent: digits.length - 1 + Math.min(0, exponent) };
}

function roundExact({ digits, exponent }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits: digits.padEnd(count, '0'), exponent };
  const kept = count === 0 ? 0n : BigInt(digits.slice(0, count));
  const isUp = compareToHalf(digits.slice(count)) + (kept % 2n === 1n ? 1 : 0) > 0;
  const rounded = (kept + (isUp ? 1n : 0n)).toString();
  const grew = rounded.length > Math.max(1, count) || (count === 0 && isUp);
  return { digits: grew ? rounded.slice(0, count + 1) : rounded, exponent: grew ? exponent + 1 : exponent };
}

/** 1 above, -1 below and 0 at the half that the cut digits stand for. */
function compareToHalf(cut: string): number {
  const half = '5'.padEnd(cut.length, '0');
  return cut === half ? 0 : cut > half ? 1 : -1;
}
