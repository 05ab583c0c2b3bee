/** Where departed agents stood, in PostgreSQL; all within the caller's transaction. */
import type { PingState } from '../core/ping/state.ts';
import type { Row } from './agent-row.ts';
import type { Keeping } from './agent-store.ts';
import { keyOf, type Mark } from './departure.ts';
import { encodePingState } from './ping-state-json.ts';
import type { Ask } from './postgres-database.ts';

const KEEP = `INSERT INTO gpu_uptime.departed (mark, agent, until_ms, consecutive_poor, state)
  SELECT mark, $2::bigint, $3::float8, $4::bigint, $5::json FROM unnest($1::text[]) AS mark
  ON CONFLICT (mark) DO UPDATE SET agent = excluded.agent, until_ms = excluded.until_ms,
    consecutive_poor = excluded.consecutive_poor, state = excluded.state`;
// What the agent gave up earlier stands where it stands now.
const KEEP_EARLIER = `UPDATE gpu_uptime.departed SET until_ms = $2::float8, consecutive_poor = $3::bigint, state = $4::json
  WHERE agent = $1::bigint`;
const BOUND = `DELETE FROM gpu_uptime.departed WHERE mark IN
  (SELECT mark FROM gpu_uptime.departed ORDER BY consecutive_poor DESC, until_ms DESC, mark OFFSET $1)`;
const TAKE = 'DELETE FROM gpu_uptime.departed WHERE mark = ANY ($1::text[]) RETURNING agent, until_ms, state';
const FORGET = `DELETE FROM gpu_uptime.departed
  WHERE agent = $1::bigint OR agent = (SELECT agent FROM gpu_uptime.departed WHERE mark = $2)`;
const TRIM = `DELETE FROM gpu_uptime.departed WHERE mark IN
  (SELECT mark FROM gpu_uptime.departed WHERE until_ms <= $1::float8 ORDER BY until_ms LIMIT $2)`;

interface Left {
  /** The number of the agent that gives the marks up. */
  readonly agent: number;
  readonly state: PingState;
  readonly keeping: Keeping;
}

export async function keepDeparted(ask: Ask, marks: readonly Mark[], { agent, state, keeping }: Left): Promise<void> {
  const kept = [keeping.untilMs, state.consecutivePoor, encodePingState(state)];
  await ask(KEEP_EARLIER, [agent, ...kept]);
  await ask(KEEP, [marks.map(keyOf), agent, ...kept]);
  await ask(BOUND, [keeping.most]);
}

/** Rows that are nobody's any more: whoever takes the marks up goes on from there. */
export async function takeDeparted(ask: Ask, marks: readonly Mark[]): Promise<readonly Row[]> {
  return (await ask(TAKE, [marks.map(keyOf)])).rows;
}

/** All of the agent with this number, and of the one that left this id. How many. */
export async function forgetDeparted(ask: Ask, agent: number | undefined, id: string): Promise<number> {
  return (await ask(FORGET, [agent, keyOf({ kind: 'id', name: id })])).count;
}

export async function trimDeparted(ask: Ask, nowMs: number, limit: number): Promise<number> {
  return (await ask(TRIM, [nowMs, limit])).count;
}
