/** Decided pings in PostgreSQL, one row each, and their totals by hour. */
import { decodeRecord, decodeTotal, encodeRecord, PING_COLUMNS } from './ping-row.ts';
import type { PingResult, PingStore } from './ping-store.ts';
import { hourOf } from './ping-total.ts';
import type { PostgresDatabase } from './postgres-database.ts';

const HISTORY = `SELECT * FROM gpu_uptime.ping
  WHERE agent = (SELECT number FROM gpu_uptime.agent WHERE id = $1) AND at_ms >= $2::float8 AND at_ms < $3::float8
    AND (at_ms, sequence) < ($4::float8, $5::bigint)
  ORDER BY at_ms DESC, sequence DESC LIMIT $6`;
const TOTALS = 'SELECT * FROM gpu_uptime.ping_total WHERE hour_ms >= $1::float8 ORDER BY hour_ms, outcome';
// What another engine is at work on is left to it. An hour that is cut in two keeps its totals until all of it has gone.
const TRIM = `WITH old AS (
    SELECT agent, at_ms, sequence FROM gpu_uptime.ping WHERE at_ms < $1::float8
    ORDER BY at_ms LIMIT $2 FOR UPDATE SKIP LOCKED),
  old_total AS (
    SELECT hour_ms, outcome FROM gpu_uptime.ping_total WHERE hour_ms < $3::float8 FOR UPDATE SKIP LOCKED),
  forgotten AS (DELETE FROM gpu_uptime.ping_total USING old_total
    WHERE ping_total.hour_ms = old_total.hour_ms AND ping_total.outcome = old_total.outcome)
  DELETE FROM gpu_uptime.ping USING old
  WHERE ping.agent = old.agent AND ping.at_ms = old.at_ms AND ping.sequence = old.sequence`;

const TYPES: Readonly<Record<string, string>> = {
  sequence: 'bigint',
  outcome: 'text',
  reason: 'text',
  consecutive_poor: 'bigint',
};

/** The parameters after those of the results themselves. */
const FIRST_PARAMETER = 5;
const COLUMNS = [['place', 'bigint'], ...PING_COLUMNS.map((name) => [name, TYPES[name] ?? 'float8'])];

/** A table of what `recordColumns` gives. */
export const UNNEST_RECORDS = `unnest(${COLUMNS.map(([, type], at) => `$${FIRST_PARAMETER + at}::${type}[]`).join(', ')})
  AS record (${COLUMNS.map(([name]) => name).join(', ')})`;

/** Of results that have a record: their places, counted from 1, and the columns of their rows. */
export function recordColumns(results: readonly PingResult[]): readonly (readonly unknown[])[] {
  const rows = results.flatMap(({ record }, at) =>
    record === undefined ? [] : [[at + 1, ...encodeRecord(record).map(storable)]],
  );
  return COLUMNS.map((_, column) => rows.map((row) => row[column]));
}

/** PostgreSQL holds every character but this one, and would refuse the results of a hundred agents for it. */
function storable(value: string | number | null): string | number | null {
  return typeof value === 'string' ? value.replaceAll('\0', '\u{fffd}') : value;
}

export function postgresHistory({ ask }: PostgresDatabase): Pick<PingStore, 'history' | 'totals' | 'trim'> {
  return {
    history: async ({ agentId, fromMs, toMs, before = NEWEST, limit }) => {
      const { rows } = await ask(HISTORY, [agentId, fromMs, toMs, before.atMs, before.sequence, limit]);
      return rows.map((row) => decodeRecord(agentId, row));
    },
    totals: async (fromMs) => (await ask(TOTALS, [hourOf(fromMs)])).rows.map(decodeTotal),
    trim: async (beforeMs, limit) => (await ask(TRIM, [beforeMs, limit, hourOf(beforeMs)])).count,
  };
}

const NEWEST = { atMs: Number.MAX_VALUE, sequence: 0 };
