/** The promtool unit tests of the rules, as far as these tests look at them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { parseDuration } from '../../engine/policy/duration.ts';
import { ROOT } from './rule-files.ts';

interface ExpectedAlert {
  readonly exp_labels?: Readonly<Record<string, string>>;
  readonly exp_annotations?: Readonly<Record<string, string>>;
}

interface AlertExpectation {
  readonly eval_time: string;
  readonly alertname: string;
  readonly exp_alerts: readonly ExpectedAlert[];
}

export interface UnitTestFile {
  readonly evaluation_interval: string;
  readonly tests: readonly {
    readonly name: string;
    readonly alert_rule_test?: readonly AlertExpectation[];
    readonly promql_expr_test?: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
  }[];
}

export function pathOf(name: string): string {
  return `rules/tests/${name}.test.yml`;
}

export function readUnitTests(name: string): UnitTestFile {
  const file = join(ROOT, pathOf(name));
  if (!existsSync(file)) throw new Error(`${name} has no unit test: write ${pathOf(name)}`);
  return load(readFileSync(file, 'utf8')) as UnitTestFile;
}

export function stepMsOf({ evaluation_interval }: UnitTestFile): number {
  return millisecondsOf(evaluation_interval);
}

export interface Instant {
  readonly atMs: number;
  readonly alerts: readonly ExpectedAlert[];
}

/** What each test of the file expects of the alert, in the order of time. */
export function timelines(name: string, { tests }: UnitTestFile): readonly (readonly Instant[])[] {
  return tests.map(({ alert_rule_test = [] }) =>
    alert_rule_test
      .filter(({ alertname }) => alertname === name)
      .map(({ eval_time, exp_alerts }) => ({ atMs: millisecondsOf(eval_time), alerts: exp_alerts }))
      .toSorted((one, other) => one.atMs - other.atMs),
  );
}

function millisecondsOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error(`${text} is no duration`);
  return ms;
}
