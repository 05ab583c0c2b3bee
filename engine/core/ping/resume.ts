/** Going on with an agent after a restart, after the clock or the policy changed, and after the engine misjudged itself. */
import { highestStep, intervalMsOf } from './escalation.ts';
import type { PingPolicy } from './policy.ts';
import { catchUpDueMs, longestWaitMs, phaseMs, waitMsOf } from './schedule.ts';
import type { PingState } from './state.ts';
import type { PingStep } from './step.ts';

export interface Resumption {
  readonly agentId: string;
  readonly state: PingState;
  readonly nowMs: number;
  /** By how much the clock was set back since the state was made, where that is known. */
  readonly setBackMs?: number;
}

/**
 * The state to go on with at `nowMs`: no instant of the past lies in the future, no step and no wait is longer than the
 * policy has them now, and what is overdue is spread. The same state when there is nothing to change, so a restart is none.
 */
export function resumePing(policy: PingPolicy, { agentId, state, nowMs, setBackMs = 0 }: Resumption): PingState {
  const steady = withinPolicy(policy, setBack(state, nowMs, setBackMs));
  const nextDueAtMs = catchUpDueMs(policy, agentId, withinReach(policy, steady, nowMs), nowMs);
  return nextDueAtMs === steady.nextDueAtMs ? steady : { ...steady, nextDueAtMs };
}

/** The clock was set back while nobody looked: every instant moves with it, so that waits stay as long as they were. */
function setBack(state: PingState, nowMs: number, setBackMs: number): PingState {
  const aheadMs = (state.lastAttemptAtMs ?? state.sinceMs) - nowMs;
  if (aheadMs <= 0) return state;
  // The next attempt may begin at once, and must not look as old as the last one. Agents keep their distance from each other.
  const byMs = -Math.max(aheadMs + 1, setBackMs);
  const moved = (ms: number | undefined) => (ms === undefined ? undefined : ms + byMs);
  const { lastEvidence: seen } = state;
  return {
    ...state,
    sinceMs: state.sinceMs + byMs,
    spanFromMs: moved(state.spanFromMs),
    failingSinceMs: moved(state.failingSinceMs),
    graceAtMs: moved(state.graceAtMs),
    lastAttemptAtMs: moved(state.lastAttemptAtMs),
    lastPingAtMs: moved(state.lastPingAtMs),
    seenAtMs: moved(state.seenAtMs),
    lastEvidence: seen && { ...seen, fromMs: seen.fromMs + byMs, toMs: seen.toMs + byMs },
    slotAtMs: state.slotAtMs + byMs,
    nextDueAtMs: state.nextDueAtMs + byMs,
    payDueAtMs: state.payDueAtMs + byMs,
  };
}

/** Retries and catching up move a ping beyond its plan, but not far: what is further was moved by a clock that was ahead. */
function withinReach(policy: PingPolicy, { slotAtMs, nextDueAtMs }: PingState, nowMs: number): number {
  const mostMs = Math.max(policy.catchUpMs, policy.maxRetryAfterMs, ...policy.confirmMs);
  return nextDueAtMs > Math.max(slotAtMs, nowMs + mostMs) ? slotAtMs : nextDueAtMs;
}

/** A policy with shorter intervals takes effect at once, not when the longer one has run out. */
function withinPolicy(policy: PingPolicy, state: PingState): PingState {
  const { lastPingAtMs, slotAtMs, nextDueAtMs, payDueAtMs } = state;
  if (lastPingAtMs === undefined) return state;
  const consecutivePoor = Math.min(state.consecutivePoor, highestStep(policy));
  const intervalMs = intervalMsOf(policy, consecutivePoor);
  const waitMs = waitMsOf(policy, intervalMs);
  const isSlotWithin = slotAtMs <= lastPingAtMs + longestWaitMs(policy, waitMs);
  const isPayWithin = payDueAtMs <= lastPingAtMs + longestWaitMs(policy, intervalMs);
  if (consecutivePoor === state.consecutivePoor && isSlotWithin && isPayWithin) return state;
  return {
    ...state,
    consecutivePoor,
    intervalMs,
    slotAtMs: isSlotWithin ? slotAtMs : lastPingAtMs + waitMs,
    nextDueAtMs: isSlotWithin ? nextDueAtMs : Math.min(nextDueAtMs, lastPingAtMs + waitMs),
    payDueAtMs: isPayWithin ? payDueAtMs : lastPingAtMs + intervalMs,
  };
}

/**
 * Takes back a failure that counted at or after `sinceMs`, when the engine learns that it had lost its own network by then.
 * The agent is asked again soon. Undefined when there is nothing to take back.
 */
export function pardonPing(
  policy: PingPolicy,
  { agentId, state, nowMs }: Resumption,
  sinceMs: number,
): Omit<PingStep, 'record'> | undefined {
  const { undo, lastPingAtMs, lastOutcome } = state;
  if (undo === undefined || lastOutcome === undefined || (lastPingAtMs ?? 0) < sinceMs) return undefined;
  const soonMs = nowMs + phaseMs(agentId, policy.catchUpMs);
  const at = (ms: number) => Math.min(ms, soonMs);
  const { slotAtMs, nextDueAtMs, payDueAtMs } = state;
  const due = { slotAtMs: at(slotAtMs), nextDueAtMs: at(nextDueAtMs), payDueAtMs: at(payDueAtMs) };
  const pardoned = {
    ...state,
    ...undo,
    ...due,
    intervalMs: intervalMsOf(policy, undo.consecutivePoor),
    undo: undefined,
  };
  return { state: pardoned, events: [{ kind: 'pardoned', atMs: nowMs, outcome: lastOutcome }] };
}
