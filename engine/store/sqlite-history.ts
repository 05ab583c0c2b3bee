/** Decided pings in SQLite, one row each, and their totals by hour. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { PingEvidence, UptimeClaim } from '../core/ping/outcome.ts';
import type { PingRecord } from '../core/ping/state.ts';
import { decodeOutcome } from './ping-state-json.ts';
import type { HistoryQuery, PingTotal } from './ping-store.ts';
import { hourOf, totalsOf } from './ping-total.ts';

const INSERT = `INSERT INTO ping
    (agent, at_ms, sequence, outcome, reason, uptime, consecutive_poor, interval_ms, next_due_at_ms, pay_due_at_ms,
     round_trip_ms, from_ms, to_ms, claimed_uptime, claimed_coverage, observed_uptime, observed_coverage)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const HISTORY = `SELECT * FROM ping
  WHERE agent = (SELECT number FROM agent WHERE id = ?) AND at_ms >= ? AND at_ms < ? AND (at_ms, sequence) < (?, ?)
  ORDER BY at_ms DESC, sequence DESC LIMIT ?`;
const TRIM = `DELETE FROM ping WHERE (agent, at_ms, sequence) IN
  (SELECT agent, at_ms, sequence FROM ping WHERE at_ms < ? ORDER BY at_ms LIMIT ?)`;
const COUNT = `INSERT INTO ping_total (hour_ms, outcome, pings, answered, round_trip_ms) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (hour_ms, outcome) DO UPDATE SET pings = ping_total.pings + excluded.pings,
    answered = ping_total.answered + excluded.answered,
    round_trip_ms = ping_total.round_trip_ms + excluded.round_trip_ms`;
const TOTALS = 'SELECT * FROM ping_total WHERE hour_ms >= ? ORDER BY hour_ms, outcome';
const TRIM_TOTALS = 'DELETE FROM ping_total WHERE hour_ms < ?';

type Row = Record<string, SQLOutputValue>;

interface DecidedPing {
  /** The agent's number. */
  readonly agent: number;
  readonly record: PingRecord;
}

interface PreparedHistory {
  /** Within the caller's transaction, as `trim`. */
  remember(pings: readonly DecidedPing[]): void;
  history(query: HistoryQuery): readonly PingRecord[];
  totals(fromMs: number): readonly PingTotal[];
  trim(beforeMs: number, limit: number): number;
}

export function prepareHistory(db: DatabaseSync): PreparedHistory {
  const [insert, history, trim] = [db.prepare(INSERT), db.prepare(HISTORY), db.prepare(TRIM)];
  const [count, totals, trimTotals] = [db.prepare(COUNT), db.prepare(TOTALS), db.prepare(TRIM_TOTALS)];
  return {
    remember: (pings) => {
      for (const { agent, record } of pings) insert.run(agent, ...encodeRecord(record));
      for (const { hourMs, outcome, pings: more, answered, roundTripMs } of totalsOf(pings.map(({ record }) => record)))
        count.run(hourMs, outcome, more, answered, roundTripMs);
    },
    history: ({ agentId, fromMs, toMs, before = NEWEST, limit }) =>
      history.all(agentId, fromMs, toMs, before.atMs, before.sequence, limit).map((row) => decodeRecord(agentId, row)),
    totals: (fromMs) => totals.all(hourOf(fromMs)).map(decodeTotal),
    trim: (beforeMs, limit) => {
      // An hour that is cut in two keeps its totals until all of it has gone.
      trimTotals.run(hourOf(beforeMs));
      return Number(trim.run(beforeMs, limit).changes);
    },
  };
}

const NEWEST = { atMs: Number.MAX_VALUE, sequence: 0 };

function encodeRecord(record: PingRecord) {
  const { atMs, sequence, outcome, reason, uptime, consecutivePoor, intervalMs, nextDueAtMs, payDueAtMs } = record;
  const plan = [consecutivePoor, intervalMs, nextDueAtMs, payDueAtMs] as const;
  const said = [atMs, sequence, outcome, reason, uptime ?? null, ...plan, record.roundTripMs ?? null] as const;
  return [...said, ...encodeEvidence(record.evidence)] as const;
}

function encodeEvidence(evidence: PingEvidence | undefined) {
  const { claimed, observed } = evidence ?? {};
  const span = [evidence?.fromMs ?? null, evidence?.toMs ?? null] as const;
  return [...span, ...encodeClaim(claimed), ...encodeClaim(observed)] as const;
}

function encodeClaim(claim: UptimeClaim | undefined) {
  return [claim?.uptime ?? null, claim?.coverage ?? null] as const;
}

function decodeRecord(agentId: string, row: Row): PingRecord {
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
  };
}

function decodeEvidence(row: Row): PingEvidence | undefined {
  if (row.from_ms === null) return undefined;
  return {
    claimed: decodeClaim(row.claimed_uptime, row.claimed_coverage),
    observed: decodeClaim(row.observed_uptime, row.observed_coverage),
    fromMs: Number(row.from_ms),
    toMs: Number(row.to_ms),
  };
}

function decodeClaim(uptime: SQLOutputValue | undefined, coverage: SQLOutputValue | undefined) {
  return coverage === null ? undefined : { uptime: maybeNumber(uptime), coverage: Number(coverage) };
}

function decodeTotal(row: Row): PingTotal {
  const [pings, answered] = [Number(row.pings), Number(row.answered)];
  const roundTripMs = Number(row.round_trip_ms);
  return { hourMs: Number(row.hour_ms), outcome: decodeOutcome(row.outcome), pings, answered, roundTripMs };
}

function maybeNumber(value: SQLOutputValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
