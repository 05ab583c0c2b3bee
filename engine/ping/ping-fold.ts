/** From an attempt to the agent's next state, durable before anybody hears of it. */
import type { PingObservation } from '../core/ping/judge.ts';
import { spanOf } from '../core/ping/judge.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import { resumePing } from '../core/ping/resume.ts';
import { isEarly } from '../core/ping/schedule.ts';
import { type PingStep, stepPing } from '../core/ping/step.ts';
import type { Attempt } from './attempt.ts';
import type { Doubt } from './doubt.ts';
import { logPing } from './ping-news.ts';
import type { PingPorts } from './ping-ports.ts';
import type { PingTally } from './ping-tally.ts';
import type { PingWatch } from './ping-watch.ts';
import type { Pinged } from './pings.ts';
import type { HeldAgent } from './registry.ts';
import type { ResultWriter } from './result-writer.ts';

export interface FoldParts {
  readonly watch: PingWatch;
  readonly doubt: Doubt;
  readonly tally: PingTally;
  readonly writer: ResultWriter;
}

type FoldPorts = Pick<PingPorts, 'registry' | 'policy' | 'clock' | 'log'>;

export class PingFold {
  readonly #ports: FoldPorts;
  readonly #parts: FoldParts;

  constructor(ports: FoldPorts, parts: FoldParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** Judges the attempt and ends the claim. Rejects with PingStoreError. */
  async conclude(held: HeldAgent, attempt: Attempt): Promise<Pinged> {
    const { tally, writer } = this.#parts;
    const { agent, version } = held;
    const { reply, isWithoutEvidence } = attempt;
    tally.attempted(reply.kind);
    const { state, record, events } = this.#step(held, attempt);
    const outcome = await writer.write({ agentId: agent.id, version, state, record });
    if (outcome === 'stale') return this.#overtaken(agent.id);
    if (record !== undefined) tally.decided(record.outcome, isWithoutEvidence);
    logPing(this.#ports.log, { agentId: agent.id, events, record });
    return { kind: 'pinged', agent, state, reply, record, events };
  }

  /** Ends the claim as if there had been none. Rejects with PingStoreError. */
  async release({ agent, version, state }: HeldAgent): Promise<void> {
    await this.#parts.writer.write({ agentId: agent.id, version, state, record: undefined });
  }

  #step(held: HeldAgent, attempt: Attempt): PingStep {
    const { watch } = this.#parts;
    const policy = this.#ports.policy();
    watch.look();
    const isAbsent = attempt.begunAt !== undefined && watch.wasAbsentSince(attempt.begunAt);
    const step = stepPing(policy, held.state, this.#observation(policy, held, attempt, isAbsent));
    if (!isAbsent) return step;
    // The clock by which the next ping was planned may be another one by now.
    const { setBackMs } = watch;
    const resumption = { agentId: held.agent.id, state: step.state, nowMs: this.#ports.clock.now(), setBackMs };
    return { ...step, state: resumePing(policy, resumption) };
  }

  #observation(policy: PingPolicy, held: HeldAgent, attempt: Attempt, isAbsent: boolean): PingObservation {
    const { atMs, endedAtMs, reply, observed } = attempt;
    const { agent, state } = held;
    const isSuspect = isAbsent || this.#isDoubtful(policy, held, attempt);
    const span = spanOf(policy, state, atMs);
    const outageMs = span === undefined ? 0 : this.#parts.watch.outageMsIn(span.fromMs, span.toMs);
    return { agentId: agent.id, atMs, endedAtMs, reply, observed, isSuspect, outageMs };
  }

  /** Retries are no news: one dead agent is not many agents, nor is one that somebody asks for again and again. */
  #isDoubtful(policy: PingPolicy, held: HeldAgent, { atMs, reply }: Attempt): boolean {
    const { doubt } = this.#parts;
    const { state } = held;
    const isApplied = atMs > (state.lastAttemptAtMs ?? Number.NEGATIVE_INFINITY) && !isEarly(policy, state, atMs);
    if (!isApplied || reply.kind === 'forbidden') return false;
    const isFailure = reply.kind !== 'answered';
    // Who refuses, or answers nonsense, shows all the same that the network is there.
    if (state.attempts === 0) doubt.note(held, reply.kind === 'unreachable');
    const counts = state.attempts >= policy.confirmMs.length;
    return isFailure && doubt.excuses(state.failingSinceMs ?? atMs, counts);
  }

  #overtaken(agentId: string): Pinged {
    const known = this.#ports.registry.get(agentId);
    return known === undefined ? { kind: 'unknown' } : { kind: 'overtaken', ...known };
  }
}
