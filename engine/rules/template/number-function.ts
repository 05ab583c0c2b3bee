/** Functions that make numbers readable, or turn them into times. */
import { toInt64 } from './double.ts';
import { parseDuration } from './duration.ts';
import { FunctionError, type FunctionTable, type TemplateFunction, text } from './function.ts';
import { formatShortest, formatSignificant } from './go-number.ts';
import { parseFloat64 } from './go-parse.ts';
import { quote } from './go-quote.ts';
import { timeText } from './go-time.ts';
import { humanize, humanize1024, humanizeDuration, humanizePercentage } from './humanize.ts';
import { isObject, typeName, unwrap, type Value, wholeOf } from './value.ts';

export const NUMBER_FUNCTIONS: FunctionTable = {
  humanize: ofNumber(humanize),
  humanize1024: ofNumber(humanize1024),
  humanizeDuration: ofNumber(humanizeDuration),
  humanizePercentage: ofNumber(humanizePercentage),
  humanizeTimestamp: ofNumber((value) =>
    Number.isFinite(value) ? timeText(instantOf(value)) : formatSignificant(value, 4),
  ),
  toTime: ofNumber((value) => ({ kind: 'pointer', type: 'time.Time', to: { kind: 'time', ns: instantOf(value) } })),
  toDuration: ofNumber((value) => {
    return {
      kind: 'pointer',
      type: 'time.Duration',
      to: { kind: 'whole', type: 'time.Duration', value: toInt64(value * 1e9) },
    };
  }),
  now: { parameters: [], apply: (_, { world }) => world.atMs / 1000 },
  parseDuration: { parameters: ['string'], apply: ([duration]) => secondsOf(text(duration)) },
};

function ofNumber(apply: (value: number) => Value): TemplateFunction {
  return { parameters: ['interface {}'], apply: ([value]) => apply(toNumber(value)) };
}

function toNumber(value: Value): number {
  const held = unwrap(value);
  if (typeof held === 'number') return held;
  if (typeof held === 'bigint') return Number(held);
  if (typeof held === 'string') return readNumber(held);
  if (isObject(held) && held.kind === 'whole' && held.type === 'time.Duration') return Number(held.value) / 1e9;
  const whole = isObject(held) && held.kind === 'whole' && held.type === 'int64' ? wholeOf(held) : undefined;
  if (whole === undefined) throw new FunctionError(`can't convert ${typeName(held)} to float`);
  return Number(whole);
}

function readNumber(written: string): number {
  const parsed = parseFloat64(written);
  if (!parsed.ok) throw new FunctionError(`strconv.ParseFloat: parsing ${quote(written)}: ${parsed.reason}`);
  return parsed.value;
}

/** Nanoseconds of a Unix time in seconds, to the millisecond, as Prometheus keeps times. */
function instantOf(seconds: number): bigint {
  if (!Number.isFinite(seconds)) throw new FunctionError('value is NaN or Inf');
  const ns = seconds * 1e9;
  if (ns > 2 ** 63 || ns < -(2 ** 63)) {
    const reason = 'cannot be represented as a nanoseconds timestamp since it overflows int64';
    throw new FunctionError(`${formatShortest(seconds)} ${reason}`);
  }
  return (toInt64(ns) / 1_000_000n) * 1_000_000n;
}

function secondsOf(duration: string): number {
  const parsed = parseDuration(duration);
  if (!parsed.ok) throw new FunctionError(parsed.reason);
  return Number(parsed.ns) / 1e9;
}
