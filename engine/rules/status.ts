/** What may be known of rule groups at work: for the API, the pages and the metrics. Instants are milliseconds. */
import type { LabelSet } from '../core/alert.ts';
import type { LoadedRule } from './rule.ts';

/** An alert that is pending or firing now. */
export interface ActiveAlert {
  readonly name: string;
  /** The rule it belongs to. */
  readonly ruleId: string;
  /** Alertmanager's fingerprint of the labels, external labels aside: 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly state: 'pending' | 'firing';
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly value: number;
  readonly activeAt: number;
  /** Undefined while pending. */
  readonly firedAt: number | undefined;
  /** Since when only `keep_firing_for` keeps it firing. */
  readonly missingSince: number | undefined;
  /** The label `severity`, empty when the rule sets none. */
  readonly severity: string;
}

/** An alert that is over, for as long as its end is sent again. */
export interface ResolvedAlert extends Omit<ActiveAlert, 'state' | 'missingSince'> {
  readonly state: 'resolved';
  readonly resolvedAt: number;
}

export type RuleHealth = 'unknown' | 'ok' | 'err';

/** One evaluation of a rule. */
export interface EvaluationRecord {
  /** The evaluation's instant; the query was asked for `at` less the group's `query_offset`. */
  readonly at: number;
  readonly durationMs: number;
  /** Elements of the result; 0 when it failed. */
  readonly samples: number;
  readonly error: string | undefined;
}

export interface RuleStatus {
  readonly rule: LoadedRule;
  readonly health: RuleHealth;
  /** Why the newest evaluation failed; undefined while it succeeds. */
  readonly lastError: string | undefined;
  /** Pending and firing alerts, none for a recording rule. */
  readonly alerts: readonly ActiveAlert[];
  /** Alerts that resolved within the last 15 minutes and have not come back. */
  readonly resolved: readonly ResolvedAlert[];
  /** Newest first, at most 20. */
  readonly evaluations: readonly EvaluationRecord[];
}

export interface GroupStatus {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  readonly queryOffsetMs: number;
  readonly limit: number;
  readonly evaluations: number;
  /** Slots that passed while an earlier evaluation was still running. */
  readonly missed: number;
  /** Evaluations of single rules that failed. */
  readonly failures: number;
  /** Instant of the last evaluation; undefined before the first. */
  readonly lastAt: number | undefined;
  readonly lastDurationMs: number | undefined;
  /** Elements that all rules together yielded in it. */
  readonly lastSamples: number | undefined;
  readonly rules: readonly RuleStatus[];
}
