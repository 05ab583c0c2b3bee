/** Generated cases as the files that promtool and the engine read. JSON is YAML, but for numbers that JSON lacks. */
import type { CasePlan } from './generated-case.ts';

type Rule = CasePlan['rules'][number];

/** The rule file of a case; `names` are those of its rules. */
export function ruleFile({ rules, limit, evaluationMs }: CasePlan, prefix: string, names: readonly string[]): string {
  const named = (isRecord: boolean, nth: number) => {
    const alike = names.filter((_, at) => rules[at]?.isRecord === isRecord);
    return alike[nth % Math.max(alike.length, 1)] ?? 'nobody';
  };
  const filled = (text: string, { refers }: Rule) =>
    text
      .replace(/\bM\b/g, `${prefix}_m`)
      .replace(/\bR\b/g, named(true, refers))
      .replace(/"A"/g, `"${named(false, refers)}"`);
  // What reads ALERTS would see labels that Prometheus adds to it by mistake; see `asPrometheusShows`.
  const isReadBack = rules.some(({ expr }) => expr.includes('ALERTS'));
  const whole = (text: string) => (isReadBack ? text.replace(/^\{\{ \$labels/, 'x$&') : text);
  const texts = (of: Readonly<Record<string, string>>, rule: Rule) =>
    Object.fromEntries(Object.entries(of).map(([name, text]) => [name, whole(filled(text, rule))]));
  const written = rules.map((rule, at) => {
    const expr = filled(rule.expr, rule);
    // Recording rules know no templates.
    const removed = rule.labels.gpu === undefined ? {} : { gpu: '' };
    if (rule.isRecord)
      return { record: names[at], expr, labels: { level: rule.labels.level ? 'high' : '', ...removed } };
    const labels = texts(rule.labels, rule);
    const annotations = texts(rule.annotations, rule);
    const wait = (steps: number) => `${Math.round(steps * evaluationMs)}ms`;
    const keep = rule.keepSteps === 0 ? {} : { keep_firing_for: wait(rule.keepSteps) };
    return { alert: names[at], expr, for: wait(rule.forSteps), ...keep, labels, annotations };
  });
  return JSON.stringify({ groups: [{ name: prefix, limit, rules: written }] });
}

/** The test of a case, without expectations. */
export function testFile({ series, evaluationMs, sampleShare }: CasePlan, prefix: string, expected = {}): string {
  const input_series = series.map((samples, gpu) => ({
    series: `${prefix}_m{gpu="${gpu}"}`,
    values: samples.join(' '),
  }));
  const interval = `${evaluationMs * sampleShare}ms`;
  const test = { name: prefix, interval, input_series, external_labels: { cluster: 'west' }, ...expected };
  return JSON.stringify({
    rule_files: [`${prefix}.rules.yml`],
    evaluation_interval: `${evaluationMs}ms`,
    tests: [test],
  });
}
