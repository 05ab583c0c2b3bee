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

/** Another registered agent has the same id, URL or GPU: no two may. */
export interface Taken {
  readonly kind: 'taken';
  readonly by: 'id' | 'url' | 'gpu';
  /** The other agent's. */
  readonly id: string;
}

export type Added =
  /** With the state it begins in. */
  { readonly kind: 'added'; readonly state: PingState } | Taken | { readonly kind: 'full' };

export type Changed =
  /** The state is undefined when what is stored is damaged. */
  | { readonly kind: 'changed'; readonly state: PingState | undefined }
  | Taken
  /** There is none with this id and token. */
  | { readonly kind: 'unknown' };

/** For how long where an agent stood is kept under the id, URL and GPU that it gives up. */
export interface Keeping {
  readonly untilMs: number;
  /** Of ids, URLs and GPUs together; the least escalated ones are forgotten first. */
  readonly most: number;
}

/** Several engines may share the data behind it: every write says what it expects, and fails when that has changed. */
export interface AgentStore {
  /** At most `limit` agents with an id after `after`, by id in the order of its bytes. */
  list(after: string | undefined, limit: number): Promise<readonly StoredAgent[]>;
  find(id: string): Promise<StoredAgent | undefined>;
  /**
   * Keeps agent and first state together, unless the id, the URL or the GPU is taken or there are `maxAgents` agents already.
   * Where one of the three was given up and is still kept, it goes on from that state; from the most escalated of several.
   */
  add(agent: NewAgent, maxAgents: number): Promise<Added>;
  /**
   * Replaces what was said of the agent with this id and token. Its state stays, unless it takes up a URL or GPU that another
   * agent gave up more escalated; what it gives up itself is kept.
   */
  change(agent: Agent, tokenHash: string, keeping: Keeping): Promise<Changed>;
  /**
   * Removes agent and state; without a hash whoever owns it. Its history is out of reach at once and ages out. Without
   * `keeping` all is forgotten that was kept of the agent, also of one that has left already. Whether there was one.
   */
  remove(id: string, tokenHash: string | undefined, keeping?: Keeping): Promise<boolean>;
  /** Forgets at most `limit` of the ids, URLs and GPUs that are not kept any longer. How many. */
  forgetDeparted(nowMs: number, limit: number): Promise<number>;
}
