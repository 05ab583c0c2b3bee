/** From one configuration to the next, or from the store after a restart: what each rule goes on from. */
import { NEW_RULE_STATE, type RuleState } from '../core/alert.ts';
import { resumeState } from '../core/resume.ts';
import { type Predecessor, predecessorOf } from './adoption.ts';
import { alertSeries } from './alert-series.ts';
import { AlertingRun } from './alerting-run.ts';
import type { RuleContext } from './evaluation.ts';
import { EvaluationLog } from './evaluation-log.ts';
import type { RuleRun } from './group-run.ts';
import { RecordingRun } from './recording-run.ts';
import type { LoadedRule, RuleGroup } from './rule.ts';
import type { ExposedSeries } from './rule-series.ts';
import { alertRecordKey, type SavedRule } from './saved-state.ts';

/** A rule that was at work before, and what it left. */
export interface Past extends Predecessor {
  readonly state: RuleState;
  /** The part of the state that the store holds under the id. */
  readonly saved: RuleState;
  readonly exposed: ExposedSeries;
  readonly log: EvaluationLog;
}

export function pastOfRun(run: RuleRun): Past {
  const { rule, log, series } = run;
  const [state, saved] = run.kind === 'alerting' ? [run.state(), run.saved()] : [NEW_RULE_STATE, NEW_RULE_STATE];
  return { ...predecessorOf(rule), state, saved, exposed: series.exposed(), log };
}

/** Before the process started: Prometheus still shows the alerts that were active then. */
export function pastOfSaved({ id, rule, state }: SavedRule): Past {
  const exposed = new Map(
    Array.from(alertSeries(state.alerts), ({ key, labels }) => [key, { labels: labels() }] as const),
  );
  const { name = '', labels = {} } = rule ?? {};
  return { id, kind: 'alerting', name, labels, state, saved: state, exposed, log: new EvaluationLog() };
}

/** Keys of the store records that a rule which is gone has left. */
export function recordKeysOf({ id, saved }: Past): readonly string[] {
  return saved.alerts.length === 0 ? [] : [id, ...saved.alerts.map(({ key }) => alertRecordKey(id, key))];
}

/** A rule that goes on within the process; one without a past starts without alerts. */
export function continueRule(rule: LoadedRule, past: Past | undefined, context: RuleContext): RuleRun {
  return ruleRun(rule, past, context, false);
}

/** A rule after a restart; one without a past may have lost it. */
export function resumeRule(rule: LoadedRule, past: Past | undefined, context: RuleContext): RuleRun {
  if (past === undefined || rule.kind === 'recording') return ruleRun(rule, past, context, true);
  const { ports, options, group } = context;
  const state = resumeState(rule, past.state, {
    at: ports.now(),
    intervalMs: group.intervalMs,
    toleranceMs: options.forOutageToleranceMs,
    graceMs: options.forGracePeriodMs,
  });
  return ruleRun(rule, { ...past, state }, context, true);
}

function ruleRun(rule: LoadedRule, past: Past | undefined, context: RuleContext, isRestart: boolean): RuleRun {
  const { exposed, log, state = NEW_RULE_STATE } = past ?? {};
  if (rule.kind === 'recording') return new RecordingRun(rule, context, { exposed, log });
  const saved = past?.id === rule.id ? past.saved : NEW_RULE_STATE;
  return new AlertingRun(rule, context, { state, saved, exposed, log, isLost: isRestart && past === undefined });
}

/** Equal for groups that would evaluate alike: such a group goes on through a reload as if there had been none. */
export function groupSignature(group: RuleGroup): string {
  const rules = group.rules.map((rule) =>
    // Compiled templates cannot be compared; what was written can.
    rule.kind === 'alerting' ? { ...rule, labels: undefined, annotations: undefined } : rule,
  );
  return JSON.stringify({ ...group, rules });
}
