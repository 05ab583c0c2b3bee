/** Agents in SQLite. */
import { randomInt } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Agent } from '../core/ping/agent.ts';
import { decodeStored, encodeAgent, type Row } from './agent-row.ts';
import type { Added, AgentStore, Changed, Keeping, NewAgent } from './agent-store.ts';
import { givenUp, goingOn, isElsewhere, marksOf, takenBy } from './departure.ts';
import { encodePingState } from './ping-state-json.ts';
import { inTransaction } from './sqlite-database.ts';
import { prepareDepartures } from './sqlite-departures.ts';

const SELECT = 'SELECT agent.*, state FROM agent JOIN ping_state ON ping_state.agent = agent.number';
const LIST = `${SELECT} WHERE id > ? ORDER BY id LIMIT ?`;
const FIND = `${SELECT} WHERE id = ?`;
const OWNED = `${SELECT} WHERE id = ? AND token_hash = coalesce(?, token_hash)`;
const ALIKE = 'SELECT id, url, gpu FROM agent WHERE id = ? OR url = ? OR gpu = ?';
const COUNT = 'SELECT count(*) AS agents FROM agent';
const ADD = `INSERT INTO agent (id, url, capabilities, metadata, node, gpu, registered_at_ms, updated_at_ms, token_hash)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number`;
const ADD_STATE = 'INSERT INTO ping_state (agent, version, next_due_at_ms, state) VALUES (?, ?, ?, ?)';
const CHANGE = `UPDATE agent SET
    url = ?, capabilities = ?, metadata = ?, node = ?, gpu = ?, registered_at_ms = ?, updated_at_ms = ?
  WHERE number = ?`;
const CHANGE_STATE = `UPDATE ping_state SET version = version + 1, leased_until_ms = 0, next_due_at_ms = ?, state = ?
  WHERE agent = ?`;
const REMOVE = 'DELETE FROM agent WHERE number = ?';

/** Versions begin anywhere, so that none of a removed agent's fits the agent that takes its id. */
const FIRST_VERSIONS = 2 ** 47;

export function sqliteAgents(db: DatabaseSync): AgentStore {
  const [list, find] = [db.prepare(LIST), db.prepare(FIND)];
  const { trim } = prepareDepartures(db);
  const [add, change, remove] = [prepareAdd(db), prepareChange(db), prepareRemove(db)];
  return {
    list: async (after, limit) => list.all(after ?? '', limit).map(decodeStored),
    find: async (id) => {
      const row = find.get(id);
      return row === undefined ? undefined : decodeStored(row);
    },
    add: async (agent, maxAgents) => inTransaction(db, () => add(agent, maxAgents)),
    change: async (agent, tokenHash, keeping) => inTransaction(db, () => change(agent, tokenHash, keeping)),
    remove: async (id, tokenHash, keeping) => inTransaction(db, () => remove(id, tokenHash, keeping)),
    forgetDeparted: async (nowMs, limit) => inTransaction(db, () => trim(nowMs, limit)),
  };
}

function prepareAdd(db: DatabaseSync): (agent: NewAgent, maxAgents: number) => Added {
  const [count, add, addState] = [db.prepare(COUNT), db.prepare(ADD), db.prepare(ADD_STATE)];
  const { take } = prepareDepartures(db);
  const alike = prepareAlike(db);
  return ({ agent, tokenHash, state: first }, maxAgents) => {
    const taken = takenBy(agent, alike(agent));
    if (taken !== undefined) return taken;
    if (Number(count.get()?.agents) >= maxAgents) return { kind: 'full' };
    const successor = { nowMs: agent.registeredAtMs, number: undefined };
    const state = goingOn(first, take(marksOf(agent)), successor) ?? first;
    const number = Number(add.get(agent.id, ...encodeAgent(agent), tokenHash)?.number);
    addState.run(number, randomInt(FIRST_VERSIONS), state.nextDueAtMs, encodePingState(state));
    return { kind: 'added', state };
  };
}

function prepareChange(db: DatabaseSync): (agent: Agent, tokenHash: string, keeping: Keeping) => Changed {
  const [owned, change, changeState] = [db.prepare(OWNED), db.prepare(CHANGE), db.prepare(CHANGE_STATE)];
  const { keep, take } = prepareDepartures(db);
  const alike = prepareAlike(db);
  return (agent, tokenHash, keeping) => {
    const row = owned.get(agent.id, tokenHash);
    if (row === undefined) return { kind: 'unknown' };
    const others = alike(agent).filter(({ id }) => id !== agent.id);
    const taken = takenBy(agent, others);
    if (taken !== undefined) return taken;
    const [number, before] = [Number(row.number), decodeStored(row)];
    const state = goingOn(before.state, take(marksOf(agent)), { nowMs: agent.updatedAtMs, number });
    const marks = givenUp(before.agent, agent);
    if (state !== undefined && marks.length > 0) keep(marks, { agent: number, state }, keeping);
    // A ping that is in flight was sent elsewhere: whatever comes of it is not this agent's any more.
    if (state !== undefined && (state !== before.state || isElsewhere(before.agent, agent)))
      changeState.run(state.nextDueAtMs, encodePingState(state), number);
    change.run(...encodeAgent(agent), number);
    return { kind: 'changed', state };
  };
}

function prepareRemove(db: DatabaseSync) {
  const [owned, remove] = [db.prepare(OWNED), db.prepare(REMOVE)];
  const { keep, forget } = prepareDepartures(db);
  return (id: string, tokenHash: string | undefined, keeping: Keeping | undefined): boolean => {
    const row = owned.get(id, tokenHash ?? null);
    const number = row && Number(row.number);
    const forgotten = keeping === undefined ? forget(number, id) : 0;
    if (row === undefined || number === undefined) return forgotten > 0;
    const { agent, state } = decodeStored(row);
    if (keeping !== undefined && state !== undefined) keep(marksOf(agent), { agent: number, state }, keeping);
    return remove.run(number).changes === 1;
  };
}

/** Rows of the agents that have one of the agent's marks, its own row among them. */
function prepareAlike(db: DatabaseSync): (agent: Agent) => readonly Row[] {
  const alike = db.prepare(ALIKE);
  return ({ id, url, gpu }) => alike.all(id, url, gpu ?? null);
}
