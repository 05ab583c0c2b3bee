/** Expressions that are valid by construction, and the same with one token dropped, doubled, swapped or replaced. */
import fc from 'fast-check';

/** What an expression yields; every production below keeps to it. */
interface Level {
  readonly vector: string;
  readonly number: string;
  readonly range: string;
}

const METRIC = fc.constantFrom('up', 'node:cpu:rate5m', 'errors_total', 'offset', 'sum', 'by', 'start', 'and', 'rate');
const LABEL = fc.constantFrom('job', 'instance', 'on', 'without_x', 'le', 'group_left');
const VALUE = fc.constantFrom(
  '"a"',
  "'a'",
  '`a`',
  '"a\\nb"',
  '"\\x41\\u00e9\\101"',
  '"µ"',
  '".+"',
  '"a|b"',
  '"[0-9]{2}"',
);
const DURATION = fc.constantFrom('5m', '1h30m', '1d', '500ms', '1y', '2w');
const NUMBER = fc.constantFrom('1', '0.5', '.5', '1e3', '1.', '0x1F', '017', 'Inf', 'nan');
const MATCHER = fc
  .tuple(LABEL, fc.constantFrom('=', '!=', '=~', '!~'), VALUE)
  .map(([label, op, value]) => `${label}${op}${value}`);
const MATCHERS = fc.array(MATCHER, { maxLength: 2 }).map((list) => (list.length === 0 ? '' : `{${list.join(', ')}}`));
const SELECTOR = fc.tuple(METRIC, MATCHERS).map(([metric, matchers]) => `${metric}${matchers}`);
const LABELS = fc
  .array(fc.constantFrom('job', 'instance', 'le', 'sum', 'on'), { maxLength: 2 })
  .map((list) => `(${list.join(', ')})`);
const MODIFIER = fc.constantFrom(
  '',
  '',
  ' offset 5m',
  ' offset -1h',
  ' @ 1700000000',
  ' @ end()',
  ' offset 1m @ start()',
);
const OVER_RANGE = fc.constantFrom(
  'rate',
  'increase',
  'irate',
  'max_over_time',
  'changes',
  'deriv',
  'absent_over_time',
);
const OVER_VECTOR = fc.constantFrom('abs', 'ceil', 'absent', 'sort_desc', 'timestamp', 'hour', 'round', 'ln', 'sgn');
const AGGREGATION = fc.constantFrom('sum', 'MAX', 'count', 'stddev', 'group', 'avg');
const ARITHMETIC = fc.constantFrom('+', '-', '*', '/', '%', '^', 'atan2');
const COMPARISON = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');

const { vector } = fc.letrec<Level>((tie) => ({
  number: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'promql' },
    NUMBER,
    fc.constantFrom('time()', 'pi()'),
    fc.tuple(tie('number'), ARITHMETIC, tie('number')).map(([a, op, b]) => `${a} ${op} ${b}`),
    fc.tuple(tie('number'), COMPARISON, tie('number')).map(([a, op, b]) => `(${a}) ${op} bool (${b})`),
    tie('number').map((inner) => `-(${inner})`),
    tie('vector').map((inner) => `scalar(${inner})`),
  ),
  range: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'promql' },
    fc
      .tuple(SELECTOR, DURATION, MODIFIER)
      .map(([selector, duration, modifier]) => `${selector}[${duration}]${modifier}`),
    fc
      .tuple(tie('vector'), DURATION, fc.constantFrom('', '1m'), MODIFIER)
      .map(([inner, range, step, modifier]) => `(${inner})[${range}:${step}]${modifier}`),
  ),
  vector: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'promql' },
    fc.tuple(SELECTOR, MODIFIER).map(([selector, modifier]) => `${selector}${modifier}`),
    fc.tuple(OVER_RANGE, tie('range')).map(([name, inner]) => `${name}(${inner})`),
    fc.tuple(OVER_VECTOR, tie('vector')).map(([name, inner]) => `${name}(${inner})`),
    fc.tuple(AGGREGATION, LABELS, tie('vector')).map(([name, labels, inner]) => `${name} by ${labels} (${inner})`),
    fc.tuple(AGGREGATION, LABELS, tie('vector')).map(([name, labels, inner]) => `${name}(${inner}) without ${labels}`),
    fc.tuple(tie('number'), tie('vector')).map(([count, inner]) => `topk(${count}, ${inner})`),
    fc.tuple(tie('number'), tie('range')).map(([share, inner]) => `quantile_over_time(${share}, ${inner})`),
    fc.tuple(tie('vector'), ARITHMETIC, tie('number')).map(([a, op, b]) => `${a} ${op} ${b}`),
    fc.tuple(tie('vector'), COMPARISON, tie('vector')).map(([a, op, b]) => `(${a}) ${op} bool (${b})`),
    fc
      .tuple(tie('vector'), fc.constantFrom('and', 'OR', 'unless'), LABELS, tie('vector'))
      .map(([a, op, labels, b]) => `${a} ${op} on ${labels} ${b}`),
    fc
      .tuple(tie('vector'), ARITHMETIC, tie('vector'))
      .map(([a, op, b]) => `(${a}) ${op} ignoring (le) group_left (x) (${b})`),
    tie('vector').map((inner) => `label_replace(${inner}, "a", "$1", "job", "(.*)")`),
    tie('vector').map((inner) => `-${inner} # why\n`),
    tie('number').map((inner) => `vector(${inner})`),
  ),
}));

const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*|[\w.:]+|[=!<>]=|[=!]~|\s+|./gs;
/** Tokens that every release treats alike wherever they stand; a number in brackets would be a duration of 3.x. */
const POOL = [
  'up',
  '(',
  ')',
  '{',
  '}',
  ',',
  'by',
  'on',
  'bool',
  'sum',
  'offset',
  '==',
  '+',
  'and',
  '5m]',
  '[5m]',
  '"x"',
  '=~',
  '@',
  'rate',
  ':',
];

type Change = readonly [kind: 'drop' | 'double' | 'swap' | 'replace', place: number, token: string];

const CHANGE = fc.tuple(
  fc.constantFrom('drop' as const, 'double' as const, 'swap' as const, 'replace' as const),
  fc.nat({ max: 1000 }),
  fc.constantFrom(...POOL),
);

function changed(expr: string, [kind, place, token]: Change): string {
  const tokens = expr.match(TOKEN) ?? [];
  const at = place % Math.max(1, tokens.length);
  const chosen = tokens[at] ?? '';
  if (kind === 'drop') tokens.splice(at, 1);
  if (kind === 'double') tokens.splice(at, 0, chosen);
  if (kind === 'swap') tokens.splice(at, 2, tokens[at + 1] ?? '', chosen);
  if (kind === 'replace') tokens.splice(at, 1, token);
  return tokens.join('');
}

/** Expressions that Prometheus accepts. */
export const VALID_EXPRESSION = vector;

/** Expressions that Prometheus mostly refuses. */
export const CHANGED_EXPRESSION = fc
  .tuple(vector, fc.array(CHANGE, { minLength: 1, maxLength: 3 }))
  .map(([expr, changes]) => changes.reduce(changed, expr));
