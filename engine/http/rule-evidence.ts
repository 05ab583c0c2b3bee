/** Evidence about rules and alerts as JSON. */
import type { AlertEvidence, RuleEvidence } from '../rules/evidence.ts';
import { alertEntry, ruleEntry, timestamp } from './rule-answers.ts';

export function ruleEvidenceAnswer({ group, status, evaluations, graphUrl }: RuleEvidence): Record<string, unknown> {
  return {
    ...ruleEntry(status, true),
    group: group.name,
    file: group.file,
    line: status.rule.line,
    interval: group.intervalMs / 1000,
    queryOffset: group.queryOffsetMs / 1000,
    graphUrl,
    evaluations: evaluations.map(({ at, durationMs, samples, error, curl }) => ({
      at: timestamp(at),
      evaluationTime: durationMs / 1000,
      samples,
      ...(error === undefined ? {} : { error }),
      curl,
    })),
  };
}

export function alertEvidenceAnswer({ alert, rule }: AlertEvidence): Record<string, unknown> {
  const { name, severity, firedAt } = alert;
  return {
    name,
    severity,
    ...alertEntry(alert),
    ...(firedAt === undefined ? {} : { firedAt: timestamp(firedAt) }),
    rule: ruleEvidenceAnswer(rule),
  };
}
