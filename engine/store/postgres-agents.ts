/** Agents in PostgreSQL. */
import type { Agent } from '../core/ping/agent.ts';
import { decodeStored, encodeAgent, type Row } from './agent-row.ts';
import type { Added, AgentStore, Changed, Keeping, NewAgent } from './agent-store.ts';
import { givenUp, goingOn, isElsewhere, marksOf, takenBy } from './departure.ts';
import { encodePingState } from './ping-state-json.ts';
import type { Ask, PostgresDatabase } from './postgres-database.ts';
import { forgetDeparted, keepDeparted, takeDeparted, trimDeparted } from './postgres-departures.ts';

const SELECT = `SELECT agent.*, state
  FROM gpu_uptime.agent JOIN gpu_uptime.ping_state ON ping_state.agent = agent.number`;
const LIST = `${SELECT} WHERE id > $1 ORDER BY id LIMIT $2`;
const FIND = `${SELECT} WHERE id = $1`;
// Its state must not be decided between the look and the write.
const OWNED = `${SELECT} WHERE id = $1 AND token_hash = coalesce($2, token_hash) FOR UPDATE`;
// Only one engine at a time adds, changes or removes agents: two would find room for the last one, or the same URL free.
const LOCK = 'SELECT pg_advisory_xact_lock(6735120071894202)';
const ALIKE = `SELECT id, url, gpu FROM gpu_uptime.agent
  WHERE id = $1 OR sha256(replace(url, '\\', '\\\\')::bytea) = sha256(replace($2, '\\', '\\\\')::bytea) OR gpu = $3`;
const COUNT = 'SELECT count(*) AS agents FROM gpu_uptime.agent';
const ADD = `WITH added AS (
    INSERT INTO gpu_uptime.agent
      (id, url, capabilities, metadata, node, gpu, registered_at_ms, updated_at_ms, token_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number)
  INSERT INTO gpu_uptime.ping_state (agent, next_due_at_ms, state) SELECT number, $10::float8, $11::json FROM added`;
const CHANGE = `UPDATE gpu_uptime.agent SET
    url = $2, capabilities = $3, metadata = $4, node = $5, gpu = $6, registered_at_ms = $7, updated_at_ms = $8
  WHERE number = $1`;
const CHANGE_STATE = `UPDATE gpu_uptime.ping_state SET
    version = nextval('gpu_uptime.ping_version'), leased_until_ms = 0, next_due_at_ms = $2, state = $3
  WHERE agent = $1`;
const REMOVE = 'DELETE FROM gpu_uptime.agent WHERE number = $1';

export function postgresAgents({ ask, transaction }: PostgresDatabase): AgentStore {
  const alone = <T>(work: (ask: Ask) => Promise<T>) =>
    transaction(async (askWithin) => {
      await askWithin(LOCK);
      return work(askWithin);
    });
  return {
    list: async (after, limit) => (await ask(LIST, [after ?? '', limit])).rows.map(decodeStored),
    find: async (id) => (await ask(FIND, [id])).rows.map(decodeStored)[0],
    add: (agent, maxAgents) => alone((askWithin) => add(askWithin, agent, maxAgents)),
    change: (agent, tokenHash, keeping) => alone((askWithin) => change(askWithin, { agent, tokenHash, keeping })),
    remove: (id, tokenHash, keeping) => alone((askWithin) => remove(askWithin, { id, tokenHash, keeping })),
    forgetDeparted: (nowMs, limit) => trimDeparted(ask, nowMs, limit),
  };
}

async function add(ask: Ask, { agent, tokenHash, state: first }: NewAgent, maxAgents: number): Promise<Added> {
  const taken = takenBy(agent, await alike(ask, agent));
  if (taken !== undefined) return taken;
  if (Number((await ask(COUNT)).rows[0]?.agents) >= maxAgents) return { kind: 'full' };
  const successor = { nowMs: agent.registeredAtMs, number: undefined };
  const state = goingOn(first, await takeDeparted(ask, marksOf(agent)), successor) ?? first;
  await ask(ADD, [agent.id, ...encodeAgent(agent), tokenHash, state.nextDueAtMs, encodePingState(state)]);
  return { kind: 'added', state };
}

interface Change {
  readonly agent: Agent;
  readonly tokenHash: string;
  readonly keeping: Keeping;
}

async function change(ask: Ask, { agent, tokenHash, keeping }: Change): Promise<Changed> {
  const [row] = (await ask(OWNED, [agent.id, tokenHash])).rows;
  if (row === undefined) return { kind: 'unknown' };
  const others = (await alike(ask, agent)).filter(({ id }) => id !== agent.id);
  const taken = takenBy(agent, others);
  if (taken !== undefined) return taken;
  const [number, before] = [Number(row.number), decodeStored(row)];
  const left = await takeDeparted(ask, marksOf(agent));
  const state = goingOn(before.state, left, { nowMs: agent.updatedAtMs, number });
  const marks = givenUp(before.agent, agent);
  if (state !== undefined && marks.length > 0) await keepDeparted(ask, marks, { agent: number, state, keeping });
  // A ping that is in flight was sent elsewhere: whatever comes of it is not this agent's any more.
  if (state !== undefined && (state !== before.state || isElsewhere(before.agent, agent)))
    await ask(CHANGE_STATE, [number, state.nextDueAtMs, encodePingState(state)]);
  await ask(CHANGE, [number, ...encodeAgent(agent)]);
  return { kind: 'changed', state };
}

interface Removal {
  readonly id: string;
  readonly tokenHash: string | undefined;
  readonly keeping: Keeping | undefined;
}

async function remove(ask: Ask, { id, tokenHash, keeping }: Removal): Promise<boolean> {
  const [row] = (await ask(OWNED, [id, tokenHash])).rows;
  const number = row && Number(row.number);
  const forgotten = keeping === undefined ? await forgetDeparted(ask, number, id) : 0;
  if (row === undefined || number === undefined) return forgotten > 0;
  const { agent, state } = decodeStored(row);
  if (keeping !== undefined && state !== undefined)
    await keepDeparted(ask, marksOf(agent), { agent: number, state, keeping });
  return (await ask(REMOVE, [number])).count === 1;
}

/** Rows of the agents that have one of the agent's marks, its own row among them. */
async function alike(ask: Ask, { id, url, gpu }: Agent): Promise<readonly Row[]> {
  return (await ask(ALIKE, [id, url, gpu])).rows;
}
