/** Rule files and histories by chance: recording and alerting rules over series with gaps, ends and odd values. */
import fc from 'fast-check';
import { ruleFile, testFile } from './generated-files.ts';

/** One unit test in promtool's format, expectations left to be filled in, with names that no other case uses. */
export interface GeneratedCase {
  readonly name: string;
  readonly evaluationMs: number;
  readonly rules: string;
  readonly test: string;
  readonly alerts: readonly string[];
  readonly records: readonly string[];
  /** When to look, milliseconds after the start. */
  readonly instants: readonly number[];
}

/** As people write them, and as they should not; `M` is a metric, `R` a recorded one, `A` an alert. */
const EXPRESSIONS = [
  'M',
  'M > 5',
  'M{gpu="0"} > 2',
  'M{gpu!="0"} < bool 4',
  'sum(M) > 8',
  'max by (gpu) (M)',
  'sum without (gpu) (M)',
  'avg_over_time(M[2m]) > 3',
  'increase(M[3m])',
  'changes(M[2m]) > 0',
  'count_over_time(M[90s])',
  'absent(M{gpu="0"})',
  'absent_over_time(M[1m])',
  'M offset 1m',
  'M unless M > 7',
  'M and on (gpu) M > 3',
  'count(M)',
  'M / 0',
  'M % 3 == 0',
  'M == on () group_left () max(M)',
  'vector(time()) > 240',
  'time()',
  'scalar(M{gpu="1"})',
  'label_replace(M, "gpu", "x$1", "gpu", "(.*)")',
  'R',
  'R > 4',
  'sum by (gpu) (R) > 1',
  'max_over_time(R[2m])',
  'ALERTS{alertname="A", alertstate="pending"}',
  'ALERTS{alertname="A"} offset 30s',
  'count(ALERTS{alertname="A", alertstate="firing"}) > 1',
  'min(ALERTS_FOR_STATE{alertname="A"})',
];

const TEXTS = [
  '{{ $value }}',
  '{{ $labels.gpu }} of {{ $labels.alertname }} {{ $labels.none }}',
  '{{ $value | printf "%.3f" }} {{ humanize $value }} {{ humanizePercentage $value }}',
  '{{ if gt $value 5.0 }}high{{ else }}low{{ end }}',
  '{{ range query "sort(M)" }}{{ .Value }},{{ end }}',
  '{{ with query "max(M)" }}{{ . | first | value | humanizeDuration }}{{ else }}nothing{{ end }}',
  '{{ query "nothing" | first | value }}',
  '{{ $externalLabels.cluster }}{{ .ExternalLabels.none }}',
  '{{ toUpper "x" }}{{ reReplaceAll "[0-9]" "n" $labels.gpu }}',
  '{{ range $i, $l := $labels }}{{ $i }}={{ $l }};{{ end }}',
];
const LABEL_TEXTS = [
  'page',
  '{{ $labels.gpu }}',
  '{{ $value }}',
  '{{ $labels.none }}',
  '{{ if gt $value 5.0 }}high{{ else }}low{{ end }}',
];

const rule = fc.record({
  isRecord: fc.boolean(),
  expr: fc.constantFrom(...EXPRESSIONS),
  forSteps: fc.constantFrom(0, 0, 0.5, 1, 2, 3.3),
  keepSteps: fc.constantFrom(0, 0, 0, 1, 2.5),
  labels: fc.dictionary(fc.constantFrom('severity', 'level', 'gpu', 'alertstate'), fc.constantFrom(...LABEL_TEXTS), {
    maxKeys: 2,
  }),
  annotations: fc.dictionary(fc.constantFrom('summary', 'more'), fc.constantFrom(...TEXTS), { maxKeys: 2 }),
  refers: fc.nat(3),
});

const sample = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -2, max: 10 }).map(String) },
  { weight: 3, arbitrary: fc.constantFrom('_', '_x3') },
  { weight: 2, arbitrary: fc.constantFrom('2.5x4', '0+1x6', '8-2x3') },
  { weight: 1, arbitrary: fc.constantFrom('stale', 'NaN', 'Inf', '-Inf', '1e9') },
);
const series = fc.array(fc.array(sample, { minLength: 4, maxLength: 30 }), { minLength: 1, maxLength: 3 });

const anyCase = fc.record({
  evaluationMs: fc.constantFrom(15_000, 30_000, 60_000),
  sampleShare: fc.constantFrom(1, 0.5, 1.5),
  series,
  rules: fc.array(rule, { minLength: 2, maxLength: 4 }),
  limit: fc.constantFrom(0, 0, 0, 0, 1, 2),
  /** Twentieths of an evaluation interval. */
  twentieths: fc.uniqueArray(fc.nat(400), { minLength: 5, maxLength: 8 }),
});

export type CasePlan = typeof anyCase extends fc.Arbitrary<infer Plan> ? Plan : never;

/** The same cases for the same seed. */
export function generateCases(count: number, seed: number): readonly GeneratedCase[] {
  return fc.sample(anyCase, { numRuns: count, seed }).map(buildCase);
}

function buildCase(plan: CasePlan, index: number): GeneratedCase {
  const { evaluationMs, twentieths, rules } = plan;
  // Some looks at evaluations, some between them.
  const instants = twentieths.map((n, at) => ((at % 2 === 0 ? n - (n % 20) : n) * evaluationMs) / 20);
  const names = rules.map(({ isRecord }, at) => (isRecord ? `c${index}:r${at}` : `C${index}_A${at}`));
  const named = (isRecord: boolean) => names.filter((_, at) => rules[at]?.isRecord === isRecord);
  return {
    name: `c${index}`,
    evaluationMs,
    rules: ruleFile(plan, `c${index}`, names),
    test: testFile(plan, `c${index}`),
    alerts: named(false),
    records: named(true),
    instants: [...new Set(instants)].sort((a, b) => a - b),
  };
}
