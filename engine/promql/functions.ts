/** Every function and aggregation of Prometheus 2.42 to 3.14: what it takes and what it yields. */

/** What an expression yields. Only a vector carries labels, so only a vector has a value per series. */
export type PromqlResult = 'vector' | 'range' | 'number' | 'string';

export interface FunctionSignature {
  readonly required: readonly PromqlResult[];
  /** What may follow: one more, or any number where `isEndless`. */
  readonly optional?: PromqlResult;
  readonly isEndless: boolean;
  readonly result: PromqlResult;
  /** Refused unless the server was started with a feature flag. */
  readonly isExperimental: boolean;
  readonly since?: string;
  readonly until?: string;
}

interface Traits {
  readonly result?: PromqlResult;
  readonly isExperimental?: boolean;
  readonly since?: string;
  readonly until?: string;
}

/** `args` names the types in order; a `?` marks one that may be left out, a `*` any number of them. */
function takes(args: string, traits: Traits = {}): FunctionSignature {
  const names = args.split(' ').filter((name) => name !== '');
  const optional = names.find((name) => /[?*]$/.test(name));
  const bare = (name: string) => name.replace(/[?*]$/, '') as PromqlResult;
  return {
    required: names.filter((name) => name !== optional).map(bare),
    ...(optional === undefined ? {} : { optional: bare(optional) }),
    isEndless: optional?.endsWith('*') ?? false,
    result: 'vector',
    isExperimental: false,
    ...traits,
  };
}

const EXPERIMENTAL: Traits = { isExperimental: true };
const EXPERIMENTAL_NUMBER: Traits = { isExperimental: true, result: 'number' };

const TABLE = {
  abs: takes('vector'),
  absent: takes('vector'),
  absent_over_time: takes('range'),
  acos: takes('vector'),
  acosh: takes('vector'),
  asin: takes('vector'),
  asinh: takes('vector'),
  atan: takes('vector'),
  atanh: takes('vector'),
  avg_over_time: takes('range'),
  ceil: takes('vector'),
  changes: takes('range'),
  clamp: takes('vector number number'),
  clamp_max: takes('vector number'),
  clamp_min: takes('vector number'),
  cos: takes('vector'),
  cosh: takes('vector'),
  count_over_time: takes('range'),
  day_of_month: takes('vector?'),
  day_of_week: takes('vector?'),
  day_of_year: takes('vector?'),
  days_in_month: takes('vector?'),
  deg: takes('vector'),
  delta: takes('range'),
  deriv: takes('range'),
  double_exponential_smoothing: takes('range number number', EXPERIMENTAL),
  end: takes('', EXPERIMENTAL_NUMBER),
  exp: takes('vector'),
  first_over_time: takes('range', { since: '3.14' }),
  floor: takes('vector'),
  histogram_avg: takes('vector', { since: '2.51' }),
  histogram_count: takes('vector'),
  histogram_fraction: takes('number number vector'),
  histogram_quantile: takes('number vector'),
  histogram_quantiles: takes('vector string number number*', EXPERIMENTAL),
  histogram_stddev: takes('vector', { since: '2.47' }),
  histogram_stdvar: takes('vector', { since: '2.47' }),
  histogram_sum: takes('vector'),
  holt_winters: takes('range number number', { until: '3.0' }),
  hour: takes('vector?'),
  idelta: takes('range'),
  increase: takes('range'),
  info: takes('vector vector?', EXPERIMENTAL),
  irate: takes('range'),
  label_join: takes('vector string string string*'),
  label_replace: takes('vector string string string string'),
  last_over_time: takes('range'),
  ln: takes('vector'),
  log10: takes('vector'),
  log2: takes('vector'),
  mad_over_time: takes('range', EXPERIMENTAL),
  max_of: takes('number number', EXPERIMENTAL_NUMBER),
  max_over_time: takes('range'),
  min_of: takes('number number', EXPERIMENTAL_NUMBER),
  min_over_time: takes('range'),
  minute: takes('vector?'),
  month: takes('vector?'),
  pi: takes('', { result: 'number' }),
  predict_linear: takes('range number'),
  present_over_time: takes('range'),
  quantile_over_time: takes('number range'),
  rad: takes('vector'),
  range: takes('', EXPERIMENTAL_NUMBER),
  rate: takes('range'),
  resets: takes('range'),
  round: takes('vector number?'),
  scalar: takes('vector', { result: 'number' }),
  sgn: takes('vector'),
  sin: takes('vector'),
  sinh: takes('vector'),
  sort: takes('vector'),
  sort_by_label: takes('vector string*', EXPERIMENTAL),
  sort_by_label_desc: takes('vector string*', EXPERIMENTAL),
  sort_desc: takes('vector'),
  sqrt: takes('vector'),
  start: takes('', EXPERIMENTAL_NUMBER),
  start_timestamp: takes('vector', EXPERIMENTAL),
  stddev_over_time: takes('range'),
  stdvar_over_time: takes('range'),
  step: takes('', EXPERIMENTAL_NUMBER),
  sum_over_time: takes('range'),
  tan: takes('vector'),
  tanh: takes('vector'),
  time: takes('', { result: 'number' }),
  timestamp: takes('vector'),
  ts_of_first_over_time: takes('range', EXPERIMENTAL),
  ts_of_last_over_time: takes('range', EXPERIMENTAL),
  ts_of_max_over_time: takes('range', EXPERIMENTAL),
  ts_of_min_over_time: takes('range', EXPERIMENTAL),
  vector: takes('number'),
  year: takes('vector?'),
} satisfies Record<string, FunctionSignature>;

/** By name; names are case-sensitive. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSignature> = new Map(Object.entries(TABLE));

export interface AggregationSignature {
  /** The type of the parameter before the vector, for those that take one. */
  readonly parameter?: PromqlResult;
  readonly isExperimental?: boolean;
}

/** By name in lower case: aggregations are keywords, and keywords ignore case. */
export const AGGREGATIONS: ReadonlyMap<string, AggregationSignature> = new Map<string, AggregationSignature>([
  ['avg', {}],
  ['bottomk', { parameter: 'number' }],
  ['count', {}],
  ['count_values', { parameter: 'string' }],
  ['group', {}],
  ['limit_ratio', { parameter: 'number', isExperimental: true }],
  ['limitk', { parameter: 'number', isExperimental: true }],
  ['max', {}],
  ['min', {}],
  ['quantile', { parameter: 'number' }],
  ['stddev', {}],
  ['stdvar', {}],
  ['sum', {}],
  ['topk', { parameter: 'number' }],
]);
