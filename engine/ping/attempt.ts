/** One attempt at an agent: what it says, and what Prometheus saw of the same span. */
import { spanOf } from '../core/ping/judge.ts';
import type { PingReply, Sighting } from '../core/ping/outcome.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import { QueryError } from '../prometheus/query.ts';
import { addressGuard } from './address-guard.ts';
import type { RegisteredAgent } from './agent-index.ts';
import type { PingMeans, PingQuestion } from './client.ts';
import { withinTime } from './deadline.ts';
import { type PingPorts, type PingTiming, timingOf } from './ping-ports.ts';
import type { PingWatch } from './ping-watch.ts';

export interface Attempt {
  readonly atMs: number;
  /** As `atMs`, by the monotonic clock; undefined for an attempt that somebody else made. */
  readonly begunAt: number | undefined;
  readonly endedAtMs: number;
  readonly reply: PingReply;
  readonly observed: Sighting | undefined;
  /** Prometheus was asked and did not answer. */
  readonly isWithoutEvidence: boolean;
}

export interface Evidence extends Pick<Attempt, 'observed' | 'isWithoutEvidence'> {
  readonly kind: 'evidence';
}

const NOT_ASKED: Evidence = { kind: 'evidence', observed: undefined, isWithoutEvidence: false };
const NO_ANSWER: Evidence = { kind: 'evidence', observed: undefined, isWithoutEvidence: true };

type AttemptPorts = Pick<PingPorts, 'ask' | 'observe' | 'lookUp' | 'accessOf' | 'policy' | 'clock' | 'log' | 'timing'>;

export class Attempts {
  readonly #ports: AttemptPorts;
  readonly #timing: PingTiming;
  readonly #watch: PingWatch;
  /** Made once per policy: reading its networks takes longer than asking. */
  #means: { readonly policy: PingPolicy; readonly means: PingMeans } | undefined;

  constructor(ports: AttemptPorts, watch: PingWatch) {
    this.#ports = ports;
    this.#timing = timingOf(ports);
    this.#watch = watch;
  }

  /** Undefined when the signal ended it: that says nothing of the agent. */
  async make({ agent, state }: RegisteredAgent, signal: AbortSignal): Promise<Attempt | undefined> {
    const { ask, clock, policy } = this.#ports;
    const [atMs, begunAt] = [clock.now(), clock.elapsed()];
    const reply = await ask(this.#question({ agent, state }, signal), this.#meansOf(policy()));
    if (reply === undefined || signal.aborted) return undefined;
    const endedAtMs = clock.now();
    const isAnswered = reply.kind === 'answered';
    const evidence = isAnswered ? await this.evidence({ agent, state }, atMs, signal) : NOT_ASKED;
    return evidence && { atMs, begunAt, endedAtMs, reply, ...evidence };
  }

  /**
   * What Prometheus saw of the span that a ping at `atMs` is about. It is asked after the agent: a dead agent costs no query,
   * and the newest samples have a moment more to arrive. Undefined when the signal ended it.
   */
  async evidence({ agent, state }: RegisteredAgent, atMs: number, signal: AbortSignal): Promise<Evidence | undefined> {
    const policy = this.#ports.policy();
    const span = policy.evidence === 'agent' ? undefined : spanOf(policy, state, atMs);
    if (span === undefined) return NOT_ASKED;
    try {
      const asked = (until: AbortSignal) => this.#ports.observe(span, agent, until);
      const ending = await withinTime(this.#timing.evidenceMs, signal, asked);
      if (ending.kind === 'stopped') return undefined;
      return ending.kind === 'late' ? NO_ANSWER : { ...NOT_ASKED, observed: ending.value };
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof QueryError)) throw error;
      this.#ports.log.debug({ agent: agent.id, kind: error.kind }, `no evidence: ${error.message}`);
      return NO_ANSWER;
    }
  }

  #question({ agent, state }: RegisteredAgent, signal: AbortSignal): PingQuestion {
    const { id: agentId, url } = agent;
    const { cursor, spanFromMs } = state;
    const access = this.#ports.accessOf(url);
    const isKnown = spanFromMs !== undefined && this.#watch.isKnownSince(spanFromMs);
    const question = { agentId, url, cursor, spanFromMs: isKnown ? spanFromMs : undefined, signal };
    return access === undefined ? question : { ...question, access };
  }

  #meansOf(policy: PingPolicy): PingMeans {
    if (this.#means?.policy !== policy) {
      const { lookUp, clock } = this.#ports;
      const guard = addressGuard(policy.targets);
      this.#means = { policy, means: { guard, timeoutMs: policy.responseTimeoutMs, lookUp, now: clock.now } };
    }
    return this.#means.means;
  }
}
