/** Decided pings and their totals as rows, the same in every adapter. A value may come as its text. */
import type { PingEvidence, UptimeClaim } from '../core/ping/outcome.ts';
import type { PingRecord } from '../core/ping/state.ts';
import type { Row } from './agent-row.ts';
import { decodeOutcome } from './ping-state-json.ts';
import type { PingTotal } from './ping-store.ts';

/** Of table `ping`, after the agent's number, in the order in which `encodeRecord` gives their values. */
export const PING_COLUMNS = [
  'at_ms',
  'sequence',
  'outcome',
  'reason',
  'uptime',
  'consecutive_poor',
  'interval_ms',
  'next_due_at_ms',
  'pay_due_at_ms',
  'round_trip_ms',
  'clock_skew_ms',
  'from_ms',
  'to_ms',
  'claimed_uptime',
  'claimed_coverage',
  'observed_uptime',
  'observed_coverage',
] as const;

export function encodeRecord(record: PingRecord) {
  const { atMs, sequence, outcome, reason, uptime, consecutivePoor, intervalMs, nextDueAtMs, payDueAtMs } = record;
  const plan = [consecutivePoor, intervalMs, nextDueAtMs, payDueAtMs] as const;
  const said = [atMs, sequence, outcome, reason, uptime ?? null] as const;
  const measured = [record.roundTripMs ?? null, record.clockSkewMs ?? null] as const;
  return [...said, ...plan, ...measured, ...encodeEvidence(record.evidence)] as const;
}

function encodeEvidence(evidence: PingEvidence | undefined) {
  const { claimed, observed } = evidence ?? {};
  const span = [evidence?.fromMs ?? null, evidence?.toMs ?? null] as const;
  return [...span, ...encodeUptime(claimed), ...encodeUptime(observed)] as const;
}

function encodeUptime(claim: UptimeClaim | undefined) {
  return [claim?.uptime ?? null, claim?.coverage ?? null] as const;
}

export function decodeRecord(agentId: string, row: Row): PingRecord {
  return {
    agentId,
    atMs: Number(row.at_ms),
    sequence: Number(row.sequence),
    outcome: decodeOutcome(row.outcome),
    reason: String(row.reason),
    evidence: decodeEvidence(row),
    uptime: maybeNumber(row.uptime),
    consecutivePoor: Number(row.consecutive_poor),
    intervalMs: Number(row.interval_ms),
    nextDueAtMs: Number(row.next_due_at_ms),
    payDueAtMs: Number(row.pay_due_at_ms),
    roundTripMs: maybeNumber(row.round_trip_ms),
    clockSkewMs: maybeNumber(row.clock_skew_ms),
  };
}

function decodeEvidence(row: Row): PingEvidence | undefined {
  if (row.from_ms === null) return undefined;
  return {
    claimed: decodeUptime(row.claimed_uptime, row.claimed_coverage),
    observed: decodeUptime(row.observed_uptime, row.observed_coverage),
    fromMs: Number(row.from_ms),
    toMs: Number(row.to_ms),
  };
}

function decodeUptime(uptime: unknown, coverage: unknown): UptimeClaim | undefined {
  return coverage === null ? undefined : { uptime: maybeNumber(uptime), coverage: Number(coverage) };
}

export function decodeTotal(row: Row): PingTotal {
  const [pings, answered] = [Number(row.pings), Number(row.answered)];
  const roundTripMs = Number(row.round_trip_ms);
  return { hourMs: Number(row.hour_ms), outcome: decodeOutcome(row.outcome), pings, answered, roundTripMs };
}

function maybeNumber(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
