/** When an alert is due to be sent, and until when a receiver may believe it. Instants are milliseconds since the epoch. */
import { type Alert, type AlertRule, type LabelSet, RESOLVED_RETENTION_MS, type RuleState } from './alert.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface DeliveryPolicy {
  /** Interval of the rule's group. */
  readonly intervalMs: number;
  /** A firing or resolved alert is sent again when more than this has passed; Prometheus' default is 1 m. */
  readonly resendDelayMs: number;
  /** How long beyond its normal expiry an alert is kept alive while its query fails. */
  readonly keepAliveMs: number;
}

/** One alert as it goes to a receiver. It is over when `endsAt` has passed. */
export interface AlertMessage {
  /** Identity of the alert: a newer message with the same key replaces this one. */
  readonly key: string;
  /** Alertmanager's fingerprint of the labels, before any are added or rewritten on the way. */
  readonly fingerprint: string;
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly startsAt: number;
  readonly endsAt: number;
  /** The rule's expression. */
  readonly expr: string;
}

/** Where messages go. Accepting one is not delivering it: a sink queues and retries on its own. */
export interface AlertSink {
  send(messages: readonly AlertMessage[]): void;
}

export interface DeliveryInput {
  readonly rule: AlertRule;
  readonly state: RuleState;
  /** Instant of the evaluation. */
  readonly at: number;
  /** Instant of sending. */
  readonly now: number;
}

export interface Delivery {
  /** The state with the sent alerts marked. */
  readonly state: RuleState;
  readonly messages: readonly AlertMessage[];
}

type SentAlert = Exclude<Alert, { readonly state: 'pending' }>;

/**
 * The alerts of a rule to send after an evaluation. A firing alert's `endsAt` counts from `now`, because an evaluation
 * that lags behind the clock must not shorten the time a receiver believes the alert.
 */
export function deliver({ rule, state, at, now }: DeliveryInput, policy: DeliveryPolicy): Delivery {
  const messages: AlertMessage[] = [];
  const alerts = state.alerts.map((alert) => {
    if (alert.state === 'pending' || !isDue(alert, at, policy)) return alert;
    const endsAt = alert.state === 'inactive' ? alert.resolvedAt : now + validForMs(alert, { state, now }, policy);
    if (alert.state === 'firing' && endsAt <= now) return alert;
    const { key, labels, annotations, firedAt: startsAt } = alert;
    const fingerprint = fingerprintOf(labels);
    messages.push({ key, fingerprint, labels, annotations, startsAt, endsAt, expr: rule.expr });
    return { ...alert, lastSentAt: at };
  });
  return { state: { ...state, alerts }, messages };
}

/** At once when it fires and when it resolves, then whenever more than the resend delay has passed. */
function isDue(alert: SentAlert, at: number, { resendDelayMs }: DeliveryPolicy): boolean {
  if (alert.lastSentAt === undefined) return true;
  if (alert.state === 'firing') return at - alert.lastSentAt > resendDelayMs;
  if (alert.resolvedAt > alert.lastSentAt) return true;
  return at - alert.resolvedAt <= RESOLVED_RETENTION_MS && at - alert.lastSentAt > resendDelayMs;
}

/**
 * For how long a receiver may believe the alert: four missed sends, as Prometheus, so that it outlives two failed
 * evaluations. While the query fails that moves on, but never past `keepAlive` after what was promised when the alert was
 * last confirmed.
 */
function validForMs(
  alert: SentAlert,
  { state, now }: Pick<DeliveryInput, 'state' | 'now'>,
  policy: DeliveryPolicy,
): number {
  const grace = 4 * Math.max(policy.intervalMs, policy.resendDelayMs);
  const confirmedAt = lastConfirmedAt(alert, state) ?? now;
  return Math.min(grace, confirmedAt + grace + policy.keepAliveMs - now);
}

/** By a usable answer, which concerns every alert of the rule, or by an unknown result that raised this one. */
function lastConfirmedAt({ raisedAt }: SentAlert, { confirmedAt }: RuleState): number | undefined {
  if (raisedAt === undefined || confirmedAt === undefined) return raisedAt ?? confirmedAt;
  return Math.max(raisedAt, confirmedAt);
}
