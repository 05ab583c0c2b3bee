/** Decided pings in SQLite, one row each, and their totals by hour. */
import type { DatabaseSync } from 'node:sqlite';
import type { PingRecord } from '../core/ping/state.ts';
import { decodeRecord, decodeTotal, encodeRecord, PING_COLUMNS } from './ping-row.ts';
import type { HistoryQuery, PingTotal } from './ping-store.ts';
import { hourOf, totalsOf } from './ping-total.ts';

const INSERT = `INSERT INTO ping (agent, ${PING_COLUMNS.join(', ')})
  VALUES (?, ${PING_COLUMNS.map(() => '?').join(', ')})`;
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
