/** Registered agents in memory, for lists and pages: what the store holds, as far as this engine has heard. */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../core/ping/agent.ts';
import type { PingOutcome } from '../core/ping/outcome.ts';
import type { PingState } from '../core/ping/state.ts';

export interface RegisteredAgent {
  readonly agent: Agent;
  readonly state: PingState;
}

/** Agents that match all that is given. */
export interface AgentFilter {
  readonly capability?: string | undefined;
  /** Of the last ping. */
  readonly outcome?: PingOutcome | 'never_pinged' | undefined;
  /** Due at this instant. */
  readonly dueAtMs?: number | undefined;
  /** Anywhere in what the agent says of itself, in any case. */
  readonly text?: string | undefined;
}

export interface AgentPage {
  readonly agents: readonly RegisteredAgent[];
  /** How many match, on all pages. */
  readonly total: number;
  /** Where the next page begins; undefined on the last. */
  readonly next: string | undefined;
}

interface Entry extends RegisteredAgent {
  /** Lower case, made once: a search reads ten thousand of them. */
  readonly text: string;
}

export class AgentIndex {
  readonly #entries = new Map<string, Entry>();
  /** Ids in order; undefined after one came or went. */
  #sorted: readonly string[] | undefined;
  #heard: Set<string> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): RegisteredAgent | undefined {
    return this.#entries.get(id);
  }

  /** The ids of all that is told from now on; only one may listen. */
  listen(): ReadonlySet<string> {
    this.#heard = new Set();
    return this.#heard;
  }

  stopListening(): void {
    this.#heard = undefined;
  }

  /** What says nothing new leaves the entry the same one. */
  put({ agent, state }: RegisteredAgent): void {
    this.#heard?.add(agent.id);
    const entry = this.#entries.get(agent.id);
    if (entry === undefined) this.#sorted = undefined;
    else if (isDeepStrictEqual([entry.agent, entry.state], [agent, state])) return;
    this.#entries.set(agent.id, { agent, state, text: textOf(agent) });
  }

  /** Does nothing for an agent that is not there. */
  putState(id: string, state: PingState): void {
    this.#heard?.add(id);
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#entries.set(id, { ...entry, state });
  }

  delete(id: string): void {
    this.#heard?.add(id);
    if (this.#entries.delete(id)) this.#sorted = undefined;
  }

  all(): Iterable<RegisteredAgent> {
    return this.#entries.values();
  }

  /** By id; `after` is the `next` of the page before, which may have been removed since. */
  page(filter: AgentFilter, { after = '', limit }: { after?: string | undefined; limit: number }): AgentPage {
    const matching = this.#inOrder().filter((entry) => matches(entry, filter));
    const rest = matching.filter(({ agent }) => agent.id > after);
    const agents = rest.slice(0, limit);
    const next = rest.length > agents.length ? agents.at(-1)?.agent.id : undefined;
    return { agents, total: matching.length, next };
  }

  #inOrder(): readonly Entry[] {
    this.#sorted ??= [...this.#entries.keys()].sort();
    return this.#sorted.flatMap((id) => this.#entries.get(id) ?? []);
  }
}

function matches({ agent, state, text }: Entry, filter: AgentFilter): boolean {
  const { capability, outcome, dueAtMs, text: wanted } = filter;
  if (capability !== undefined && !agent.capabilities.includes(capability)) return false;
  if (outcome !== undefined && (state.lastOutcome ?? 'never_pinged') !== outcome) return false;
  if (dueAtMs !== undefined && state.nextDueAtMs > dueAtMs) return false;
  return wanted === undefined || text.includes(wanted.toLowerCase());
}

function textOf({ id, url, capabilities, metadata, node, gpu }: Agent): string {
  const said = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  return [id, url, node, gpu ?? '', ...capabilities, ...said].join('\n').toLowerCase();
}
