/** When an agent is due. All of it follows from its id, its state and the instant, in every engine alike. */
import { fingerprintOf } from '../fingerprint.ts';
import { intervalMsOf } from './escalation.ts';
import type { PingPolicy } from './policy.ts';
import type { PingState } from './state.ts';

/** How far a ping may be moved towards its phase, or come before its time, as a share of the base interval. */
const SLACK = 0.05;
/** A ping this late, as a share of the base interval, no longer belongs to the instant it was planned for. */
const LATE = 0.25;
/** Pings at the base interval belong to the pay instant they are nearest to. */
const NEAREST = 0.5;

/** The agent's place within `periodMs`, 0 <= phase < periodMs: the same in every process and after every restart. */
export function phaseMs(agentId: string, periodMs: number): number {
  const fingerprint = fingerprintOf({ agent_id: agentId });
  const [high, low] = [fingerprint.slice(0, 8), fingerprint.slice(8)].map((half) => Number.parseInt(half, 16));
  return Math.floor((mixed((high ?? 0) ^ (low ?? 0)) / 2 ** 32) * periodMs);
}

/**
 * FNV leaves names that differ in their last digits close together; this sends every bit everywhere, 0 <= x < 2^32.
 * Source: A. Appleby, MurmurHash3, fmix32.
 */
function mixed(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}

/** Whether an attempt at `atMs` came before its time. It shows how the agent is, and counts for nothing. */
export function isEarly({ baseIntervalMs }: PingPolicy, state: PingState, atMs: number): boolean {
  const slackMs = state.attempts > 0 ? 0 : SLACK * baseIntervalMs;
  return atMs < state.nextDueAtMs - slackMs;
}

/** Whether the interval in force has run out, so that a poor ping may be the next step of the escalation. */
export function isPayPing({ baseIntervalMs, observe }: PingPolicy, state: PingState, atMs: number): boolean {
  return observe === 'pay' || state.payDueAtMs <= Math.max(atMs, state.slotAtMs) + NEAREST * baseIntervalMs;
}

export interface Decided {
  readonly agentId: string;
  readonly atMs: number;
  readonly consecutivePoor: number;
  /** The engine suspects itself, and leaves an agent that fails alone for longer. */
  readonly isStretched: boolean;
}

type Plan = Pick<PingState, 'slotAtMs' | 'nextDueAtMs' | 'payDueAtMs' | 'intervalMs'>;

/** The plan after a decided ping. What the agent is paid at is never stretched. */
export function planNext(policy: PingPolicy, state: PingState, decided: Decided): Plan {
  const { agentId, atMs, consecutivePoor, isStretched } = decided;
  const intervalMs = intervalMsOf(policy, consecutivePoor);
  const anchorMs = anchorOf(policy, state, atMs);
  const waitMs = waitMsOf(policy, intervalMs);
  const plannedMs = anchorMs + waitMs;
  const onPhaseMs = waitMs === policy.baseIntervalMs ? towardsPhase(policy, agentId, plannedMs) : plannedMs;
  const slotAtMs = onPhaseMs + (isStretched ? stretchMs(policy, waitMs) : 0);
  const runsOutMs = intervalMs === waitMs ? onPhaseMs : anchorMs + intervalMs;
  const payDueAtMs = payDue(policy, state, decided, runsOutMs);
  return { slotAtMs, nextDueAtMs: slotAtMs, payDueAtMs, intervalMs };
}

/** How long an agent whose interval is `intervalMs` is left alone. */
export function waitMsOf({ observe, baseIntervalMs }: PingPolicy, intervalMs: number): number {
  return observe === 'base' ? baseIntervalMs : intervalMs;
}

/** The longest that a plan can be ahead of the ping it was made at: early, stretched, and moved towards its phase. */
export function longestWaitMs(policy: PingPolicy, waitMs: number): number {
  return waitMs + stretchMs(policy, waitMs) + 2 * SLACK * policy.baseIntervalMs;
}

/** Between two pay instants the interval may only become shorter. */
function payDue(policy: PingPolicy, state: PingState, { atMs, consecutivePoor }: Decided, runsOutMs: number): number {
  if (isPayPing(policy, state, atMs)) return runsOutMs;
  return consecutivePoor < state.consecutivePoor ? Math.min(state.payDueAtMs, runsOutMs) : state.payDueAtMs;
}

/** A ping that ran about when it was planned keeps its rhythm; whatever delayed a later one begins a new rhythm. */
function anchorOf({ baseIntervalMs }: PingPolicy, { slotAtMs }: PingState, atMs: number): number {
  const lateMs = atMs - slotAtMs;
  return lateMs >= -SLACK * baseIntervalMs && lateMs <= LATE * baseIntervalMs ? slotAtMs : atMs;
}

/**
 * Agents that registered together would be due together for ever. Each ping moves a little towards the agent's own phase,
 * so that every interval stays what it is said to be, and a fleet is spread after a few pings.
 */
function towardsPhase({ baseIntervalMs }: PingPolicy, agentId: string, plannedMs: number): number {
  const phase = phaseMs(agentId, baseIntervalMs);
  const nearest = Math.round((plannedMs - phase) / baseIntervalMs) * baseIntervalMs + phase;
  const mostMs = Math.floor(SLACK * baseIntervalMs);
  return plannedMs + Math.max(-mostMs, Math.min(mostMs, nearest - plannedMs));
}

function stretchMs({ suspect, maxIntervalMs }: PingPolicy, waitMs: number): number {
  return Math.round(Math.max(0, Math.min(waitMs * suspect.stretch, maxIntervalMs) - waitMs));
}

/** When an overdue ping runs after the engine was down: spread over `catchUpMs`, but over no longer than it is overdue. */
export function catchUpDueMs({ catchUpMs }: PingPolicy, agentId: string, dueAtMs: number, nowMs: number): number {
  const overdueMs = nowMs - dueAtMs;
  return overdueMs <= 0 ? dueAtMs : nowMs + phaseMs(agentId, Math.min(catchUpMs, overdueMs));
}
