/** Going on with alerts after nobody looked for a while, after their state was lost, or after the clock was set back. */
import type { Alert, AlertRule, RuleState } from './alert.ts';

/** Long enough for a restart, too short to stand in for evidence. */
const SHORT_OUTAGE_MS = 60_000;
/** Even without a restart nobody looks for one interval of the group, and a restart may cost the next slot. */
const SHORT_OUTAGE_INTERVALS = 2;

/** The end of an outage, and what is known of alerts through it. Milliseconds. */
export interface Resumption {
  readonly at: number;
  /** Interval of the rule's group. */
  readonly intervalMs: number;
  /** After a longer outage pending alerts start over. */
  readonly toleranceMs: number;
  /** Least time a pending alert still waits after an outage. */
  readonly graceMs: number;
}

/**
 * The state to go on with. Firing alerts keep all their times, and after a short restart so do pending ones. After
 * anything longer they follow Prometheus' rules: the time in which nobody looked does not count, because an outage must
 * not make an alert fire; where the `for` is shorter than the grace period, or the outage longer than the tolerance, they
 * start over.
 */
export function resumeState(rule: AlertRule, state: RuleState, resumption: Resumption): RuleState {
  const { at, intervalMs, toleranceMs, graceMs } = resumption;
  const seenAt = state.evaluatedAt ?? state.confirmedAt ?? at;
  const outageMs = at - seenAt;
  // The clock was set back while nobody looked: no alert began in the future.
  if (outageMs < 0) return shiftState(state, outageMs);
  const isShort = outageMs <= Math.max(SHORT_OUTAGE_MS, SHORT_OUTAGE_INTERVALS * intervalMs);
  if (isShort && outageMs <= toleranceMs) return state;
  const isKept = outageMs <= toleranceMs && isRestorable(rule, graceMs);
  const alerts = state.alerts.flatMap((alert): readonly Alert[] => {
    if (alert.state !== 'pending') return [alert];
    const activeAt = restoredActiveAt(rule, { activeAt: alert.activeAt, seenAt }, resumption);
    return isKept ? [{ ...alert, activeAt }] : [];
  });
  // Saved and read again before anybody has looked, the same outage must not count twice.
  return { ...state, alerts, evaluatedAt: at };
}

/** Whether a rule's pending alerts go on after an outage: with a short `for` they rather wait it again. */
export function isRestorable({ forMs }: AlertRule, graceMs: number): boolean {
  return forMs > 0 && forMs >= graceMs;
}

/** What is known of a pending alert after an outage; milliseconds. */
export interface LostAlert {
  readonly activeAt: number;
  /** Until when it is known to have been active. */
  readonly seenAt: number;
}

/**
 * ActiveAt of an alert that is taken up again at `at`, by Prometheus' rules: one that had waited out its `for` fires
 * at once, one with less than the grace period to go waits that long, and for any other the outage does not count.
 */
export function restoredActiveAt(
  { forMs }: AlertRule,
  { activeAt, seenAt }: LostAlert,
  { at, graceMs }: Pick<Resumption, 'at' | 'graceMs'>,
): number {
  const remainingMs = forMs - (seenAt - activeAt);
  if (remainingMs <= 0) return activeAt;
  return remainingMs < graceMs ? at + graceMs - forMs : activeAt + (at - seenAt);
}

/** The same alerts with every instant moved by `byMs`: ages and waits stay as they are. */
export function shiftState(state: RuleState, byMs: number): RuleState {
  const { confirmedAt, evaluatedAt } = state;
  return {
    alerts: state.alerts.map((alert) => shiftAlert(alert, byMs)),
    ...(confirmedAt === undefined ? {} : { confirmedAt: confirmedAt + byMs }),
    ...(evaluatedAt === undefined ? {} : { evaluatedAt: evaluatedAt + byMs }),
  };
}

function shiftAlert(alert: Alert, byMs: number): Alert {
  const { raisedAt } = alert;
  const raised = raisedAt === undefined ? {} : { raisedAt: raisedAt + byMs };
  const activeAt = alert.activeAt + byMs;
  if (alert.state === 'pending') return { ...alert, ...raised, activeAt };
  const { lastSentAt } = alert;
  const sent = lastSentAt === undefined ? {} : { lastSentAt: lastSentAt + byMs };
  const moved = { ...raised, ...sent, activeAt, firedAt: alert.firedAt + byMs };
  if (alert.state === 'inactive') return { ...alert, ...moved, resolvedAt: alert.resolvedAt + byMs };
  const { missingSince } = alert;
  return { ...alert, ...moved, ...(missingSince === undefined ? {} : { missingSince: missingSince + byMs }) };
}
