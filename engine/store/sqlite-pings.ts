/** Claims and results in SQLite. */
import type { DatabaseSync } from 'node:sqlite';
import type { PingRecord } from '../core/ping/state.ts';
import { messageOf } from '../text/message-of.ts';
import { decodeClaim, type Row } from './agent-row.ts';
import { encodePingState } from './ping-state-json.ts';
import { type Claim, MAX_CLOCK_SKEW_MS, type PingResult, type PingStore, UnfitResultError } from './ping-store.ts';
import { inTransaction } from './sqlite-database.ts';
import { prepareHistory } from './sqlite-history.ts';

const CLAIM_DUE = `UPDATE ping_state SET version = version + 1, leased_until_ms = ?
  WHERE agent IN (SELECT agent FROM ping_state
    WHERE next_due_at_ms <= ? AND (leased_until_ms <= ? OR leased_until_ms > ?)
    ORDER BY next_due_at_ms, agent LIMIT ?)
  RETURNING agent`;
const CLAIM = `UPDATE ping_state SET version = version + 1, leased_until_ms = ?
  WHERE agent = (SELECT number FROM agent WHERE id = ?) AND (leased_until_ms <= ? OR leased_until_ms > ?)
  RETURNING agent`;
const CLAIMED = `SELECT agent.*, version, leased_until_ms, next_due_at_ms, state
  FROM ping_state JOIN agent ON number = ping_state.agent WHERE ping_state.agent = ?`;
const KEEP = `UPDATE ping_state SET version = version + 1, leased_until_ms = 0, next_due_at_ms = ?, state = ?
  WHERE agent = (SELECT number FROM agent WHERE id = ?) AND version = ?
  RETURNING agent`;

export function sqlitePings(db: DatabaseSync): PingStore {
  const { history, totals, trim, remember } = prepareHistory(db);
  const { claimDue, claim } = prepareClaims(db);
  const keep = prepareKeep(db);
  return {
    claimDue: async (nowMs, limit, leaseMs) => inTransaction(db, () => claimDue(nowMs, limit, leaseMs)),
    claim: async (agentId, nowMs, leaseMs) => inTransaction(db, () => claim(agentId, nowMs, leaseMs)),
    record: async (results) =>
      refusing(() =>
        inTransaction(db, () => {
          const kept = results.map(keep);
          remember(kept.flatMap((agent, at) => decided(agent, results[at]?.record)));
          return kept.map((agent) => (agent === undefined ? 'stale' : 'kept'));
        }),
      ),
    history: async (query) => history(query),
    totals: async (fromMs) => totals(fromMs),
    trim: async (beforeMs, limit) => inTransaction(db, () => trim(beforeMs, limit)),
  };
}

function prepareClaims(db: DatabaseSync) {
  const [claimDue, claim, claimed] = [db.prepare(CLAIM_DUE), db.prepare(CLAIM), db.prepare(CLAIMED)];
  const read = (rows: readonly Row[]) => rows.flatMap(({ agent }) => claimed.all(Number(agent)));
  return {
    claimDue: (nowMs: number, limit: number, leaseMs: number): readonly Claim[] => {
      const untilMs = nowMs + leaseMs;
      const rows = read(claimDue.all(untilMs, nowMs, nowMs, untilMs + MAX_CLOCK_SKEW_MS, limit));
      // RETURNING gives rows in no order that could be relied on.
      return rows.sort(byDueTime).map(decodeClaim);
    },
    claim: (agentId: string, nowMs: number, leaseMs: number): Claim | undefined => {
      const untilMs = nowMs + leaseMs;
      return read(claim.all(untilMs, agentId, nowMs, untilMs + MAX_CLOCK_SKEW_MS)).map(decodeClaim)[0];
    },
  };
}

/** Of those that are due at once the oldest agent comes first. */
function byDueTime(a: Row, b: Row): number {
  return Number(a.next_due_at_ms) - Number(b.next_due_at_ms) || Number(a.number) - Number(b.number);
}

/** Gives the agent's number, or undefined when the claim has been overtaken. */
function prepareKeep(db: DatabaseSync): (result: PingResult) => number | undefined {
  const keep = db.prepare(KEEP);
  return ({ agentId, version, state }) => {
    const row = keep.get(state.nextDueAtMs, encodePingState(state), agentId, version);
    return row === undefined ? undefined : Number(row.agent);
  };
}

const SQLITE_CONSTRAINT = 19;

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const { errcode = 0 } = cause as { readonly errcode?: number };
    // The extended codes say more in higher bits.
    if ((errcode & 0xff) !== SQLITE_CONSTRAINT) throw cause;
    throw new UnfitResultError(messageOf(cause), { cause });
  }
}

function decided(agent: number | undefined, record: PingRecord | undefined) {
  return agent === undefined || record === undefined ? [] : [{ agent, record }];
}
