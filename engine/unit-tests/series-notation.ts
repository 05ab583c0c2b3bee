/** The notation of promtool's unit tests for the samples of a series: `1 2+3x4 _ _x2 stale`. */

/** A number, or `stale` where the series ends; a gap is undefined. */
export type NotedSample = number | 'stale' | undefined;

interface NotationProblem {
  /** UTF-16 offsets into the text. */
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly fix: string;
}

export type Notation =
  | { readonly ok: true; readonly samples: readonly NotedSample[] }
  | { readonly ok: false; readonly problem: NotationProblem };

/** More samples than any test needs; it stops `1x999999999` from filling the memory. */
const MAX_SAMPLES = 1_000_000;

// No hexadecimal: 0x3 is four zeros.
const NUMBER = String.raw`(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF]|[nN][aA][nN])`;
const ITEM = new RegExp(
  `^(?:(?<blank>_)(?:x(?<blanks>\\d+))?|(?<stale>stale)|(?<first>[+-]?${NUMBER})(?:(?<step>[+-]${NUMBER})?x(?<times>\\d+))?)$`,
);

/**
 * Reads the samples of a series, one per interval of the test. `axn` is n + 1 times a, `a+bxn` goes on n times by b, `_xn`
 * leaves n out. Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
 */
export function readNotation(text: string): Notation {
  const samples: NotedSample[] = [];
  const histogram = text.indexOf('{{');
  if (histogram >= 0) return refuse(text, histogram, '{{', 'native histograms are not supported', 'give plain numbers');
  for (const { 0: item, index } of text.matchAll(/\S+/g)) {
    const groups = ITEM.exec(item)?.groups;
    if (groups === undefined) return refuse(text, index, item, `"${item}" is not a sample`, FORMS);
    for (const sample of samplesOf(groups)) samples.push(sample);
    if (samples.length > MAX_SAMPLES) {
      return refuse(text, index, item, `the series has more than ${MAX_SAMPLES} samples`, 'give it fewer');
    }
  }
  return { ok: true, samples };
}

const FORMS = 'write numbers, 1+2x10 (a start, a step, a count), 5x10, _ or _x10 for gaps, stale';

function refuse(text: string, from: number, item: string, message: string, fix: string): Notation {
  return { ok: false, problem: { from, to: Math.min(text.length, from + item.length), message, fix } };
}

function samplesOf(groups: Readonly<Record<string, string | undefined>>): readonly NotedSample[] {
  const { blank, blanks, stale, first = '', step, times } = groups;
  if (blank !== undefined) return repeat(Number(blanks ?? 1), () => undefined);
  if (stale !== undefined) return ['stale'];
  const [start, by] = [readNumber(first), step === undefined ? 0 : readNumber(step)];
  // Added up rather than multiplied, as promtool does: the rounding must be the same.
  let value = start;
  return repeat(times === undefined ? 1 : Number(times) + 1, (i) => {
    if (i > 0) value += by;
    return value;
  });
}

function repeat(times: number, sample: (i: number) => NotedSample): readonly NotedSample[] {
  return Array.from({ length: Math.min(times, MAX_SAMPLES + 1) }, (_, i) => sample(i));
}

function readNumber(text: string): number {
  const [sign, digits] = /^[+-]/.test(text) ? [text[0] === '-' ? -1 : 1, text.slice(1)] : [1, text];
  if (/^inf$/i.test(digits)) return sign * Infinity;
  return /^nan$/i.test(digits) ? Number.NaN : sign * Number(digits);
}
