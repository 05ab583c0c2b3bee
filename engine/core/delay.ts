/** Escalating delays as a fold over the verdict timeline. No request takes part, so asking never escalates. */
import type { DelayPolicy } from './policy.ts';
import type { WindowVerdict } from './uptime.ts';

/** A run of failures: from the first low tick until every known window has recovered. */
export interface Episode {
  /** Tick at which failure 1 started. */
  readonly sinceMs: number;
  /** Failures so far, at least 1. */
  readonly failures: number;
  /** Tick at which the current failure started. */
  readonly failedAtMs: number;
  /** Since when every known window has met its threshold; only set while a recovery hold runs. */
  readonly recoveringSinceMs?: number;
}

/** Multiplier of failure n (1, 2, …): first x escalation^(n-1), capped. */
export function multiplierOf(policy: DelayPolicy, failure: number): number {
  return Math.min(policy.maxMultiplier, policy.firstMultiplier * policy.escalationFactor ** (failure - 1));
}

/** Length of failure n's delay in milliseconds. */
export function delayMsOf(policy: DelayPolicy, failure: number): number {
  return policy.baseDurationMs * multiplierOf(policy, failure);
}

/** Instant at which the current failure's delay runs out. */
export function delayedUntilMs(policy: DelayPolicy, episode: Episode): number {
  return episode.failedAtMs + delayMsOf(policy, episode.failures);
}

export interface DelayInput {
  readonly atMs: number;
  readonly verdict: WindowVerdict;
  /** The guard suspects the observer: no failure may start, recoveries go on. */
  readonly isFrozen: boolean;
}

/** One tick of a subject's delay. `undefined` is the clear state. */
export function stepDelay(policy: DelayPolicy, episode: Episode | undefined, input: DelayInput): Episode | undefined {
  if (episode === undefined) return input.verdict === 'low' && !input.isFrozen ? firstFailure(input.atMs) : undefined;
  if (input.verdict === 'met') return recover(policy, episode, input.atMs);
  const { recoveringSinceMs: _, ...stillFailing } = episode;
  return isNextFailureDue(policy, episode, input) ? nextFailure(stillFailing, input.atMs) : stillFailing;
}

function firstFailure(atMs: number): Episode {
  return { sinceMs: atMs, failures: 1, failedAtMs: atMs };
}

function nextFailure(episode: Episode, atMs: number): Episode {
  return { ...episode, failures: episode.failures + 1, failedAtMs: atMs };
}

/** Escalation needs evidence: the delay has run out and a window is known to be low. */
function isNextFailureDue(policy: DelayPolicy, episode: Episode, { atMs, verdict, isFrozen }: DelayInput): boolean {
  return verdict === 'low' && !isFrozen && atMs >= delayedUntilMs(policy, episode);
}

function recover(policy: DelayPolicy, episode: Episode, atMs: number): Episode | undefined {
  const recoveringSinceMs = episode.recoveringSinceMs ?? atMs;
  if (atMs - recoveringSinceMs >= policy.recoveryHoldMs) return undefined;
  return { ...episode, recoveringSinceMs };
}
