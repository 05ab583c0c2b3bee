/** Presence: which state each GPU had at a tick. Unknown is not bad, and silence is not good. */
import type { FiringAction } from './action.ts';
import type { Observation, Readings, Sighting } from './observation.ts';
import type { Check, PresencePolicy } from './policy.ts';
import { TICK, type TickState } from './tick.ts';

/** How far the observer can be trusted at a tick. */
export interface ObserverState {
  /** First tick of the current unbroken run of fresh heartbeats; undefined while nobody is watching. */
  readonly watchingSinceMs: number | undefined;
}

/** Follows the heartbeat: a run starts at the first fresh tick and ends at the first tick without a fresh sample. */
export function stepObserver(presence: PresencePolicy, before: ObserverState, observation: Observation): ObserverState {
  const { atMs, observerAtMs } = observation;
  const isWatching = observerAtMs !== undefined && isFresh(presence, observerAtMs, atMs);
  if (!isWatching) return { watchingSinceMs: undefined };
  return { watchingSinceMs: before.watchingSinceMs ?? atMs };
}

/** Lookback must not hide a death: a sample older than `fresh` (two scrape intervals) is missing. */
function isFresh(presence: PresencePolicy, sampledAtMs: number, atMs: number): boolean {
  return atMs - sampledAtMs <= presence.freshMs;
}

/**
 * Whether a missing GPU is evidence of its death. Just after the observer returns its targets have not all been
 * scraped again, so absence means nothing until the observer has watched for one whole freshness span.
 */
export function absenceCounts(presence: PresencePolicy, observer: ObserverState, atMs: number): boolean {
  return observer.watchingSinceMs !== undefined && atMs - observer.watchingSinceMs >= presence.freshMs;
}

/** A check that failed at a tick, with the value that failed it (undefined: the value was missing). */
export interface FailedCheck {
  readonly check: Check;
  readonly value: number | undefined;
}

/** Outcome of a GPU's tick: its state, and the check that made it so. */
export interface Verdict {
  readonly state: TickState;
  readonly failed?: FailedCheck;
  /** The alert that keeps the GPU down, whatever its checks say. */
  readonly quarantine?: FiringAction;
}

export const UNOBSERVED: Verdict = { state: TICK.unobserved };
export const DOWN: Verdict = { state: TICK.down };
export const MAINTENANCE: Verdict = { state: TICK.maintenance };
const UP: Verdict = { state: TICK.up };

/** A check bound to the readings of its query at this tick. */
export interface BoundCheck {
  readonly check: Check;
  readonly readings: Readings | undefined;
}

const STATE_ON_FAIL = { down: TICK.down, busy: TICK.busy, warn: TICK.up } as const;

/** Judges the checks of a present GPU: a failing `down` check wins over `busy`, `busy` over `warn` (which stays up). */
export function judgeChecks(checks: readonly BoundCheck[], gpu: string): Verdict {
  let worst = UP;
  for (const { check, readings } of checks) {
    const value = readings?.get(gpu);
    if (holds(check, value)) continue;
    const state = STATE_ON_FAIL[check.onFail];
    if (state < worst.state || worst === UP) worst = { state, failed: { check, value } };
  }
  return worst;
}

/** Whether a value respects the check's bound; a missing value does what the check's `absent` says. */
function holds(check: Check, value: number | undefined): boolean {
  if (value === undefined) return check.absent === 'ignore';
  const { kind, value: limit } = check.bound;
  if (kind === 'max') return value <= limit;
  return kind === 'min' ? value >= limit : value === limit;
}

/** Sightings that count at this tick: fresh, newest first where a GPU was seen under two label sets. */
export function freshSightings(presence: PresencePolicy, observation: Observation): ReadonlyMap<string, Sighting> {
  const byGpu = new Map<string, Sighting>();
  for (const sighting of observation.sightings) {
    if (!isFresh(presence, sighting.sampledAtMs, observation.atMs)) continue;
    const other = byGpu.get(sighting.gpu);
    if (other === undefined || isNewer(sighting, other)) byGpu.set(sighting.gpu, sighting);
  }
  return byGpu;
}

/** Of two sightings of the same instant the target decides, so that the order of an answer never does. */
function isNewer(a: Sighting, b: Sighting): boolean {
  return a.sampledAtMs === b.sampledAtMs ? a.target < b.target : a.sampledAtMs > b.sampledAtMs;
}
