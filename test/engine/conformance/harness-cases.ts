/** The cases of the public conformance harness as data: the series they write, and when which alert may be seen. */

/** Milliseconds between two samples of the harness. */
export const SAMPLE_MS = 15_000;
export const INTERVAL_MS = 30_000;

type Labels = Readonly<Record<string, string>>;

/** A series as steps: from the n-th sample on it has this value; after `samples` of them it is written no more. */
export interface Steps {
  readonly labels: Labels;
  readonly steps: readonly (readonly [number, number])[];
  readonly samples: number;
}

/** What an alert shows. */
export interface Face {
  readonly value: number;
  readonly annotations: Labels;
}

/** One alert through one life. Instants are those of the samples that cause a change; evaluations follow within 30 s. */
export interface Life {
  readonly rule: string;
  readonly labels: Labels;
  /** From each instant on. */
  readonly faces: readonly (readonly [number, Face])[];
  readonly activeAt: number;
  /** Undefined for one that ends while it is pending. */
  readonly firedAt: number | undefined;
  readonly endedAt: number;
  /** When the same labels are active again; undefined when they never are. */
  readonly nextAt: number | undefined;
}

export interface Case {
  readonly group: string;
  readonly series: readonly Steps[];
  readonly lives: readonly Life[];
  /** States of the lives that may be seen together; `-` is none. */
  readonly combinations: readonly string[];
}

const METRIC = 'alert_generator_test_suite';
const FOO = { foo: 'bar' };
const TSS = { ba_dum: 'tss' };

function source(rulegroup: string, rule: string, more: Labels = {}): Labels {
  return { __name__: METRIC, rulegroup, alertname: `${rulegroup}_${rule}`, ...more };
}

/** A life by the numbers of the samples at which it becomes active, fires, ends, and begins again. */
function life(
  [rulegroup, rule, more]: readonly [string, string, Labels],
  [activeAt, firedAt, endedAt, nextAt]: readonly (number | undefined)[],
  faces: readonly (readonly [number, Face])[],
): Life {
  const at = (n: number | undefined) => (n === undefined ? undefined : n * SAMPLE_MS);
  const name = `${rulegroup}_${rule}`;
  return {
    rule: name,
    labels: { alertname: name, rulegroup, ...more },
    faces: faces.map(([n, face]) => [n * SAMPLE_MS, face]),
    activeAt: at(activeAt) ?? 0,
    firedAt: at(firedAt),
    endedAt: at(endedAt) ?? 0,
    nextAt: at(nextAt),
  };
}

const SIMPLE = 'PendingAndFiringAndResolved';
const simple = (value: number): Face => {
  return { value, annotations: { description: 'over ten', summary: `now ${value} ${value}` } };
};

const RESOLVED = 'PendingAndResolved_AlwaysInactive';
const SHORT_RISE: Omit<Steps, 'labels'> = {
  steps: [
    [0, 3],
    [1, 5],
    [4, 9],
    [8, 11],
    [19, 9],
  ],
  samples: 20,
};

const ZERO = 'ZeroFor_SmallFor';
const TWO_RISES: Omit<Steps, 'labels'> = {
  steps: [
    [0, 3],
    [1, 5],
    [4, 9],
    [8, 15],
    [21, 9],
    [93, 11],
    [106, 9],
  ],
  samples: 107,
};
const zeroFor = (value: number, ids: string): Face => ({
  value,
  annotations: {
    description: 'at once',
    template_test: '1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC',
    template_query_test: `a b 99: first 101; ${ids}`,
  },
});
const SMALL_FOR: Face = {
  value: 15,
  annotations: {
    description: 'an interval later',
    template_test: 'Every Word IS LOUD or quiet, ::1 127.0.0.1, 7815, changed, .',
  },
};

const ORDER = 'NewAlerts_OrderCheck';
const ONE_MORE: Face = { value: 11, annotations: { description: 'one more later' } };
const FROM_ALERTS: Face = { value: 2, annotations: { description: `Seen in ALERTS as ${ORDER}_Rule1, foo bar` } };

export const CASES: readonly Case[] = [
  {
    group: SIMPLE,
    series: [
      {
        labels: source(SIMPLE, 'SimpleAlert'),
        steps: [
          [0, 3],
          [1, 5],
          [4, 9],
          [8, 11],
          [21, 15],
          [53, 19],
          [69, 9],
          [89, 15],
          [134, 8],
        ],
        samples: 150,
      },
    ],
    lives: [
      life(
        [SIMPLE, 'SimpleAlert', FOO],
        [8, 32, 69, 89],
        [
          [8, simple(11)],
          [21, simple(15)],
          [53, simple(19)],
        ],
      ),
      life([SIMPLE, 'SimpleAlert', FOO], [89, 113, 134], [[89, simple(15)]]),
    ],
    combinations: ['- -', 'pending -', 'firing -', '- pending', '- firing'],
  },
  {
    group: RESOLVED,
    series: [
      { labels: source(RESOLVED, 'PendingAlert'), ...SHORT_RISE },
      { labels: source(RESOLVED, 'InactiveAlert'), ...SHORT_RISE },
    ],
    lives: [
      life(
        [RESOLVED, 'PendingAlert', FOO],
        [8, undefined, 19],
        [[8, { value: 11, annotations: { description: 'over ten' } }]],
      ),
    ],
    combinations: ['-', 'pending'],
  },
  {
    group: ZERO,
    series: [
      { labels: source(ZERO, 'ZeroFor'), ...TWO_RISES },
      { labels: source(ZERO, 'SmallFor'), ...TWO_RISES },
      ...[1, 2, 3].map(
        (id): Steps => ({
          labels: { __name__: METRIC, rulegroup: ZERO, for: 'template', id: `${100 + id}`, __value__: `val${id}` },
          steps: [
            [0, id],
            [28, 2 * id],
          ],
          samples: 229,
        }),
      ),
    ],
    lives: [
      life([ZERO, 'ZeroFor', FOO], [8, 8, 21, 93], [[8, zeroFor(15, '101=1 102=2 103=3')]]),
      life([ZERO, 'ZeroFor', FOO], [93, 93, 106], [[93, zeroFor(11, '101=2 102=4 103=6')]]),
      // Its for of 15 s is over before the next evaluation, an interval later, which is the first that can tell.
      life([ZERO, 'SmallFor', TSS], [8, 10, 21], [[8, SMALL_FOR]]),
    ],
    combinations: ['- - -', 'firing - pending', 'firing - firing', '- firing -'],
  },
  {
    group: ORDER,
    series: [
      {
        labels: source(ORDER, 'Rule1', { variant: 'one' }),
        steps: [
          [0, 1],
          [8, 11],
          [73, 9],
        ],
        samples: 94,
      },
      {
        labels: source(ORDER, 'Rule1', { variant: 'two' }),
        steps: [
          [0, 1],
          [32, 11],
          [65, 9],
        ],
        samples: 86,
      },
    ],
    lives: [
      life([ORDER, 'Rule1', { ...FOO, variant: 'one' }], [8, 20, 73], [[8, ONE_MORE]]),
      life([ORDER, 'Rule1', { ...FOO, variant: 'two' }], [32, 44, 65], [[32, ONE_MORE]]),
      life([ORDER, 'Rule2', { foo: 'baz', ...TSS, alertstate: 'firing' }], [44, 44, 65], [[44, FROM_ALERTS]]),
    ],
    combinations: ['- - -', 'pending - -', 'firing - -', 'firing pending -', 'firing firing firing'],
  },
];
