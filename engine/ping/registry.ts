/** Who is registered, and where each agent stands. The store decides; the index in memory answers questions. */
import { setImmediate } from 'node:timers/promises';
import type { Agent } from '../core/ping/agent.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import { phaseMs } from '../core/ping/schedule.ts';
import type { PingState } from '../core/ping/state.ts';
import { initialPingState } from '../core/ping/step.ts';
import type { AgentStore, Keeping, StoredAgent, Taken } from '../store/agent-store.ts';
import type { Claim, PingResult, PingStore } from '../store/ping-store.ts';
import { type AgentFilter, AgentIndex, type AgentPage, type RegisteredAgent } from './agent-index.ts';
import type { AgentUrl } from './agent-url.ts';
import { fits, hashOf, newToken } from './ownership.ts';
import { type AgentDraft, type RegistrationProblem, readRegistration } from './registration.ts';

export interface RegistryPorts {
  readonly agents: AgentStore;
  readonly pings: PingStore;
  readonly now: () => number;
  /** Whether the policy of the moment lets the engine ask there. */
  readonly judgeUrl: (text: string) => AgentUrl;
  readonly policy: () => PingPolicy;
  /** How many agents there may be. */
  readonly maxAgents: () => number;
}

/** What a registration came to. */
export type Registered =
  /** The token is told here and nowhere else: whoever has it may change and remove the agent. */
  | (RegisteredAgent & { readonly kind: 'registered'; readonly token: string })
  | (RegisteredAgent & { readonly kind: 'changed' | 'unchanged' })
  | { readonly kind: 'invalid'; readonly problems: readonly RegistrationProblem[] }
  | { readonly kind: 'not_owner' | 'taken' | 'full'; readonly reason: string };

/** Whose word removes an agent: its owner's, who shows the token, or the operator's of the engine. */
export type Authority = { readonly token: string } | 'operator';

/** A claim on an agent, whose state is known whatever the store made of it. */
export type HeldAgent = Claim & RegisteredAgent;

/** First pings come soon, but those of a fleet that registers at once do not come together. */
const FIRST_PING_WITHIN_MS = 5_000;
/** What departed agents are remembered by: as many of them as twice the limit, each with id, URL and GPU. */
const KEPT_PER_AGENT = 6;
const LOADED_AT_ONCE = 1000;
/** Fewer than at the start: requests wait while a page is taken up. */
const REFRESHED_AT_ONCE = 100;

export class AgentRegistry {
  readonly #ports: RegistryPorts;
  readonly #index = new AgentIndex();
  #refreshing: Promise<void> | undefined;

  private constructor(ports: RegistryPorts) {
    this.#ports = ports;
  }

  /** Takes up all agents. Rejects when the store cannot be read. */
  static async open(ports: RegistryPorts): Promise<AgentRegistry> {
    const registry = new AgentRegistry(ports);
    for await (const page of pagesOf(ports.agents, LOADED_AT_ONCE)) {
      for (const stored of page) registry.#adopt(stored);
    }
    return registry;
  }

  /**
   * Takes up what other engines have registered, changed, decided and removed. While one is under way the same is given to
   * all who ask. Rejects when the store cannot be read; what was known stays then.
   */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#readAgain().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  get size(): number {
    return this.#index.size;
  }

  all(): Iterable<RegisteredAgent> {
    return this.#index.all();
  }

  get(id: string): RegisteredAgent | undefined {
    return this.#index.get(id);
  }

  /** Whether the policy of the moment lets the engine ask the agent, as far as its URL tells. */
  isAllowed({ url }: Agent): boolean {
    return this.#ports.judgeUrl(url).kind === 'fit';
  }

  /** By id; `after` is the `next` of the page before. */
  page(filter: AgentFilter, at: { readonly after?: string | undefined; readonly limit: number }): AgentPage {
    return this.#index.page(filter, at);
  }

  /** Those that have waited longest come first. */
  due(nowMs: number, limit: number): readonly RegisteredAgent[] {
    const due = [...this.#index.all()].filter(({ state }) => state.nextDueAtMs <= nowMs);
    return due.sort((a, b) => a.state.nextDueAtMs - b.state.nextDueAtMs).slice(0, limit);
  }

  /** The same body again is the same agent, whoever sends it; to change an agent takes its token. */
  async register(body: unknown, token: string | undefined): Promise<Registered> {
    const read = readRegistration(body, this.#ports.judgeUrl);
    if (read.kind === 'unfit') return { kind: 'invalid', problems: read.problems };
    return this.#registerDraft(read.draft, token);
  }

  /** Where an agent stood that its owner removes is kept for a while: to come back is not to begin anew. */
  async remove(id: string, authority: Authority): Promise<'removed' | 'unknown' | 'not_owner'> {
    if (authority === 'operator') {
      const isRemoved = await this.#ports.agents.remove(id, undefined);
      await this.#look(id);
      return isRemoved ? 'removed' : 'unknown';
    }
    const stored = await this.#look(id);
    if (stored === undefined) return 'unknown';
    if (!fits(authority.token, stored.tokenHash)) return 'not_owner';
    const isRemoved = await this.#ports.agents.remove(id, stored.tokenHash, this.#keeping());
    // Somebody else may have the id by now.
    const left = await this.#look(id);
    if (isRemoved) return 'removed';
    return left === undefined ? 'unknown' : 'not_owner';
  }

  /** Forgets at most `limit` of the ids, URLs and GPUs that departed agents are remembered by no longer. How many. */
  forgetDeparted(limit: number): Promise<number> {
    return this.#ports.agents.forgetDeparted(this.#ports.now(), limit);
  }

  /** As the store's, of which it tells the index. */
  async claimDue(nowMs: number, limit: number, leaseMs: number): Promise<readonly HeldAgent[]> {
    const claims = await this.#ports.pings.claimDue(nowMs, limit, leaseMs);
    return claims.map((claim) => this.#hold(claim));
  }

  /** Undefined when a ping of the agent is in flight, or it is not registered. */
  async claim(id: string, nowMs: number, leaseMs: number): Promise<HeldAgent | undefined> {
    const claim = await this.#ports.pings.claim(id, nowMs, leaseMs);
    if (claim !== undefined) return this.#hold(claim);
    await this.#look(id);
    return undefined;
  }

  /** For each result whether it was kept; where one was stale the index learns what the store has instead. */
  async record(results: readonly PingResult[]): Promise<readonly ('kept' | 'stale')[]> {
    const outcomes = await this.#ports.pings.record(results);
    for (const [at, { agentId, state }] of results.entries()) {
      if (outcomes[at] === 'kept') this.#index.putState(agentId, state);
    }
    const stale = results.filter((_, at) => outcomes[at] === 'stale');
    // What was kept is kept, whether or not the store tells about the others now; it does with their next claim.
    await Promise.allSettled(stale.map(({ agentId }) => this.#look(agentId)));
    return outcomes;
  }

  async #registerDraft(draft: AgentDraft, token: string | undefined): Promise<Registered> {
    const stored = await this.#look(draft.id);
    return stored === undefined ? this.#add(draft, token) : this.#renew(stored, draft, token);
  }

  async #add(draft: AgentDraft, token: string | undefined): Promise<Registered> {
    const nowMs = this.#ports.now();
    const agent: Agent = { ...draft, registeredAtMs: nowMs, updatedAtMs: nowMs };
    const first = { agent, state: this.#firstState(agent.id, nowMs) };
    const secret = newToken();
    const maxAgents = this.#ports.maxAgents();
    const added = await this.#ports.agents.add({ ...first, tokenHash: hashOf(secret) }, maxAgents);
    if (added.kind === 'full') return { kind: 'full', reason: fullReason(maxAgents) };
    // Somebody registered the id between the look and the write.
    if (added.kind === 'taken' && added.by === 'id') return this.#registerDraft(draft, token);
    if (added.kind === 'taken') return { kind: 'taken', reason: takenReason(draft, added) };
    const { state } = added;
    this.#index.put({ agent, state });
    return { kind: 'registered', agent, state, token: secret };
  }

  async #renew(stored: StoredAgent, draft: AgentDraft, token: string | undefined): Promise<Registered> {
    const { agent, state } = this.#index.get(draft.id) ?? this.#adopt(stored);
    const isOwner = token !== undefined && fits(token, stored.tokenHash);
    const isSame = sameAgent(agent, draft);
    if (!isOwner && (token !== undefined || !isSame)) return { kind: 'not_owner', reason: ownerReason(draft.id) };
    if (isSame) return { kind: 'unchanged', agent, state };
    const change = { ...agent, ...draft, updatedAtMs: this.#ports.now() };
    const changed = await this.#ports.agents.change(change, stored.tokenHash, this.#keeping());
    if (changed.kind === 'taken') return { kind: 'taken', reason: takenReason(draft, changed) };
    // Removed, or registered by somebody else, since it was looked up.
    if (changed.kind === 'unknown') return this.#registerDraft(draft, token);
    // A ping may have been decided meanwhile.
    await this.#look(draft.id);
    const known = this.#index.get(draft.id) ?? { agent: change, state: changed.state ?? state };
    return { kind: 'changed', agent: known.agent, state: known.state };
  }

  #keeping(): Keeping {
    const { maxIntervalMs, graceIntervalMs } = this.#ports.policy();
    const untilMs = this.#ports.now() + Math.max(maxIntervalMs, graceIntervalMs);
    return { untilMs, most: KEPT_PER_AGENT * this.#ports.maxAgents() };
  }

  #firstState(id: string, nowMs: number): PingState {
    const state = initialPingState(this.#ports.policy(), nowMs);
    return { ...state, nextDueAtMs: state.nextDueAtMs + phaseMs(id, FIRST_PING_WITHIN_MS) };
  }

  /** A damaged state is begun anew. */
  #adopt({ agent, state }: Pick<Claim, 'agent' | 'state'>): RegisteredAgent {
    const known = { agent, state: state ?? this.#firstState(agent.id, this.#ports.now()) };
    this.#index.put(known);
    return known;
  }

  async #readAgain(): Promise<void> {
    // What is heard of an agent meanwhile is newer than what a page says of it.
    const heard = this.#index.listen();
    try {
      const found = new Set<string>();
      for await (const page of pagesOf(this.#ports.agents, REFRESHED_AT_ONCE)) {
        for (const stored of page) {
          found.add(stored.agent.id);
          if (!heard.has(stored.agent.id)) this.#adoptAgain(stored);
        }
        await setImmediate();
      }
      for (const { agent } of this.#index.all())
        if (!found.has(agent.id) && !heard.has(agent.id)) this.#index.delete(agent.id);
    } finally {
      this.#index.stopListening();
    }
  }

  /** Begun anew each time, a damaged state would never become due. */
  #adoptAgain({ agent, state }: StoredAgent): void {
    this.#adopt({ agent, state: state ?? this.#index.get(agent.id)?.state });
  }

  #hold(claim: Claim): HeldAgent {
    return { ...claim, state: this.#adopt(claim).state };
  }

  /** What the store has of an agent, told to the index. What the index hears of it meanwhile may be newer: it is read again. */
  async #look(id: string): Promise<StoredAgent | undefined> {
    let known: RegisteredAgent | undefined;
    let stored: StoredAgent | undefined;
    do {
      known = this.#index.get(id);
      stored = await this.#ports.agents.find(id);
    } while (this.#index.get(id) !== known);
    if (stored === undefined) this.#index.delete(id);
    else this.#adoptAgain(stored);
    return stored;
  }
}

async function* pagesOf(agents: AgentStore, limit: number): AsyncGenerator<readonly StoredAgent[]> {
  let page: readonly StoredAgent[];
  let after: string | undefined;
  do {
    page = await agents.list(after, limit);
    yield page;
    after = page.at(-1)?.agent.id;
  } while (page.length === limit);
}

function sameAgent(agent: Agent, draft: AgentDraft): boolean {
  return fingerprint(agent) === fingerprint(draft);
}

/** In which order an agent names things does not make it another one. Node and GPU follow from the rest. */
function fingerprint({ url, capabilities, metadata }: AgentDraft): string {
  const entries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([url, [...capabilities].sort(), entries]);
}

function ownerReason(id: string): string {
  return `${id} is registered already: send the token of its first registration to change it, or choose another agent_id`;
}

function takenReason({ url, gpu }: AgentDraft, { by, id }: Taken): string {
  const [what, field] = by === 'gpu' ? [`the GPU ${gpu}`, 'GPU'] : [url, 'URL'];
  const way = `remove ${id} first, or send its token and agent_id ${id} to change that one`;
  return `${what} belongs to ${id}, and a ${field} has one agent: ${way}`;
}

function fullReason(maxAgents: number): string {
  return `no more than ${maxAgents} agents may be registered (ping.max_agents), and there are as many: remove some, or raise ping.max_agents`;
}
