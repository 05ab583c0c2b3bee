/** Number and duration literals as Prometheus reads them. A duration is a number of seconds. */

export type NumberValue =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly message: string; readonly fix: string };

const DECIMAL = /^(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/;
const HEXADECIMAL = /^0[xX](?:_?[0-9a-fA-F]+)+$/;
const OCTAL = /^0(?:_?[0-7]+)+$/;
const MAX_INT64 = (1n << 63n) - 1n;

const NOT_A_NUMBER = 'write a number such as 1, 0.5, 1e9 or 0x1F, or a duration such as 5m';

/** A number: decimal, hexadecimal, or octal when it starts with 0; `_` may separate digits. */
export function readNumber(text: string): NumberValue {
  const digits = text.replaceAll('_', '');
  if (HEXADECIMAL.test(text)) return readHexadecimal(text, BigInt(digits));
  if (OCTAL.test(text)) return { ok: true, value: Number.parseInt(digits, 8) };
  if (!DECIMAL.test(text)) return { ok: false, message: `"${text}" is not a number or a duration`, fix: NOT_A_NUMBER };
  const value = Number(digits);
  if (Number.isFinite(value)) return { ok: true, value };
  return { ok: false, message: `${text} is too large for a number`, fix: 'write Inf, or a smaller number' };
}

function readHexadecimal(text: string, value: bigint): NumberValue {
  if (value <= MAX_INT64) return { ok: true, value: Number(value) };
  return { ok: false, message: `${text} is too large for a number`, fix: 'write it as a decimal number' };
}

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNIT_MS = [365n * 86_400_000n, 7n * 86_400_000n, 86_400_000n, 3_600_000n, 60_000n, 1000n, 1n];

/** A duration such as `1h30m`, in seconds: units from years to milliseconds, each once, the largest first. */
export function readDuration(text: string): NumberValue {
  const counts = DURATION.exec(text)?.slice(1);
  if (counts === undefined) {
    const fix = 'write whole numbers with the units y, w, d, h, m, s and ms, each once and the largest first: 1h30m';
    return { ok: false, message: `"${text}" is not a duration`, fix };
  }
  const ms = UNIT_MS.reduce((sum, unit, index) => sum + unit * BigInt(counts[index] ?? 0), 0n);
  if (ms * 1_000_000n <= MAX_INT64) return { ok: true, value: Number(ms) / 1000 };
  return { ok: false, message: `${text} is too long`, fix: LONGEST };
}

const LONGEST = 'use less than 292 years';
const MAX_SECONDS = 2 ** 63 / 1e9;

/** What is wrong with a number of seconds used as a duration; undefined when it is none too long. */
export function durationRangeError(seconds: number): { readonly message: string; readonly fix: string } | undefined {
  if (Math.abs(seconds) <= MAX_SECONDS || Number.isNaN(seconds)) return undefined;
  return { message: 'the duration is too long', fix: LONGEST };
}
