/** Every function with every count and type of arguments, and every operator between every two types. */
import { AGGREGATIONS, FUNCTIONS, type PromqlResult } from '../../../engine/promql/functions.ts';

const SAMPLES: Readonly<Record<PromqlResult, string>> = {
  vector: 'up{a="b"}',
  number: '0.5',
  range: 'up[5m]',
  string: '"a"',
};
const TYPES = Object.keys(SAMPLES) as readonly PromqlResult[];

/** Calls of every function: as it takes them, one argument less, one and two more, and each argument of every type. */
export const CALLS: readonly string[] = [...FUNCTIONS].flatMap(([name, { required, optional }]) => {
  const whole = optional === undefined ? required : [...required, optional];
  const more = optional ?? 'number';
  const lists = [
    required,
    required.slice(1),
    required.slice(0, -1),
    [...required, more],
    [...required, more, more],
    ...whole.flatMap((_, index) => TYPES.map((type) => whole.toSpliced(index, 1, type))),
  ];
  return lists.map((types) => call(name, types));
});

/** Aggregations with every type as parameter and as what they aggregate. */
export const AGGREGATED: readonly string[] = [...AGGREGATIONS.keys()].flatMap((name) => [
  call(name, []),
  ...TYPES.flatMap((type) => [call(name, [type]), `${call(name.toUpperCase(), [type])} by (a)`]),
  ...TYPES.flatMap((a) => TYPES.map((b) => `${name} without (a) ${call('', [a, b])}`)),
  call(name, ['number', 'vector', 'vector']),
]);

const OPERATORS = '+ - * / % ^ atan2 == != < <= > >= and or unless'.split(' ');
const MODIFIERS = [
  '',
  'bool',
  'on ()',
  'on (a)',
  'ignoring (a)',
  'bool on (a)',
  'on (a) group_left',
  'ignoring (a) group_right (a)',
  'on (a) group_left (a)',
];

/** Every operator with every modifier between every two types. */
export const OPERATIONS: readonly string[] = OPERATORS.flatMap((operator) =>
  MODIFIERS.flatMap((modifier) =>
    TYPES.flatMap((a) => TYPES.map((b) => `${SAMPLES[a]} ${operator} ${modifier} ${SAMPLES[b]}`)),
  ),
);

/** Signs, ranges, subqueries, offsets and `@` after every type. */
export const MODIFIED: readonly string[] = TYPES.flatMap((type) =>
  [SAMPLES[type], `(${SAMPLES[type]})`].flatMap((base) => [
    `-${base}`,
    ...[
      '[5m]',
      '[5m:]',
      '[5m:1m]',
      ' offset 5m',
      ' @ 1',
      ' @ end()',
      ' offset 5m @ 1',
      ' @ start() offset 5m',
      ' offset 5m [5m]',
    ].map((modifier) => `${base}${modifier}`),
  ]),
);

function call(name: string, types: readonly PromqlResult[]): string {
  return `${name}(${types.map((type) => SAMPLES[type]).join(', ')})`;
}
