/** Agents and their pings as JSON, the same wherever they are shown. */
import { divergenceOf } from '../core/ping/evidence.ts';
import type { PingEvidence, UptimeClaim } from '../core/ping/outcome.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import type { PingRecord } from '../core/ping/state.ts';
import type { RegisteredAgent } from '../ping/agent-index.ts';
import { statusOf } from '../ping/agent-status.ts';
import type { Pings } from '../ping/pings.ts';
import { recoveryOf } from '../ping/recovery.ts';
import { percent, secondsOrNull } from './answers.ts';

/** What agents are shown against. */
export interface Present {
  readonly nowMs: number;
  readonly policy: PingPolicy;
  /** Whoever is being asked right now is not due. */
  readonly isInFlight: Pings['isInFlight'];
}

export function presentOf(pings: Pings, nowMs: number): Present {
  return { nowMs, policy: pings.policy(), isInFlight: (agentId) => pings.isInFlight(agentId) };
}

/** Who sees to it that agents are pinged. */
export function schedulerOf(pings: Pings): 'engine' | 'external' {
  return pings.stats().isScheduling ? 'engine' : 'external';
}

export function agentEntry(registered: RegisteredAgent, present: Present): Record<string, unknown> {
  const { agent, state } = registered;
  return {
    agent_id: agent.id,
    agent_url: agent.url,
    capabilities: agent.capabilities,
    metadata: agent.metadata,
    node: agent.node,
    gpu: agent.gpu ?? null,
    registered_at: agent.registeredAtMs / 1000,
    updated_at: agent.updatedAtMs / 1000,
    status: statusOf(state),
    ping: standingEntry(registered, present),
  };
}

function standingEntry(registered: RegisteredAgent, present: Present): Record<string, unknown> {
  const { agent, state } = registered;
  return {
    pings: state.pings,
    last_ping_at: secondsOrNull(state.lastPingAtMs),
    outcome: state.lastOutcome ?? null,
    reason: state.lastReason ?? null,
    consecutive_poor: state.consecutivePoor,
    good_in_a_row: state.goodInARow,
    interval_seconds: state.intervalMs / 1000,
    next_ping_at: state.nextDueAtMs / 1000,
    pay_interval_ends_at: state.payDueAtMs / 1000,
    retries: state.attempts,
    is_due: state.nextDueAtMs <= present.nowMs && !present.isInFlight(agent.id),
    clock_skew_seconds: secondsOrNull(state.clockSkewMs),
    recovery: recoveryEntry(registered, present),
  };
}

export function recoveryEntry(registered: RegisteredAgent, { policy, nowMs }: Present): Record<string, unknown> {
  const { pings, atMs } = recoveryOf(policy, registered, nowMs);
  return { pings, at: secondsOrNull(atMs) };
}

/** A decided ping of the history. */
export function recordEntry(record: PingRecord, policy: PingPolicy): Record<string, unknown> {
  return {
    at: record.atMs / 1000,
    sequence: record.sequence,
    outcome: record.outcome,
    reason: record.reason,
    uptime_percentage: percent(record.uptime),
    evidence: evidenceEntry(record.evidence, policy),
    consecutive_poor: record.consecutivePoor,
    interval_seconds: record.intervalMs / 1000,
    next_ping_at: record.nextDueAtMs / 1000,
    pay_interval_ends_at: record.payDueAtMs / 1000,
    round_trip_seconds: fineSeconds(record.roundTripMs),
    clock_skew_seconds: secondsOrNull(record.clockSkewMs),
  };
}

/** What both sides said of a span; null where there was none to speak of. */
export function evidenceEntry(evidence: PingEvidence | undefined, policy: PingPolicy): Record<string, unknown> | null {
  if (evidence === undefined) return null;
  return {
    from: evidence.fromMs / 1000,
    to: evidence.toMs / 1000,
    claimed: claimEntry(evidence.claimed),
    observed: claimEntry(evidence.observed),
    divergence_percentage_points: percentagePoints(divergenceOf(policy, evidence)),
  };
}

function claimEntry(claim: UptimeClaim | undefined): Record<string, unknown> | null {
  return claim === undefined
    ? null
    : { uptime_percentage: percent(claim.uptime), coverage_percentage: percent(claim.coverage) };
}

/** A difference has no side to be rounded to; three decimals, as percentages have them. */
function percentagePoints(difference: number | undefined): number | null {
  return difference === undefined ? null : Math.round(difference * 100_000) / 1000;
}

/** Seconds to the microsecond, which is what a measured time is good for. */
export function fineSeconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 1000) / 1e6;
}
