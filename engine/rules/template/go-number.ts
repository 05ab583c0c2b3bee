/** Numbers as Go's fmt prints them, ties to even included: an alert must read the same here and in Prometheus. */

/** `%v` and `%g`: the shortest digits that read back as the same number. */
export function formatShortest(value: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  const { mantissa, exponent } = splitExponent(value.toExponential());
  // strconv decides as if six digits had been asked for, however many it prints.
  return isPlain(exponent, 6) ? plain(value) : exponential(mantissa, exponent);
}

/** `%.Nf`: exactly `decimals` digits after the point. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  // toFixed gives up at 1e21; such a double is an integer.
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${decimals > 0 ? `.${'0'.repeat(decimals)}` : ''}`;
  return tieToEven(value.toFixed(decimals), value.toFixed(EXACT_DIGITS), EXACT_DIGITS - decimals);
}

/** `%.Ng`: at most `digits` significant digits, trailing zeros cut. */
export function formatSignificant(value: number, digits: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  const nearest = splitExponent(value.toExponential(digits - 1));
  const exact = splitExponent(value.toExponential(EXACT_DIGITS));
  const mantissa =
    nearest.exponent === exact.exponent
      ? tieToEven(nearest.mantissa, exact.mantissa, EXACT_DIGITS - digits + 1)
      : nearest.mantissa;
  const trimmed = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const { exponent } = nearest;
  return isPlain(exponent, digits) ? plain(Number(`${trimmed}e${exponent}`)) : exponential(trimmed, exponent);
}

// toFixed and toExponential are exact up to here, and a tie at the few digits that texts ask for shows well before.
const EXACT_DIGITS = 100;

/**
 * `rounded`, unless the exact digits lie halfway: then JavaScript rounds away from zero and Go to the even digit.
 * `dropped` is how many digits of `exact` the rounding removed.
 */
function tieToEven(rounded: string, exact: string, dropped: number): string {
  if (!/^50*$/.test(exact.slice(-dropped))) return rounded;
  const kept = exact.slice(0, -dropped).replace(/\.$/, '');
  return /[02468]$/.test(kept) ? kept : rounded;
}

function splitExponent(text: string): { mantissa: string; exponent: number } {
  const [mantissa = '', exponent] = text.split('e');
  return { mantissa, exponent: Number(exponent) };
}

function isPlain(exponent: number, digits: number): boolean {
  return exponent >= -4 && exponent < digits;
}

/** JavaScript's own form is the shortest and plain for every number between 1e-6 and 1e21; only -0 loses its sign. */
function plain(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function exponential(mantissa: string, exponent: number): string {
  const sign = exponent < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function formatSpecial(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
