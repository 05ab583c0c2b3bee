/** Agents in PostgreSQL. */
import { decodeStored, encodeAgent, type Row } from './agent-row.ts';
import type { AgentStore, NewAgent } from './agent-store.ts';
import { encodePingState } from './ping-state-json.ts';
import type { PostgresDatabase } from './postgres-database.ts';

const SELECT = `SELECT agent.*, state
  FROM gpu_uptime.agent JOIN gpu_uptime.ping_state ON ping_state.agent = agent.number`;
const LIST = `${SELECT} WHERE id > $1 ORDER BY id LIMIT $2`;
const FIND = `${SELECT} WHERE id = $1`;
// Only one engine at a time adds agents: two would count the same ones, and both find room for the last.
const LOCK = 'SELECT pg_advisory_xact_lock(6735120071894202)';
const ADD = `WITH added AS (
    INSERT INTO gpu_uptime.agent
      (id, url, capabilities, metadata, node, gpu, registered_at_ms, updated_at_ms, token_hash)
    SELECT $1, $2, $3::json, $4::json, $5, $6, $7::float8, $8::float8, $9
    WHERE (SELECT count(*) FROM gpu_uptime.agent) < $10::bigint
    ON CONFLICT (id) DO NOTHING RETURNING number),
  begun AS (
    INSERT INTO gpu_uptime.ping_state (agent, next_due_at_ms, state) SELECT number, $11::float8, $12::json FROM added)
  SELECT 'added' AS outcome FROM added
  UNION ALL SELECT 'taken' FROM gpu_uptime.agent WHERE id = $1`;
const CHANGE = `UPDATE gpu_uptime.agent SET
    url = $2, capabilities = $3, metadata = $4, node = $5, gpu = $6, registered_at_ms = $7, updated_at_ms = $8
  WHERE id = $1 AND token_hash = $9`;
const REMOVE = 'DELETE FROM gpu_uptime.agent WHERE id = $1 AND token_hash = coalesce($2, token_hash)';

export function postgresAgents({ ask, transaction }: PostgresDatabase): AgentStore {
  return {
    list: async (after, limit) => (await ask(LIST, [after ?? '', limit])).rows.map(decodeStored),
    find: async (id) => (await ask(FIND, [id])).rows.map(decodeStored)[0],
    add: (agent, maxAgents) =>
      transaction(async (askWithin) => {
        await askWithin(LOCK);
        return outcomeOf((await askWithin(ADD, additionOf(agent, maxAgents))).rows);
      }),
    change: async (agent, tokenHash) => (await ask(CHANGE, [agent.id, ...encodeAgent(agent), tokenHash])).count === 1,
    remove: async (id, tokenHash) => (await ask(REMOVE, [id, tokenHash])).count === 1,
  };
}

function additionOf({ agent, tokenHash, state }: NewAgent, maxAgents: number) {
  const first = [state.nextDueAtMs, encodePingState(state)];
  return [agent.id, ...encodeAgent(agent), tokenHash, maxAgents, ...first];
}

function outcomeOf(rows: readonly Row[]): 'added' | 'taken' | 'full' {
  const outcomes = rows.map(({ outcome }) => outcome);
  if (outcomes.includes('added')) return 'added';
  return outcomes.includes('taken') ? 'taken' : 'full';
}
