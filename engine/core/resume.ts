/** Going on with alerts after nobody looked for a while, after their state was lost, or after the clock was set back. */
import type { Alert, AlertRule, RuleState } from './alert.ts';

// Long enough for a restart, too short to stand in for evidence.
const SHORT_OUTAGE_MS = 60_000;

/**
 * The state to go on with at `now`, milliseconds. Firing alerts keep all their times. Pending ones do too after a short
 * outage; after one longer than their `for` the time that nobody watched does not count, because an outage must not make
 * an alert fire, and after one longer than `toleranceMs` they start over.
 */
export function resumeState(rule: AlertRule, state: RuleState, now: number, toleranceMs: number): RuleState {
  const outageMs = now - (state.confirmedAt ?? now);
  // The clock was set back while nobody looked: no alert began in the future.
  if (outageMs < 0) return shiftState(state, outageMs);
  if (outageMs <= Math.max(rule.forMs, SHORT_OUTAGE_MS)) return state;
  const isKept = (alert: Alert) => alert.state !== 'pending' || outageMs <= toleranceMs;
  const alerts = state.alerts.filter(isKept);
  return {
    ...state,
    alerts: alerts.map((alert) =>
      alert.state === 'pending' ? { ...alert, activeAt: alert.activeAt + outageMs } : alert,
    ),
  };
}

/** What ALERTS_FOR_STATE still tells of an alert whose state was lost; milliseconds. */
export interface LostAlert {
  readonly activeAt: number;
  /** Until when it is known to have been active. */
  readonly seenAt: number;
}

/**
 * ActiveAt of an alert that is found active again at `at`, by Prometheus' rules: one that had waited out its `for` fires
 * at once, one with less than the grace period to go waits that long, and for any other the outage does not count.
 */
export function restoredActiveAt(
  { activeAt, seenAt }: LostAlert,
  rule: AlertRule,
  at: number,
  graceMs: number,
): number {
  const remainingMs = rule.forMs - (seenAt - activeAt);
  if (remainingMs <= 0) return activeAt;
  return remainingMs < graceMs ? at + graceMs - rule.forMs : activeAt + (at - seenAt);
}

/** The same alerts with every instant moved by `byMs`: ages and waits stay as they are. */
export function shiftState(state: RuleState, byMs: number): RuleState {
  const { confirmedAt } = state;
  const alerts = state.alerts.map((alert) => shiftAlert(alert, byMs));
  return { alerts, ...(confirmedAt === undefined ? {} : { confirmedAt: confirmedAt + byMs }) };
}

function shiftAlert(alert: Alert, byMs: number): Alert {
  const activeAt = alert.activeAt + byMs;
  if (alert.state === 'pending') return { ...alert, activeAt };
  const { lastSentAt } = alert;
  const sent = lastSentAt === undefined ? {} : { lastSentAt: lastSentAt + byMs };
  const firedAt = alert.firedAt + byMs;
  if (alert.state === 'inactive') return { ...alert, ...sent, activeAt, firedAt, resolvedAt: alert.resolvedAt + byMs };
  const { missingSince } = alert;
  return {
    ...alert,
    ...sent,
    activeAt,
    firedAt,
    ...(missingSince === undefined ? {} : { missingSince: missingSince + byMs }),
  };
}
