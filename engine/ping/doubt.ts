/**
 * Whether the engine suspects itself, because most agents are lost at once, and since when. A doubt lives on news: each agent
 * that is lost is news once, until it answers again. So it ends one window after the last of them when anybody answers, and
 * agents that are still gone by then pay; and when nobody answers, after the longest interval of the policy.
 */
import type { PingPolicy } from '../core/ping/policy.ts';
import type { PingState } from '../core/ping/state.ts';
import { doubtMsOf, isSuspect, type RecentPings, stepSuspicion, troubleSinceMs } from '../core/ping/suspicion.ts';
import type { RegisteredAgent } from './agent-index.ts';
import type { PingPorts } from './ping-ports.ts';
import type { AgentRegistry } from './registry.ts';

type DoubtPorts = Pick<PingPorts, 'policy' | 'clock' | 'log'> & {
  readonly registry: Pick<AgentRegistry, 'get' | 'size'>;
};

export class Doubt {
  readonly #ports: DoubtPorts;
  #recent: RecentPings = [];
  /**
   * Agents whose failure is known: to fail again is no news. Not kept beyond a restart, after which an engine whose network is
   * still gone has to find that out again.
   */
  readonly #failing = new Set<string>();
  #sinceMs: number | undefined;
  /** When most last failed, by the monotonic clock, and whether anybody has answered since. */
  #suspectedAt = 0;
  #isAnswered = false;

  constructor(ports: DoubtPorts) {
    this.#ports = ports;
  }

  /** Since when the engine doubts itself, as far as failures tell; undefined while it does not. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Adds how the first attempt at an agent ended, now: whether nothing answered there. `state` is that of before. */
  note({ agent, state }: RegisteredAgent, isSilent: boolean): void {
    if (isSilent) this.#noteFailure(agent.id, state);
    else this.#noteAnswer(agent.id);
  }

  /**
   * Whether a failure that is known now, of an agent that fails since then, says nothing of the agent. A connection is refused
   * sooner than an answer comes, so shares mean something only when every ping that began with it has ended, or it `counts`.
   */
  excuses(failingSinceMs: number, counts: boolean): boolean {
    const nowMs = this.#ports.clock.now();
    const policy = this.#ports.policy();
    const haveEnded = nowMs - failingSinceMs >= policy.responseTimeoutMs;
    const sinceMs = haveEnded ? failingSinceMs : undefined;
    if ((haveEnded || counts) && isSuspect(policy.suspect, this.#recent, { sinceMs, nowMs })) {
      this.#suspectAgain();
      if (this.#sinceMs === undefined) this.#begin(policy, nowMs);
    }
    return this.#sinceMs !== undefined;
  }

  /** Ends the doubt when its time has come. */
  look(): void {
    if (this.#sinceMs === undefined) return;
    const { clock, policy, log } = this.#ports;
    const inForce = policy();
    if (isSuspect(inForce.suspect, this.#recent, { sinceMs: undefined, nowMs: clock.now() })) this.#suspectAgain();
    const isAnswered = this.#isAnswered;
    if (clock.elapsed() - this.#suspectedAt < doubtMsOf(inForce, isAnswered)) return;
    this.#sinceMs = undefined;
    if (isAnswered) log.info({}, 'agents answer again: failures count again');
    else log.warn({}, 'no agent has answered for the longest interval: failures count again');
  }

  #noteAnswer(agentId: string): void {
    this.#isAnswered = true;
    this.#failing.delete(agentId);
    this.#add('answered');
  }

  #noteFailure(agentId: string, { isReachable }: PingState): void {
    const isNews = isReachable !== false && !this.#failing.has(agentId);
    this.#failing.add(agentId);
    this.#forgetRemoved();
    if (isNews) this.#add(isReachable === true ? 'lost' : 'missing');
  }

  #add(finding: RecentPings[number]['finding']): void {
    const { clock, policy } = this.#ports;
    this.#recent = stepSuspicion(policy().suspect, this.#recent, { atMs: clock.now(), finding });
  }

  #forgetRemoved(): void {
    const { registry } = this.#ports;
    if (this.#failing.size <= registry.size) return;
    for (const id of this.#failing) if (registry.get(id) === undefined) this.#failing.delete(id);
  }

  #suspectAgain(): void {
    this.#suspectedAt = this.#ports.clock.elapsed();
    this.#isAnswered = false;
  }

  #begin({ suspect, responseTimeoutMs }: PingPolicy, nowMs: number): void {
    // It is known when attempts ended; they began up to one timeout before.
    this.#sinceMs = troubleSinceMs(suspect, this.#recent, nowMs) - responseTimeoutMs;
    const text = 'most agents fail at once: the engine suspects its own network, and no failure counts meanwhile';
    this.#ports.log.warn({ since: new Date(this.#sinceMs).toISOString() }, text);
  }
}
