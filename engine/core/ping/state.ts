/** Where an agent stands between two pings. Plain data; instants are milliseconds since the epoch. */
import type { PingEvidence, PingOutcome } from './outcome.ts';

export interface PingState {
  /** Pings that were decided, confirmation retries not counted. */
  readonly pings: number;
  readonly consecutivePoor: number;
  readonly goodInARow: number;
  /** The agent's cursor: where the next ping asks from. */
  readonly cursor: { readonly bootId: string; readonly seq: number } | undefined;
  /** When the span of the next ping begins: the last answered ping. */
  readonly spanFromMs: number | undefined;
  /** Failed attempts since the last decided ping: unreachable is confirmed before it counts. */
  readonly attempts: number;
  /** The last grace that was given to a restarted agent. */
  readonly graceAtMs: number | undefined;
  readonly lastPingAtMs: number | undefined;
  readonly lastOutcome: PingOutcome | undefined;
  readonly nextDueAtMs: number;
  /** The interval in force: base x multiplier^consecutivePoor, capped. */
  readonly intervalMs: number;
}

/** A decided ping, as history keeps it. */
export interface PingRecord {
  readonly agentId: string;
  readonly atMs: number;
  /** Counts the agent's pings; equal to `PingState.pings` after it. */
  readonly sequence: number;
  readonly outcome: PingOutcome;
  readonly reason: string;
  readonly evidence: PingEvidence | undefined;
  readonly consecutivePoor: number;
  readonly intervalMs: number;
  readonly nextDueAtMs: number;
  readonly roundTripMs: number | undefined;
}
