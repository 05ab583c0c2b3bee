/** Reads numbers as Go's strconv does: whole numbers with a base prefix, and floating-point text. */

const MAX_INT64 = (1n << 63n) - 1n;
const MIN_INT64 = -(1n << 63n);
const MAX_UINT64 = (1n << 64n) - 1n;

export type ParsedFloat =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly reason: 'invalid syntax' | 'value out of range' };

/** A whole number in Go's syntax (`12`, `0x1F`, `0b1`, `0o17`, `017`, `1_000`), within 64 bits; undefined when it is not one. */
export function parseInteger(text: string): { readonly int64?: bigint; readonly uint64?: bigint } {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const magnitude = parseMagnitude(text.slice(sign.length));
  if (magnitude === undefined) return {};
  const value = sign === '-' ? -magnitude : magnitude;
  const isInt64 = value >= MIN_INT64 && value <= MAX_INT64;
  const isUint64 = sign === '' && value <= MAX_UINT64;
  return { ...(isInt64 && { int64: value }), ...(isUint64 && { uint64: value }) };
}

const WHOLE_NUMBER = /^(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|[1-9](?:_?\d)*|0)$/;

function parseMagnitude(text: string): bigint | undefined {
  if (!WHOLE_NUMBER.test(text)) return undefined;
  const digits = text.replaceAll('_', '');
  // JavaScript knows every prefix but the bare 0 of an octal number.
  return BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
}

const DECIMAL = /^[+-]?(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/;
const HEXADECIMAL = /^([+-]?)0[xX]((?:_?[0-9a-fA-F])*)(?:\.([0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?[pP]([+-]?\d(?:_?\d)*)$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;

/** A floating-point number as strconv.ParseFloat reads it, infinities and NaN included. */
export function parseFloat64(text: string): ParsedFloat {
  const infinity = INFINITY.exec(text);
  if (infinity !== null) return { ok: true, value: infinity[1] === '-' ? -Infinity : Infinity };
  if (/^nan$/i.test(text)) return { ok: true, value: Number.NaN };
  const value = DECIMAL.test(text) ? Number(text.replaceAll('_', '')) : parseHexadecimal(text);
  if (value === undefined) return { ok: false, reason: 'invalid syntax' };
  return Number.isFinite(value) ? { ok: true, value } : { ok: false, reason: 'value out of range' };
}

function parseHexadecimal(text: string): number | undefined {
  const match = HEXADECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', power = ''] = match.map((part) => part?.replaceAll('_', ''));
  if (whole === '' && fraction === '') return undefined;
  const value = Number(BigInt(`0x${whole}${fraction}`));
  const exponent = Number(power) - 4 * fraction.length;
  return (sign === '-' ? -1 : 1) * scale(value, exponent);
}

/** `value * 2^exponent` in two steps, because 2^exponent alone may leave the range of doubles. */
function scale(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}
