/** The state machine of one agent: a fold over attempts. Replay, restart, tests and the live engine run the same step. */
import { afterEffect } from './escalation.ts';
import { wasSeen } from './evidence.ts';
import { judgePing, type PingObservation, type Verdict } from './judge.ts';
import type { PingOutcome } from './outcome.ts';
import type { PingPolicy } from './policy.ts';
import { isEarly, isPayPing, planNext } from './schedule.ts';
import type { PingRecord, PingState } from './state.ts';

export type PingEvent =
  /** The result is older than what is known: shown, never applied. */
  | { readonly kind: 'late'; readonly atMs: number; readonly newestAtMs: number }
  /** The ping came before its time: what it found is shown, never applied. */
  | { readonly kind: 'early'; readonly atMs: number; readonly dueAtMs: number; readonly verdict: Verdict }
  | { readonly kind: 'retry'; readonly atMs: number; readonly attempts: number; readonly reason: string }
  | { readonly kind: 'restarted'; readonly atMs: number; readonly bootId: string; readonly isGrace: boolean }
  | { readonly kind: 'escalated' | 'eased'; readonly atMs: number; readonly fromMs: number; readonly toMs: number }
  /** Back at the base interval. */
  | { readonly kind: 'recovered'; readonly atMs: number }
  | { readonly kind: 'pardoned'; readonly atMs: number; readonly outcome: PingOutcome };

export interface PingStep {
  readonly state: PingState;
  /** Of a ping that was decided. */
  readonly record: PingRecord | undefined;
  readonly events: readonly PingEvent[];
}

/** An agent that was just registered and is due at once. */
export function initialPingState({ baseIntervalMs }: PingPolicy, registeredAtMs: number): PingState {
  return {
    sinceMs: registeredAtMs,
    pings: 0,
    consecutivePoor: 0,
    goodInARow: 0,
    cursor: undefined,
    spanFromMs: undefined,
    attempts: 0,
    failingSinceMs: undefined,
    graceAtMs: undefined,
    lastAttemptAtMs: undefined,
    lastPingAtMs: undefined,
    lastOutcome: undefined,
    lastReason: undefined,
    lastEvidence: undefined,
    seenAtMs: undefined,
    isUnseen: false,
    isReachable: undefined,
    clockSkewMs: undefined,
    slotAtMs: registeredAtMs,
    nextDueAtMs: registeredAtMs,
    payDueAtMs: registeredAtMs,
    intervalMs: baseIntervalMs,
    undo: undefined,
  };
}

/**
 * One attempt at pinging an agent. Results that began before the newest applied one, or came before the ping was due, change
 * nothing. A record comes with every decided ping, and with nothing else.
 */
export function stepPing(policy: PingPolicy, state: PingState, observation: PingObservation): PingStep {
  const { atMs } = observation;
  const { lastAttemptAtMs: newestAtMs } = state;
  if (newestAtMs !== undefined && atMs <= newestAtMs) return unchanged(state, { kind: 'late', atMs, newestAtMs });
  const verdict = judgePing(policy, state, observation);
  if (isEarly(policy, state, atMs)) {
    return unchanged(state, { kind: 'early', atMs, dueAtMs: state.nextDueAtMs, verdict });
  }
  return verdict.kind === 'failing' ? retry(state, atMs, verdict) : decide(policy, state, observation, verdict);
}

function unchanged(state: PingState, event: PingEvent): PingStep {
  return { state, record: undefined, events: [event] };
}

type Failing = Extract<Verdict, { readonly kind: 'failing' }>;
type Decision = Extract<Verdict, { readonly kind: 'decided' }>;

function retry(before: PingState, atMs: number, { reason, retryAtMs }: Failing): PingStep {
  const attempts = before.attempts + 1;
  const failingSinceMs = before.failingSinceMs ?? atMs;
  const state = { ...before, attempts, failingSinceMs, lastAttemptAtMs: atMs, nextDueAtMs: retryAtMs };
  return { state, record: undefined, events: [{ kind: 'retry', atMs, attempts, reason }] };
}

const FAILURES: readonly PingOutcome[] = ['unreachable', 'refused', 'invalid'];

function decide(policy: PingPolicy, before: PingState, observation: PingObservation, verdict: Decision): PingStep {
  const { agentId, atMs, reply, isSuspect } = observation;
  const { outcome, reason, evidence, isGrace } = verdict;
  const { consecutivePoor, goodInARow, isReachable } = before;
  const standing = standingAfter(policy, before, atMs, verdict);
  const isStretched = isSuspect && reply.kind !== 'answered' && reply.kind !== 'forbidden';
  const isUndone = FAILURES.includes(outcome) && verdict.effect === 'escalates';
  const state: PingState = {
    ...before,
    ...standing,
    ...progress(before, observation, outcome),
    ...sightAfter(policy, before, observation),
    ...planNext(policy, before, { agentId, atMs, consecutivePoor: standing.consecutivePoor, isStretched }),
    pings: before.pings + 1,
    attempts: 0,
    failingSinceMs: undefined,
    graceAtMs: isGrace ? atMs : before.graceAtMs,
    lastAttemptAtMs: atMs,
    lastPingAtMs: atMs,
    lastOutcome: outcome,
    lastReason: reason,
    lastEvidence: evidence ?? before.lastEvidence,
    undo: isUndone ? { consecutivePoor, goodInARow, isReachable } : undefined,
  };
  return {
    state,
    record: recordOf(state, observation, verdict),
    events: eventsOf(before, state, observation, isGrace),
  };
}

/** Looked at more often than it is paid, an agent climbs one step per pay interval, and comes back with every good ping. */
function standingAfter(policy: PingPolicy, before: PingState, atMs: number, { effect }: Decision) {
  const after = afterEffect(policy, before, effect);
  if (effect !== 'escalates' || isPayPing(policy, before, atMs)) return after;
  return { ...after, consecutivePoor: before.consecutivePoor };
}

type Progress = Pick<PingState, 'cursor' | 'spanFromMs' | 'isReachable' | 'clockSkewMs'>;

/** Only an answer moves the cursor: what an agent could not tell, it is asked for again. */
function progress(before: PingState, { reply, atMs }: PingObservation, outcome: PingOutcome): Progress {
  if (reply.kind === 'answered') {
    const { bootId, seq } = reply.answer;
    const clockSkewMs = reply.clockSkewMs ?? before.clockSkewMs;
    return { cursor: { bootId, seq }, spanFromMs: atMs, isReachable: true, clockSkewMs };
  }
  const { cursor, spanFromMs, clockSkewMs } = before;
  return { cursor, spanFromMs, clockSkewMs, isReachable: FAILURES.includes(outcome) ? false : before.isReachable };
}

/** What Prometheus was not there to see, or was not asked for, leaves it as it was. */
function sightAfter(policy: PingPolicy, before: PingState, { reply, observed, atMs }: PingObservation) {
  const { seenAtMs, isUnseen } = before;
  if (policy.evidence === 'agent') return { seenAtMs, isUnseen: false };
  const isSeen = reply.kind === 'answered' ? wasSeen(policy, observed) : undefined;
  if (isSeen === undefined) return { seenAtMs, isUnseen };
  return isSeen ? { seenAtMs: atMs, isUnseen: false } : { seenAtMs, isUnseen: seenAtMs !== undefined };
}

function recordOf(state: PingState, { agentId, atMs, reply }: PingObservation, verdict: Decision): PingRecord {
  const { outcome, reason, evidence, uptime } = verdict;
  const { pings: sequence, consecutivePoor, intervalMs, nextDueAtMs, payDueAtMs } = state;
  const { roundTripMs, clockSkewMs } = reply.kind === 'answered' ? reply : NOT_ANSWERED;
  const standing = { consecutivePoor, intervalMs, nextDueAtMs, payDueAtMs };
  return { agentId, atMs, sequence, outcome, reason, evidence, uptime, ...standing, roundTripMs, clockSkewMs };
}

const NOT_ANSWERED = { roundTripMs: undefined, clockSkewMs: undefined };

function eventsOf(
  before: PingState,
  after: PingState,
  { atMs, reply }: PingObservation,
  isGrace: boolean,
): readonly PingEvent[] {
  const events: PingEvent[] = [];
  const bootId = reply.kind === 'answered' ? reply.answer.bootId : undefined;
  if (bootId !== undefined && before.cursor !== undefined && before.cursor.bootId !== bootId) {
    events.push({ kind: 'restarted', atMs, bootId, isGrace });
  }
  const [fromMs, toMs] = [before.intervalMs, after.intervalMs];
  if (after.consecutivePoor > before.consecutivePoor) events.push({ kind: 'escalated', atMs, fromMs, toMs });
  else if (after.consecutivePoor === 0 && before.consecutivePoor > 0) events.push({ kind: 'recovered', atMs });
  else if (after.consecutivePoor < before.consecutivePoor) events.push({ kind: 'eased', atMs, fromMs, toMs });
  return events;
}
