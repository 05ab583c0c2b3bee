/** How an agent gets back to the base interval: what it takes if every ping from now on is good. */
import { afterEffect } from './escalation.ts';
import type { PingPolicy } from './policy.ts';
import { planNext } from './schedule.ts';
import type { PingState } from './state.ts';

export interface RecoveryForecast {
  /** Good pings until the base interval is back; 0 when it is in force. */
  readonly pings: number;
  /** When the last of them is due; undefined when none is needed. */
  readonly atMs: number | undefined;
}

/** Plays good pings, each at the instant it is due, until nothing is left of the escalation. */
export function recoveryForecast(policy: PingPolicy, agentId: string, now: PingState): RecoveryForecast {
  let state = now;
  let pings = 0;
  let atMs: number | undefined;
  // The ping that reaches the threshold ends whatever is left, so there are never more.
  while (state.consecutivePoor > 0) {
    atMs = state.nextDueAtMs;
    const standing = afterEffect(policy, state, 'eases');
    const decided = { agentId, atMs, consecutivePoor: standing.consecutivePoor, isStretched: false };
    state = { ...state, ...standing, ...planNext(policy, state, decided) };
    pings += 1;
  }
  return { pings, atMs };
}
