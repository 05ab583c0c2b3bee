/** Decisions as JSON: the documented shapes of the `/gpu/...` endpoints and the whole answer of `/api/v1/`. */
import type { BookedAction } from '../core/action-book.ts';
import type { Question } from '../core/decision.ts';
import { type Cause, clearsAtIfHealthy, type Explanation } from '../core/explain.ts';
import type { Judged } from '../core/fleet.ts';
import { subjectName } from '../core/subject.ts';
import type { WindowFigures } from '../core/uptime.ts';

/** Unix seconds, as the documented endpoints give time. */
export function unixSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** Percent with at most three decimals, rounded down so that a shortfall never disappears. */
export function percent(ratio: number | undefined): number | null {
  return ratio === undefined ? null : Math.floor(ratio * 100_000 + 1e-6) / 1000;
}

/** `uptime_summary` of GET /gpu/uptime. */
export function uptimeSummary(figures: readonly WindowFigures[]): Record<string, unknown> {
  const entries = figures.map(({ window, uptime, isFull, samples }) => [
    window.name,
    { uptime_percentage: percent(uptime), is_full: isFull, samples },
  ]);
  return Object.fromEntries(entries);
}

/** One entry of `active_delays`. */
export function delayEntry(question: Question, { outcome, multiplier, delayMs }: Explanation): Record<string, unknown> {
  return {
    capability: question.name,
    delay_seconds: delayMs / 1000,
    multiplier,
    consecutive_failures: outcome.episode?.failures ?? 0,
    can_call_now: outcome.canProcess,
    wait_time: Math.ceil(outcome.waitMs / 1000),
  };
}

/** Alerts in one answer; GET /api/v1/actions lists all of them. */
const MAX_ACTIONS = 10;

/** The whole answer: what was decided, why, on which evidence, and when it would clear. */
export function wholeAnswer(
  { plan, state }: Judged,
  question: Question,
  explained: Explanation,
): Record<string, unknown> {
  const { outcome, multiplier, delayMs } = explained;
  return {
    decision_id: explained.id,
    policy_revision: plan.policy.revision,
    capability: question.name,
    subject: { ...question.subject, name: subjectName(question.subject) },
    can_process: outcome.canProcess,
    wait_time_seconds: Math.ceil(outcome.waitMs / 1000),
    reason: explained.reason,
    basis: outcome.basis.kind,
    status: explained.status,
    action: outcome.action ?? null,
    actions: (outcome.placement?.alerts ?? []).slice(0, MAX_ACTIONS).map(actionEntry),
    placement: placementEntry(explained),
    multiplier,
    delay_seconds: delayMs / 1000,
    consecutive_failures: outcome.episode?.failures ?? 0,
    low_since: secondsOrNull(outcome.episode?.sinceMs),
    clears_at_if_healthy: secondsOrNull(clearsAtIfHealthy(plan, state, question)),
    windows: explained.figures.map((figures) => windowEvidence(figures, plan.policy.minCoverage)),
    causes: explained.causes.map(causeEntry),
    affected_gpus: explained.affectedGpus,
    gpus: explained.gpus,
    guard_frozen: state.guard.frozenSinceMs !== undefined,
    evaluated_at: secondsOrNull(state.tickMs),
    data_age_seconds: outcome.dataAgeMs === undefined ? null : outcome.dataAgeMs / 1000,
    stale: outcome.isStale,
  };
}

/** One alert with an action, as evidence. `ignored` says why it changes nothing: policy, guard or unknown. */
export function actionEntry(action: BookedAction): Record<string, unknown> {
  return {
    action: action.action,
    alert: action.alert,
    severity: action.severity,
    gpu: action.gpu ?? null,
    node: action.node ?? null,
    since: action.sinceMs / 1000,
    summary: action.summary,
    ignored: action.ignored ?? null,
  };
}

function placementEntry({ outcome: { placement }, gpus }: Explanation): Record<string, number> {
  const { throttled = 0, preempted = 0, quarantined = 0 } = placement ?? {};
  return { gpus, free: gpus - preempted - quarantined, throttled, preempted, quarantined };
}

export function secondsOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1000;
}

function windowEvidence(
  { window, counts, uptime, coverage, samples, isFull, verdict }: WindowFigures,
  minCoverage: number,
) {
  return {
    name: window.name,
    range_seconds: window.rangeMs / 1000,
    threshold_percentage: window.threshold * 100,
    uptime_percentage: percent(uptime),
    coverage_percentage: percent(coverage),
    min_coverage_percentage: minCoverage * 100,
    samples,
    up: counts.up,
    busy: counts.busy,
    down: counts.down,
    maintenance: counts.maintenance,
    maintenance_percentage: percent(counts.expected === 0 ? 0 : counts.maintenance / counts.expected),
    unobserved: counts.expected - counts.maintenance - samples,
    is_full: isFull,
    verdict,
  };
}

function causeEntry({ gpu, node, labels, state, reason, sinceMs }: Cause) {
  return { gpu, node, labels, state, reason, since: sinceMs / 1000 };
}
