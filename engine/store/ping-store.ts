/** The port for pings: who is due, what each came to, and what there has been. Instants are the caller's clock. */
import type { Agent } from '../core/ping/agent.ts';
import type { PingOutcome } from '../core/ping/outcome.ts';
import type { PingRecord, PingState } from '../core/ping/state.ts';

/**
 * How far the clocks of engines may be apart. A lease that runs longer than one of now could, and this, was given before
 * the clock was set back, and is over.
 */
export const MAX_CLOCK_SKEW_MS = 600_000;

/** The right to ping an agent until the lease ends; whoever holds it is the only one. */
export interface Claim {
  readonly agent: Agent;
  /** Undefined when what was stored is damaged; a result mends it. */
  readonly state: PingState | undefined;
  /** Changes with every claim and every result, and never returns, not even when the id is registered anew. */
  readonly version: number;
  readonly leasedUntilMs: number;
}

/** What became of a claim. It ends the lease; the next state may be the old one. */
export interface PingResult {
  readonly agentId: string;
  /** The claim's. */
  readonly version: number;
  readonly state: PingState;
  /** Goes into history with the state, or not at all; undefined while nothing is decided. */
  readonly record: PingRecord | undefined;
}

/** The store works, and refuses one of the results it was given, and with it all of the call. */
export class UnfitResultError extends Error {
  override readonly name = 'UnfitResultError';
}

export interface HistoryQuery {
  readonly agentId: string;
  readonly fromMs: number;
  /** Not included. */
  readonly toMs: number;
  /** Where the last page ended. */
  readonly before: HistoryPosition | undefined;
  readonly limit: number;
}

/** A ping's place in its agent's history; a ping record is one. */
type HistoryPosition = Pick<PingRecord, 'atMs' | 'sequence'>;

/** Decided pings of one hour with one outcome, of all agents, also of those removed since. */
export interface PingTotal {
  readonly hourMs: number;
  readonly outcome: PingOutcome;
  readonly pings: number;
  /** Those with a round trip, and its sum. */
  readonly answered: number;
  readonly roundTripMs: number;
}

/**
 * Several engines may share the data behind it: a claim is exclusive, and a result counts only for the newest claim,
 * so that a late one never overwrites what was decided since.
 */
export interface PingStore {
  /** Leases at most `limit` agents that are due and not leased, in the order of their due times. */
  claimDue(nowMs: number, limit: number, leaseMs: number): Promise<readonly Claim[]>;
  /** Leases one agent, due or not. Undefined when it is leased, or not registered. */
  claim(agentId: string, nowMs: number, leaseMs: number): Promise<Claim | undefined>;
  /**
   * For each result whether it was kept: it is stale when the agent was claimed again, decided or removed since. All of them are
   * written, or none. Rejects with UnfitResultError when one of them can never be.
   */
  record(results: readonly PingResult[]): Promise<readonly ('kept' | 'stale')[]>;
  /** Newest first. */
  history(query: HistoryQuery): Promise<readonly PingRecord[]>;
  /** By hour and outcome, from the hour of `fromMs` on. */
  totals(fromMs: number): Promise<readonly PingTotal[]>;
  /** Forgets at most `limit` of the pings before `beforeMs`, oldest first, and totals of those hours. How many pings. */
  trim(beforeMs: number, limit: number): Promise<number>;
}
