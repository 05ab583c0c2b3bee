/** Rule groups at work as others may see them. */
import type { Alert, LabelSet } from '../core/alert.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import type { GroupRun, RuleRun } from './group-run.ts';
import type { AlertingRule } from './rule.ts';
import type { ActiveAlert, GroupStatus, ResolvedAlert, RuleStatus } from './status.ts';

export function groupStatus(run: GroupRun): GroupStatus {
  const { file, name, intervalMs, queryOffsetMs, limit } = run.group;
  const { durationMs, samples } = run.newest();
  return {
    file,
    name,
    intervalMs,
    queryOffsetMs,
    limit,
    ...run.counts(),
    lastDurationMs: durationMs,
    lastSamples: samples,
    rules: run.rules.map(ruleStatus),
  };
}

function ruleStatus(run: RuleRun): RuleStatus {
  const { rule, log } = run;
  return {
    rule,
    health: log.health(),
    lastError: log.lastError(),
    alerts: activeAlertsOf(run),
    resolved: resolvedAlertsOf(run),
    evaluations: log.records(),
  };
}

/** Pending and firing alerts of the rule; none of a recording rule. */
export function activeAlertsOf(run: RuleRun): readonly ActiveAlert[] {
  if (run.kind === 'recording') return [];
  return run.state().alerts.flatMap((alert) => (alert.state === 'inactive' ? [] : [activeAlert(run.rule, alert)]));
}

function resolvedAlertsOf(run: RuleRun): readonly ResolvedAlert[] {
  if (run.kind === 'recording') return [];
  return run.state().alerts.flatMap((alert) => {
    if (alert.state !== 'inactive') return [];
    const { firedAt, resolvedAt } = alert;
    return [{ ...describe(run.rule, alert), state: 'resolved', firedAt, resolvedAt } as const];
  });
}

type Active = Exclude<Alert, { readonly state: 'inactive' }>;

function activeAlert(rule: AlertingRule, alert: Active): ActiveAlert {
  return {
    ...describe(rule, alert),
    state: alert.state,
    firedAt: alert.state === 'firing' ? alert.firedAt : undefined,
    missingSince: alert.state === 'firing' ? alert.missingSince : undefined,
  };
}

function describe({ id, name }: AlertingRule, { labels, annotations, value, activeAt }: Alert) {
  const severity = labels.severity ?? '';
  return { name, ruleId: id, fingerprint: keptFingerprint(labels), labels, annotations, value, activeAt, severity };
}

/** An alert keeps its label object for life, and a fingerprint costs more than all else that is shown of it. */
const fingerprints = new WeakMap<LabelSet, string>();

function keptFingerprint(labels: LabelSet): string {
  const fingerprint = fingerprints.get(labels) ?? fingerprintOf(labels);
  fingerprints.set(labels, fingerprint);
  return fingerprint;
}
