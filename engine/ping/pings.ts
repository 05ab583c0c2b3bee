/** What the rest of the engine may know of agents and their pings, and ask for. */
import type { PingOutcome, PingReply } from '../core/ping/outcome.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import type { PingRecord } from '../core/ping/state.ts';
import type { PingEvent } from '../core/ping/step.ts';
import type { HistoryQuery, PingTotal } from '../store/ping-store.ts';
import type { RegisteredAgent } from './agent-index.ts';
import type { AgentRegistry } from './registry.ts';

export interface Pings {
  readonly registry: AgentRegistry;
  readonly policy: () => PingPolicy;
  readonly stats: () => PingStats;
  /** Whether this engine has a ping of the agent in flight. */
  isInFlight(agentId: string): boolean;
  /** Pings the agent now, due or not; what comes before its time is shown and does not count. */
  pingNow(agentId: string, signal: AbortSignal): Promise<Pinged>;
  /** Takes the result of somebody else's ping, and judges it as one of its own. The same result again changes nothing. */
  handIn(agentId: string, handedIn: HandedIn, signal: AbortSignal): Promise<Pinged>;
  history(query: HistoryQuery): Promise<readonly PingRecord[]>;
  totals(fromMs: number): Promise<readonly PingTotal[]>;
}

/** A ping that somebody else made, as it went by the engine's clock. */
export interface HandedIn {
  readonly atMs: number;
  readonly endedAtMs: number;
  /** What came back: an answer's text is read as the engine's own pings read it. */
  readonly brought:
    | { readonly kind: 'answer'; readonly text: string; readonly roundTripMs: number }
    | Extract<PingReply, { readonly kind: 'unreachable' | 'refused' | 'invalid' }>;
}

/** What became of a ping that was asked for. */
export type Pinged =
  | (RegisteredAgent & {
      readonly kind: 'pinged';
      readonly reply: PingReply;
      /** Of a ping that was decided. */
      readonly record: PingRecord | undefined;
      readonly events: readonly PingEvent[];
    })
  /** Another ping of the agent is in flight, here or in another engine. */
  | (RegisteredAgent & { readonly kind: 'busy' })
  /** The agent was decided or changed by somebody else meanwhile. */
  | (RegisteredAgent & { readonly kind: 'overtaken' })
  /** A handed-in result that was handed in before. */
  | (RegisteredAgent & { readonly kind: 'duplicate' })
  /** A handed-in result that is older than the newest one: it changes nothing. */
  | (RegisteredAgent & { readonly kind: 'late'; readonly newestAtMs: number })
  /** A handed-in result that cannot be: the sentence says why. */
  | (RegisteredAgent & { readonly kind: 'invalid'; readonly reason: string })
  | { readonly kind: 'unknown' }
  /** The engine stops, or whoever asked has gone. */
  | { readonly kind: 'stopped' };

/** Figures since the start of this engine, unless said otherwise. */
export interface PingStats {
  /** Whether this engine pings by itself; false leaves it to outside schedulers. */
  readonly isScheduling: boolean;
  readonly inFlight: number;
  /** Agents that are due and not in flight. */
  readonly waiting: number;
  /** How late the newest ping began, milliseconds, and the latest of the last minute. */
  readonly lagMs: number | undefined;
  readonly worstLagMs: number | undefined;
  /** Of the pings that this engine began when they were due, how many began at most so late; the last is Infinity, for all. */
  readonly lagBuckets: readonly LagBucket[];
  /** What all of them were late together. */
  readonly lagSumMs: number;
  /** Attempts, retries included, by the kind of reply. */
  readonly attempts: Readonly<Record<PingReply['kind'], number>>;
  /** Pings that were decided, by outcome. */
  readonly decided: Readonly<Record<PingOutcome, number>>;
  /** Whether the engine doubts itself because most agents fail. */
  readonly isSuspect: boolean;
  /** Since when, as far as failures tell; undefined while it does not. */
  readonly suspectSinceMs: number | undefined;
  /** Pings that were decided without Prometheus' word, because it did not answer. */
  readonly withoutEvidence: number;
  /** How often the store did not do what it was asked. */
  readonly saveFailures: number;
}

export interface LagBucket {
  readonly leMs: number;
  readonly count: number;
}
