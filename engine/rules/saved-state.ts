/** A rule's state as a store record, and back. */
import { z } from 'zod';
import type { AlertRule, RuleState } from '../core/alert.ts';

const labelSet = z.record(z.string(), z.string());
const facts = {
  key: z.string(),
  labels: labelSet,
  annotations: labelSet,
  value: z.string().transform(Number),
  activeAt: z.number(),
};
const sent = { firedAt: z.number(), lastSentAt: z.number().exactOptional() };

const savedState = z.object({
  confirmedAt: z.number().exactOptional(),
  alerts: z.array(
    z.discriminatedUnion('state', [
      z.object({ ...facts, state: z.literal('pending') }),
      z.object({ ...facts, ...sent, state: z.literal('firing'), missingSince: z.number().exactOptional() }),
      z.object({ ...facts, ...sent, state: z.literal('inactive'), resolvedAt: z.number() }),
    ]),
  ),
});

/** JSON has no NaN and no infinity, and PromQL yields both: values are saved as text. */
export function saveState(state: RuleState): unknown {
  return { ...state, alerts: state.alerts.map((alert) => ({ ...alert, value: String(alert.value) })) };
}

/** The state a record holds; undefined when it is not one (written by another version, or damaged). */
export function parseState(record: unknown): RuleState | undefined {
  return savedState.safeParse(record).data;
}

// Long enough for a restart, too short to stand in for evidence.
const SHORT_OUTAGE_MS = 60_000;

/**
 * The state to go on with at `now`. Firing alerts keep all their times. Pending ones do too, unless nobody looked for
 * longer than their `for`: an outage must not make an alert fire.
 */
export function resumeState(rule: AlertRule, state: RuleState, now: number): RuleState {
  const outageMs = now - (state.confirmedAt ?? now);
  if (outageMs <= Math.max(rule.forMs, SHORT_OUTAGE_MS)) return state;
  return { ...state, alerts: state.alerts.filter((alert) => alert.state !== 'pending') };
}
