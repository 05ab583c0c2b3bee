/** Claims and results in PostgreSQL: one statement each, so that no engine holds anything between two. */
import { messageOf } from '../text/message-of.ts';
import { decodeClaim } from './agent-row.ts';
import { PING_COLUMNS } from './ping-row.ts';
import { encodePingState } from './ping-state-json.ts';
import { MAX_CLOCK_SKEW_MS, type PingResult, type PingStore, UnfitResultError } from './ping-store.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { postgresHistory, recordColumns, UNNEST_RECORDS } from './postgres-history.ts';

// $1 now, $2 the end of the lease, $3 what no lease of now reaches.
const IS_FREE = '(leased_until_ms <= $1::float8 OR leased_until_ms > $3::float8)';
const LEASE = "version = nextval('gpu_uptime.ping_version'), leased_until_ms = $2::float8";
const CLAIM_DUE = `WITH due AS (
    SELECT agent FROM gpu_uptime.ping_state WHERE next_due_at_ms <= $1::float8 AND ${IS_FREE}
    ORDER BY next_due_at_ms, agent LIMIT $4 FOR UPDATE SKIP LOCKED),
  claimed AS (
    UPDATE gpu_uptime.ping_state SET ${LEASE} FROM due WHERE ping_state.agent = due.agent RETURNING ping_state.*)
  SELECT agent.*, version, leased_until_ms, state FROM claimed JOIN gpu_uptime.agent ON number = claimed.agent
  ORDER BY next_due_at_ms, number`;
const CLAIM = `UPDATE gpu_uptime.ping_state SET ${LEASE}
  FROM gpu_uptime.agent WHERE number = ping_state.agent AND id = $4 AND ${IS_FREE}
  RETURNING agent.*, version, leased_until_ms, state`;

// Rows are locked in the order of agents, and totals in theirs after all agents: two engines never wait for each other.
// Of two results for one claim the first counts.
const RECORD = `WITH result AS (
    SELECT DISTINCT ON (id, version) * FROM unnest($1::text[], $2::bigint[], $3::float8[], $4::json[])
      WITH ORDINALITY AS given (id, version, next_due_at_ms, state, place)
    ORDER BY id, version, place),
  held AS (
    SELECT ping_state.agent, place, result.next_due_at_ms, result.state
    FROM result JOIN gpu_uptime.agent USING (id)
      JOIN gpu_uptime.ping_state ON ping_state.agent = number AND ping_state.version = result.version
    ORDER BY ping_state.agent FOR UPDATE OF ping_state),
  kept AS (
    UPDATE gpu_uptime.ping_state SET version = nextval('gpu_uptime.ping_version'), leased_until_ms = 0,
      next_due_at_ms = held.next_due_at_ms, state = held.state
    FROM held WHERE ping_state.agent = held.agent RETURNING ping_state.agent, place),
  decided AS (SELECT * FROM kept JOIN ${UNNEST_RECORDS} USING (place)),
  remembered AS (
    INSERT INTO gpu_uptime.ping (agent, ${PING_COLUMNS.join(', ')})
    SELECT agent, ${PING_COLUMNS.join(', ')} FROM decided),
  counted AS (
    INSERT INTO gpu_uptime.ping_total (hour_ms, outcome, pings, answered, round_trip_ms)
    SELECT floor(at_ms / 3600000) * 3600000 AS hour_ms, outcome COLLATE "C", count(*), count(round_trip_ms),
      coalesce(sum(round_trip_ms), 0)
    FROM decided GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (hour_ms, outcome) DO UPDATE SET pings = ping_total.pings + excluded.pings,
      answered = ping_total.answered + excluded.answered,
      round_trip_ms = ping_total.round_trip_ms + excluded.round_trip_ms)
  SELECT place FROM kept`;

export function postgresPings(database: PostgresDatabase): PingStore {
  const { ask } = database;
  return {
    claimDue: async (nowMs, limit, leaseMs) =>
      (await ask(CLAIM_DUE, [...leaseOf(nowMs, leaseMs), limit])).rows.map(decodeClaim),
    claim: async (agentId, nowMs, leaseMs) =>
      (await ask(CLAIM, [...leaseOf(nowMs, leaseMs), agentId])).rows.map(decodeClaim)[0],
    record: async (results) => {
      if (results.length === 0) return [];
      const { rows } = await ask(RECORD, [...resultColumns(results), ...recordColumns(results)]).catch(refuse);
      // Places begin with 1.
      const kept = new Set(rows.map(({ place }) => Number(place) - 1));
      return results.map((_, at) => (kept.has(at) ? 'kept' : 'stale'));
    },
    ...postgresHistory(database),
  };
}

/** What the server says of values that its columns do not hold: SQLSTATE 22 is of data, 23 of constraints. */
function refuse(error: unknown): never {
  const { code = '' } = ((error instanceof Error && error.cause) || {}) as { readonly code?: string };
  if (!/^2[23]/.test(code)) throw error;
  throw new UnfitResultError(messageOf(error), { cause: error });
}

function leaseOf(nowMs: number, leaseMs: number) {
  return [nowMs, nowMs + leaseMs, nowMs + leaseMs + MAX_CLOCK_SKEW_MS];
}

function resultColumns(results: readonly PingResult[]) {
  return [
    results.map(({ agentId }) => agentId),
    results.map(({ version }) => version),
    results.map(({ state }) => state.nextDueAtMs),
    results.map(({ state }) => encodePingState(state)),
  ];
}
