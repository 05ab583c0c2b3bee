/** One test of a file: its input series and what is expected of it. */
import type { LabelSet } from '../core/alert.ts';
import {
  type Field,
  type Fields,
  readDuration,
  readFields,
  readList,
  readNamed,
  readText,
  report,
} from '../rules/rule-fields.ts';
import {
  readAlertTest,
  readDecisionTest,
  readExprTest,
  readMessageTest,
  readStateTest,
  readTrouble,
} from './expectations.ts';
import { readInputSeries } from './input-series.ts';
import type { UnitTest } from './unit-test.ts';

const PROMTOOL_KEYS = [
  'name',
  'interval',
  'start_timestamp',
  'input_series',
  'alert_rule_test',
  'promql_expr_test',
  'external_labels',
  'external_url',
];
export const OWN_KEYS = [
  'alert_state_test',
  'message_test',
  'decision_test',
  'restart_at',
  'missed_evaluations',
  'query_errors',
];

/** Reads a test; undefined when it is no mapping. `index` counts from 0 and names a test without a name. */
export function readTest(item: Field, index: number, defaultIntervalMs: number): UnitTest | undefined {
  const fields = readFields(item, [...PROMTOOL_KEYS, ...OWN_KEYS]);
  if (fields === undefined) return undefined;
  const all = <T>(name: string, read: (entry: Field) => T | undefined) =>
    readList(fields.field(name), name).flatMap((entry) => read(entry) ?? []);
  return {
    line: item.place.line,
    name: readText(fields.field('name')) || `unnamed#${index}`,
    intervalMs: readDuration(fields.field('interval')) || defaultIntervalMs,
    startMs: readStart(fields),
    series: all('input_series', readInputSeries),
    externalLabels: readLabels(fields.field('external_labels')),
    externalUrl: readText(fields.field('external_url')) ?? '',
    alertTests: all('alert_rule_test', readAlertTest),
    exprTests: all('promql_expr_test', readExprTest),
    stateTests: all('alert_state_test', readStateTest),
    messageTests: all('message_test', readMessageTest),
    decisionTests: all('decision_test', readDecisionTest),
    restartsMs: all('restart_at', (entry) => readDuration(entry)),
    missed: all('missed_evaluations', (entry) => readTrouble(entry, 'group')),
    queryErrors: all('query_errors', (entry) => readTrouble(entry, 'rule')),
  };
}

function readLabels(field: Field): LabelSet {
  return Object.fromEntries(readNamed(field).map(({ name, value }) => [name, readText(value) ?? '']));
}

/** Unix seconds or RFC 3339; tests start at the epoch when nothing is said. */
function readStart(fields: Fields): number {
  const field = fields.field('start_timestamp');
  const text = readText(field);
  if (text === undefined) return 0;
  const ms = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (ms >= 0) return ms;
  const what = ms < 0 ? 'is before 1970, where no test can start' : 'is not an instant';
  report(field, { message: `"${text}" ${what}`, fix: 'write it like 2026-01-01T12:00:00Z, or as Unix seconds' });
  return 0;
}
