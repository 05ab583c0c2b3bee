/** The state of all agents at a glance, made in one pass over them: the JSON and the page show the same. */
import { divergenceOf } from '../core/ping/evidence.ts';
import type { PingEvidence, PingOutcome } from '../core/ping/outcome.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import type { PingState } from '../core/ping/state.ts';
import type { PingTotal } from '../store/ping-store.ts';
import type { RegisteredAgent } from './agent-index.ts';
import { AGENT_STATUSES, type AgentStatus, statusOf } from './agent-status.ts';
import type { PingStats } from './pings.ts';
import { type Ranking, ranking } from './ranking.ts';

/** An agent whose word on the newest judged span is not what Prometheus saw. */
export interface DivergentAgent {
  readonly entry: RegisteredAgent;
  readonly evidence: PingEvidence;
  /** Claimed minus observed uptime, -1..1. */
  readonly divergence: number;
}

export interface PingDashboard {
  readonly atMs: number;
  /** What pings are judged by, for whoever forecasts recoveries. */
  readonly policy: PingPolicy;
  readonly isScheduling: boolean;
  /** Whoever is being asked right now is neither due nor late. */
  readonly isInFlight: (agentId: string) => boolean;
  /** Since when the engine suspects itself; undefined while it does not. */
  readonly suspectSinceMs: number | undefined;
  readonly total: number;
  readonly byStatus: Readonly<Record<AgentStatus, number>>;
  /** Due, and not in flight. */
  readonly due: number;
  readonly inFlight: number;
  /** Agents above the base interval. */
  readonly escalated: number;
  readonly lagMs: number | undefined;
  readonly worstLagMs: number | undefined;
  /** Of the agents that are not in flight; in the past when some are waiting. */
  readonly nextDueAtMs: number | undefined;
  readonly day: DayOfPings;
  /** The escalated ones with the most consecutive poor pings. */
  readonly worst: readonly RegisteredAgent[];
  /** Those whose two sides differ most, in either direction. */
  readonly divergent: readonly DivergentAgent[];
}

/** Decided pings of the hour of now and the 23 before it. */
interface DayOfPings {
  readonly total: number;
  readonly byOutcome: Readonly<Record<PingOutcome, number>>;
  readonly meanRoundTripMs: number | undefined;
}

export interface DashboardFacts {
  readonly agents: Iterable<RegisteredAgent>;
  /** Of the last day; older ones are left out. */
  readonly totals: readonly PingTotal[];
  readonly stats: Pick<PingStats, 'isScheduling' | 'suspectSinceMs' | 'inFlight' | 'lagMs' | 'worstLagMs'>;
  readonly isInFlight: (agentId: string) => boolean;
  readonly policy: PingPolicy;
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;
const MOST_LISTED = 20;
// Agent and Prometheus look at different instants: over the shortest spans one sample is about as much.
const LEAST_DIVERGENCE = 0.01;

export function pingDashboard(facts: DashboardFacts): PingDashboard {
  const { agents, totals, stats, isInFlight, policy, nowMs } = facts;
  const count = new Count(policy, nowMs);
  for (const entry of agents) count.add(entry, isInFlight(entry.agent.id));
  const { isScheduling, suspectSinceMs, inFlight, lagMs, worstLagMs } = stats;
  const day = dayOf(totals, nowMs);
  return {
    atMs: nowMs,
    policy,
    isScheduling,
    isInFlight,
    suspectSinceMs,
    inFlight,
    lagMs,
    worstLagMs,
    day,
    ...count.figures(),
  };
}

/** What one pass over the agents adds up. */
class Count {
  readonly #policy: PingPolicy;
  readonly #nowMs: number;
  readonly #byStatus = zeros(AGENT_STATUSES);
  readonly #worst: Ranking<RegisteredAgent> = ranking(MOST_LISTED, ({ state }) => state.consecutivePoor);
  readonly #divergent: Ranking<DivergentAgent> = ranking(MOST_LISTED, ({ divergence }) => Math.abs(divergence));
  #total = 0;
  #due = 0;
  #escalated = 0;
  #nextDueAtMs: number | undefined;

  constructor(policy: PingPolicy, nowMs: number) {
    this.#policy = policy;
    this.#nowMs = nowMs;
  }

  add(entry: RegisteredAgent, isInFlight: boolean): void {
    const { state } = entry;
    this.#total += 1;
    this.#byStatus[statusOf(state)] += 1;
    if (!isInFlight) this.#await(state);
    if (state.consecutivePoor > 0) {
      this.#escalated += 1;
      this.#worst.add(entry);
    }
    this.#weigh(entry);
  }

  #await({ nextDueAtMs }: PingState): void {
    this.#nextDueAtMs = Math.min(this.#nextDueAtMs ?? nextDueAtMs, nextDueAtMs);
    if (nextDueAtMs <= this.#nowMs) this.#due += 1;
  }

  #weigh(entry: RegisteredAgent): void {
    const evidence = entry.state.lastEvidence;
    const divergence = evidence && divergenceOf(this.#policy, evidence);
    if (evidence === undefined || divergence === undefined || Math.abs(divergence) < LEAST_DIVERGENCE) return;
    this.#divergent.add({ entry, evidence, divergence });
  }

  figures() {
    return {
      total: this.#total,
      byStatus: this.#byStatus,
      due: this.#due,
      escalated: this.#escalated,
      nextDueAtMs: this.#nextDueAtMs,
      worst: this.#worst.list(),
      divergent: this.#divergent.list(),
    };
  }
}

function dayOf(totals: readonly PingTotal[], nowMs: number): DayOfPings {
  const day = totals.filter(({ hourMs }) => hourMs > nowMs - DAY_MS);
  const { never_pinged: _, ...byOutcome } = zeros(AGENT_STATUSES);
  let [total, answered, roundTripMs] = [0, 0, 0];
  for (const hour of day) {
    byOutcome[hour.outcome] += hour.pings;
    total += hour.pings;
    answered += hour.answered;
    roundTripMs += hour.roundTripMs;
  }
  return { total, byOutcome, meanRoundTripMs: answered === 0 ? undefined : roundTripMs / answered };
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  // Every name has its entry, which Object.fromEntries cannot say.
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
