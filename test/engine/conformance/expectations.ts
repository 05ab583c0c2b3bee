/** What the engine makes of a generated case, written down as expectations that promtool can judge. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sample } from '../../../engine/prometheus/query.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import type { GroupStatus } from '../../../engine/rules/status.ts';
import type { HistoryServer } from '../../../engine/unit-tests/history-server.ts';
import { Rehearsal, UnexpectedRuleError } from '../../../engine/unit-tests/rehearsal.ts';
import { loadTestFile } from '../../../engine/unit-tests/test-file.ts';
import { policy } from '../core/fixtures.ts';
import type { GeneratedCase } from './generated-case.ts';

/** A case with what the engine says of it: everything it showed, or the rule that failed. */
export type Outcome =
  | { readonly kind: 'played'; readonly file: string; readonly alerts: number; readonly samples: number }
  | { readonly kind: 'failed'; readonly file: string; readonly rule: string };

const never = new AbortController().signal;

/** Plays the case over `server`, which other cases may use as well: no two share a name. */
export async function playCase(found: GeneratedCase, server: HistoryServer): Promise<Outcome> {
  const loaded = loadTestFile({ file: `${found.name}.yml`, text: found.test });
  const rules = loadRules([{ file: `${found.name}.rules.yml`, text: found.rules }], { intervalMs: found.evaluationMs });
  const problems = [...(loaded.ok ? [] : loaded.diagnostics), ...rules.diagnostics];
  const [test] = loaded.ok ? loaded.tests.tests : [];
  if (test === undefined || problems.some(({ severity }) => severity === 'error')) {
    throw new Error(`${found.rules}\n${found.test}\n${JSON.stringify(problems)}`);
  }
  const directory = join(server.directory, found.name);
  mkdirSync(directory);
  const world = { test, groups: rules.groups, groupOrder: [], policy: policy(), server: { ...server, directory } };
  const rehearsal = await Rehearsal.begin({ ...world, signal: never });
  try {
    return await play(found, rehearsal, server);
  } finally {
    await rehearsal.close();
  }
}

async function play(found: GeneratedCase, rehearsal: Rehearsal, server: HistoryServer): Promise<Outcome> {
  const alert_rule_test: unknown[] = [];
  try {
    for (const atMs of found.instants) {
      await rehearsal.advance(atMs);
      for (const name of found.alerts) alert_rule_test.push(firingAt(atMs, name, rehearsal.groups()));
    }
  } catch (error) {
    if (!(error instanceof UnexpectedRuleError)) throw error;
    const [, rule = ''] = /^rule (\S+) fails/.exec(error.message) ?? [];
    return { kind: 'failed', rule, file: complete(found, { alert_rule_test: [anything(found)] }) };
  }
  const promql_expr_test: unknown[] = [];
  let samples = 0;
  for (const expr of expressionsOf(found)) {
    for (const atMs of found.instants) {
      const got = await server.query.instant(expr, atMs, never);
      samples += got.length;
      const exp_samples = got.map((sample) => expectedSample(asPrometheusShows(sample, found)));
      promql_expr_test.push({ expr, eval_time: `${atMs}ms`, exp_samples });
    }
  }
  const alerts = alert_rule_test.length;
  return { kind: 'played', alerts, samples, file: complete(found, { alert_rule_test, promql_expr_test }) };
}

/** promtool evaluates up to the last instant that a test asks for. */
function anything({ alerts: [alertname = 'none'], instants }: GeneratedCase): unknown {
  return { eval_time: `${instants.at(-1)}ms`, alertname, exp_alerts: [] };
}

function firingAt(atMs: number, alertname: string, groups: readonly GroupStatus[]): unknown {
  const rules = groups.flatMap((group) => group.rules).filter(({ rule }) => rule.name === alertname);
  const firing = rules.flatMap(({ alerts }) => alerts).filter(({ state }) => state === 'firing');
  return {
    eval_time: `${atMs}ms`,
    alertname,
    exp_alerts: firing.map(({ labels, annotations }) => ({ exp_labels: labels, exp_annotations: annotations })),
  };
}

/** Pending alerts, times of all alerts, and recorded series. NaN equals nothing, so it is asked for by itself. */
function expressionsOf({ alerts, records }: GeneratedCase): readonly string[] {
  const ofAlerts = `{alertname=~"${alerts.join('|') || 'none'}"}`;
  return [
    ...records.flatMap((name) => [`{__name__="${name}"} == {__name__="${name}"}`, `${name} != bool ${name}`]),
    `ALERTS${ofAlerts}`,
    `ALERTS_FOR_STATE${ofAlerts}`,
  ];
}

/**
 * Prometheus lays the labels of an alert over those of its rule as written when it makes ALERTS, so that a label whose
 * template came out empty shows the template. The specification wants the labels of the alert and no others, item 22.
 */
function asPrometheusShows({ labels, value }: Sample, { rules }: GeneratedCase): Sample {
  const { __name__: name } = labels;
  if (name !== 'ALERTS' && name !== 'ALERTS_FOR_STATE') return { labels, value };
  const [group] = JSON.parse(rules).groups as { rules: { alert?: string; labels: Record<string, string> }[] }[];
  const written = group?.rules.find(({ alert }) => alert === labels.alertname)?.labels;
  return { labels: { ...written, ...labels }, value };
}

function expectedSample({ labels: { __name__: name = '', ...labels }, value }: Sample): unknown {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  return { labels: `${name}{${pairs.join(',')}}`, value: Number.isFinite(value) ? value : `number ${value}` };
}

function complete({ test }: GeneratedCase, expected: object): string {
  const file = JSON.parse(test);
  const text = JSON.stringify({ ...file, tests: [{ ...file.tests[0], ...expected }] });
  return text.replaceAll(/"number (-?)Infinity"/g, '$1.inf').replaceAll('"number NaN"', '.nan');
}
