/** Decisions as the engine makes them, over the history of a test. */
import type { Question } from '../core/decision.ts';
import { explain } from '../core/explain.ts';
import { createFleet } from '../core/fleet.ts';
import { gateAnswer } from '../core/gate-answer.ts';
import { capabilityFor, planPolicy } from '../core/plan.ts';
import type { Policy } from '../core/policy.ts';
import { FLEET, type Subject } from '../core/subject.ts';
import { latestSettledTick, tickAtOrBefore } from '../core/tick.ts';
import { type Cycle, catchUp } from '../cycle.ts';
import type { PromQuery } from '../prometheus/query.ts';

export interface DecisionMakerOptions {
  readonly prom: PromQuery;
  readonly policy: Policy;
  /** Nothing was seen before, milliseconds since the epoch. */
  readonly startMs: number;
}

export interface MadeDecision {
  /** As a gateway of the flavour `forward` gets it. */
  readonly status: number;
  /** Seconds; undefined when the answer is yes. */
  readonly retryAfter: number | undefined;
  readonly reason: string;
}

export class DecisionMaker {
  readonly #cycle: Cycle;

  constructor({ prom, policy, startMs }: DecisionMakerOptions) {
    const plan = planPolicy(policy);
    const state = createFleet();
    state.tickMs = tickAtOrBefore(startMs, policy.intervalMs) - policy.intervalMs;
    const history = { prom, policy, stats: { absurdValues: 0 } };
    this.#cycle = { plan, state, history, fleetSize: 0, maintenance: () => undefined, onTick: () => {} };
  }

  /** The decision at `nowMs` (since the epoch), never before an earlier one. Rejects with QueryError. */
  async decideAt(nowMs: number, about: About, signal: AbortSignal): Promise<MadeDecision> {
    const { plan, state } = this.#cycle;
    const { intervalMs, settleMs } = plan.policy;
    await catchUp(this.#cycle, latestSettledTick(nowMs, intervalMs, settleMs), signal);
    const question: Question = {
      name: about.capability,
      capability: capabilityFor(plan, about.capability),
      subject: subjectOf(about),
      nowMs,
      holds: [],
    };
    const { outcome, reason } = explain(plan, state, question);
    const answer = gateAnswer(outcome);
    return { status: answer.status, retryAfter: answer.status === 200 ? undefined : answer.retryAfterSeconds, reason };
  }
}

export interface About {
  readonly capability: string;
  readonly node: string | undefined;
  readonly gpu: string | undefined;
}

function subjectOf({ node, gpu }: About): Subject {
  if (gpu !== undefined) return { level: 'gpu', id: gpu };
  return node === undefined ? FLEET : { level: 'node', id: node };
}
