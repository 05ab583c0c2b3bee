/** Where an agent stands between two pings. Plain data; instants are milliseconds since the epoch. */
import type { PingEvidence, PingOutcome } from './outcome.ts';

export interface PingState {
  /** When the agent was registered. */
  readonly sinceMs: number;
  /** Pings that were decided, confirmation retries not counted. */
  readonly pings: number;
  readonly consecutivePoor: number;
  readonly goodInARow: number;
  /** The agent's cursor: where the next ping asks from. */
  readonly cursor: { readonly bootId: string; readonly seq: number } | undefined;
  /** When the span of the next ping begins: the last answered ping. */
  readonly spanFromMs: number | undefined;
  /** Failed attempts since the last decided ping: a failure is confirmed before it counts. */
  readonly attempts: number;
  /** The first of those attempts. */
  readonly failingSinceMs: number | undefined;
  /** The last grace that was given to a restarted agent. */
  readonly graceAtMs: number | undefined;
  /** When the newest attempt that was applied began; what began earlier is late. */
  readonly lastAttemptAtMs: number | undefined;
  readonly lastPingAtMs: number | undefined;
  readonly lastOutcome: PingOutcome | undefined;
  readonly lastReason: string | undefined;
  /** What the two sides said of the newest span that was judged; pings that brought no evidence leave it as it is. */
  readonly lastEvidence: PingEvidence | undefined;
  /** The end of the newest span in which Prometheus knew its GPUs. */
  readonly seenAtMs: number | undefined;
  /** Prometheus watched when it last answered, and knew none of its GPUs, which it had known before. */
  readonly isUnseen: boolean;
  /** Whether it answered last time; a failure that does not count says nothing. Undefined before either. */
  readonly isReachable: boolean | undefined;
  /** How far the agent's clock was ahead of the engine's in the newest answer that told. */
  readonly clockSkewMs: number | undefined;
  /** When the coming ping was planned for. Retries and catching up move `nextDueAtMs`, and leave the plan as it is. */
  readonly slotAtMs: number;
  readonly nextDueAtMs: number;
  /** When the interval in force runs out; later than `nextDueAtMs` where a poor agent is looked at more often. */
  readonly payDueAtMs: number;
  /** The interval in force: base x multiplier^consecutivePoor, capped. */
  readonly intervalMs: number;
  /** How it stood before a failure that counted, should the engine turn out to be the one who failed. */
  readonly undo: Pick<PingState, 'consecutivePoor' | 'goodInARow' | 'isReachable'> | undefined;
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
  /** The uptime that was judged, 0..1; undefined when only existence was, or there was nothing to judge. */
  readonly uptime: number | undefined;
  readonly consecutivePoor: number;
  readonly intervalMs: number;
  readonly nextDueAtMs: number;
  readonly payDueAtMs: number;
  readonly roundTripMs: number | undefined;
  /** How far the agent's clock was ahead; undefined unless it answered. */
  readonly clockSkewMs: number | undefined;
}
