/** The port for registered agents. Instants are milliseconds of the caller's clock. */
import type { Agent } from '../core/ping/agent.ts';
import type { PingState } from '../core/ping/state.ts';

export interface StoredAgent {
  readonly agent: Agent;
  /** Hash of the secret that proves ownership; the secret itself is kept nowhere. */
  readonly tokenHash: string;
  /** Undefined when what was stored is damaged. */
  readonly state: PingState | undefined;
}

export interface NewAgent extends StoredAgent {
  readonly state: PingState;
}

/** Several engines may share the data behind it: every write says what it expects, and fails when that has changed. */
export interface AgentStore {
  /** At most `limit` agents with an id after `after`, by id in the order of its bytes. */
  list(after: string | undefined, limit: number): Promise<readonly StoredAgent[]>;
  find(id: string): Promise<StoredAgent | undefined>;
  /** Keeps agent and first state together, unless the id is taken or there are `maxAgents` agents already. */
  add(agent: NewAgent, maxAgents: number): Promise<'added' | 'taken' | 'full'>;
  /** Replaces what was said of the agent with this id and token; its state stays. Whether there was one. */
  change(agent: Agent, tokenHash: string): Promise<boolean>;
  /** Removes agent and state; without a hash whoever owns it. Its history is out of reach at once and ages out. */
  remove(id: string, tokenHash: string | undefined): Promise<boolean>;
}
