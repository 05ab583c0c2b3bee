/** Agents in SQLite. */
import { randomInt } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { decodeStored, encodeAgent } from './agent-row.ts';
import type { AgentStore, NewAgent } from './agent-store.ts';
import { encodePingState } from './ping-state-json.ts';
import { inTransaction } from './sqlite-database.ts';

const SELECT = 'SELECT agent.*, state FROM agent JOIN ping_state ON ping_state.agent = agent.number';
const LIST = `${SELECT} WHERE id > ? ORDER BY id LIMIT ?`;
const FIND = `${SELECT} WHERE id = ?`;
const ADD = `INSERT INTO agent
    (id, url, capabilities, metadata, node, gpu, registered_at_ms, updated_at_ms, token_hash)
  SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM agent) < ?
  ON CONFLICT (id) DO NOTHING RETURNING number`;
const ADD_STATE = 'INSERT INTO ping_state (agent, version, next_due_at_ms, state) VALUES (?, ?, ?, ?)';
const CHANGE = `UPDATE agent SET
    url = ?, capabilities = ?, metadata = ?, node = ?, gpu = ?, registered_at_ms = ?, updated_at_ms = ?
  WHERE id = ? AND token_hash = ?`;
const REMOVE = 'DELETE FROM agent WHERE id = ? AND token_hash = coalesce(?, token_hash)';

/** Versions begin anywhere, so that none of a removed agent's fits the agent that takes its id. */
const FIRST_VERSIONS = 2 ** 47;

export function sqliteAgents(db: DatabaseSync): AgentStore {
  const list = db.prepare(LIST);
  const find = db.prepare(FIND);
  const change = db.prepare(CHANGE);
  const remove = db.prepare(REMOVE);
  const add = prepareAdd(db);
  return {
    list: async (after, limit) => list.all(after ?? '', limit).map(decodeStored),
    find: async (id) => {
      const row = find.get(id);
      return row === undefined ? undefined : decodeStored(row);
    },
    add: async (agent, maxAgents) => {
      if (inTransaction(db, () => add(agent, maxAgents))) return 'added';
      return find.get(agent.agent.id) === undefined ? 'full' : 'taken';
    },
    change: async (agent, tokenHash) => change.run(...encodeAgent(agent), agent.id, tokenHash).changes === 1,
    remove: async (id, tokenHash) => remove.run(id, tokenHash ?? null).changes === 1,
  };
}

/** Whether there was room for it. */
function prepareAdd(db: DatabaseSync): (agent: NewAgent, maxAgents: number) => boolean {
  const add = db.prepare(ADD);
  const addState = db.prepare(ADD_STATE);
  return ({ agent, tokenHash, state }, maxAgents) => {
    const row = add.get(agent.id, ...encodeAgent(agent), tokenHash, maxAgents);
    if (row === undefined) return false;
    addState.run(Number(row.number), randomInt(FIRST_VERSIONS), state.nextDueAtMs, encodePingState(state));
    return true;
  };
}
