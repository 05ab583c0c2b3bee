/** Where departed agents stood, in SQLite; all within the caller's transaction. */
import type { DatabaseSync } from 'node:sqlite';
import type { PingState } from '../core/ping/state.ts';
import type { Row } from './agent-row.ts';
import type { Keeping } from './agent-store.ts';
import { keyOf, type Mark } from './departure.ts';
import { encodePingState } from './ping-state-json.ts';

const KEEP = `INSERT INTO departed (mark, agent, until_ms, consecutive_poor, state) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (mark) DO UPDATE SET agent = excluded.agent, until_ms = excluded.until_ms,
    consecutive_poor = excluded.consecutive_poor, state = excluded.state`;
// What the agent gave up earlier stands where it stands now.
const KEEP_EARLIER = 'UPDATE departed SET until_ms = ?, consecutive_poor = ?, state = ? WHERE agent = ?';
const BOUND = `DELETE FROM departed WHERE mark IN
  (SELECT mark FROM departed ORDER BY consecutive_poor DESC, until_ms DESC, mark LIMIT -1 OFFSET ?)`;
const TAKE = 'DELETE FROM departed WHERE mark = ? RETURNING agent, until_ms, state';
const FORGET = `DELETE FROM departed
  WHERE agent = ? OR agent = (SELECT agent FROM departed WHERE mark = ?)`;
const TRIM = `DELETE FROM departed WHERE mark IN
  (SELECT mark FROM departed WHERE until_ms <= ? ORDER BY until_ms LIMIT ?)`;

interface PreparedDepartures {
  /** `agent` is the number of the one that gives the marks up. */
  keep(marks: readonly Mark[], left: { readonly agent: number; readonly state: PingState }, keeping: Keeping): void;
  /** Rows that are nobody's any more: whoever takes the marks up goes on from there. */
  take(marks: readonly Mark[]): readonly Row[];
  /** All of the agent with this number, and of the one that left this id. How many. */
  forget(agent: number | undefined, id: string): number;
  trim(nowMs: number, limit: number): number;
}

export function prepareDepartures(db: DatabaseSync): PreparedDepartures {
  const [keep, keepEarlier, bound] = [db.prepare(KEEP), db.prepare(KEEP_EARLIER), db.prepare(BOUND)];
  const [take, forget, trim] = [db.prepare(TAKE), db.prepare(FORGET), db.prepare(TRIM)];
  return {
    keep: (marks, { agent, state }, { untilMs, most }) => {
      const kept = [untilMs, state.consecutivePoor, encodePingState(state)] as const;
      keepEarlier.run(...kept, agent);
      for (const mark of marks) keep.run(keyOf(mark), agent, ...kept);
      bound.run(most);
    },
    take: (marks) => marks.flatMap((mark) => take.all(keyOf(mark))),
    forget: (agent, id) => Number(forget.run(agent ?? null, keyOf({ kind: 'id', name: id })).changes),
    trim: (nowMs, limit) => Number(trim.run(nowMs, limit).changes),
  };
}
