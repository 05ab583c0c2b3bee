/** Where the releases of Prometheus differ: the verdicts of 2.42, of 3.5 and of 3.14. */
type Verdicts = readonly [v242: boolean, v35: boolean, v314: boolean];

const SINCE_3: Verdicts = [false, true, true];
const SINCE_314: Verdicts = [false, false, true];

export const DIFFERENCES: readonly (readonly [expr: string, accepted: Verdicts])[] = [
  ...['1_000', '0x_1F', '5m', 'up > 5m', 'vector(1h)', 'up @ 5m', 'up @ 1_0', '1e1_0'].map(
    (expr) => [expr, SINCE_3] as const,
  ),
  ...[
    'up[300]',
    'up[0x10]',
    'up[1e3:0.5]',
    'up offset 300',
    'up offset NaN',
    'up offset 0s',
    'up offset 0s offset 5m',
  ].map((expr) => [expr, SINCE_3] as const),
  ...['up[+5m]', 'up[--5m]', 'up offset +5m', 'up offset --5m'].map((expr) => [expr, SINCE_3] as const),
  ...[
    '{"up"}',
    '{"a.b"="c"}',
    '{"up", "job"="a"}',
    '{"\\xff"}',
    'sum by ("a.b") (up)',
    'up * on ("a b") up',
    'sum by (a:b) (up)',
  ].map((expr) => [expr, SINCE_3] as const),
  ...['histogram_avg(up)', 'histogram_stddev(up)', 'histogram_stdvar(up)'].map((expr) => [expr, SINCE_3] as const),
  ...['up{a=~"(?<n>x)"}', 'up{a=~"\\xff"}', 'up{a=~`\\Qa`}'].map((expr) => [expr, SINCE_3] as const),
  ...[
    'first_over_time(up[5m])',
    'up </ 5',
    'up >/ up',
    'up offset -(5m)',
    'up[5m + 1m]',
    'up[(5m)]',
    'up[step()]',
    'up[2 * STEP():range()]',
  ].map((expr) => [expr, SINCE_314] as const),
  ...[
    'up[max_of(1m, step())]',
    'up offset (5m * 2)',
    'up offset -step()',
    'up offset step() + up',
    'up offset step() [5m]',
    'up[5m - 5m]',
  ].map((expr) => [expr, SINCE_314] as const),
  ['holt_winters(up[5m], 0.5, 0.5)', [true, false, false]],
];

/** Slips of single releases that the check does not follow; `isAccepted` is its own verdict. */
export const SLIPS: readonly { readonly expr: string; readonly isAccepted: boolean; readonly accepted: Verdicts }[] = [
  // Before 3.14 any letter in brackets is read as the colon of a subquery.
  { expr: 'up[5m x 5m]', isAccepted: false, accepted: [true, true, false] },
  // From 2.54 on an e as the second hexadecimal digit is read as an exponent, and must not be the last character.
  { expr: '0x1e', isAccepted: true, accepted: [true, false, false] },
];
