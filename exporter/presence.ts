/**
 * Every GPU that was ever seen on this node, also while it is gone: a fold over the rounds of the collector. A GPU that dies
 * keeps its series, with 0; its time is available, unavailable (by reason) or, while nothing could be read, unobserved.
 *
 * The time between two rounds goes to the state the earlier one found. A pause longer than `maxGapMs` is unobserved whatever
 * was found before it, and so is the time an exporter did not run. A clock that is set back adds nothing and takes nothing away.
 *
 * Time is kept over the life of a GPU, in the state file. Published counters hold only what this exporter added to it: a counter
 * that came back a little lower than it was would look to Prometheus like a reset, and the whole life would be added once more.
 */

import { addEvents, newsOf } from './presence-events.ts';
import { findGpus } from './presence-sightings.ts';
import { addTime, startAnew } from './presence-time.ts';
import type { GpuIdentity, Snapshot, XidEvent } from './snapshot.ts';

/** `missing` is a GPU that the driver no longer lists; the others are the driver's own words. */
export type UnavailableReason = 'missing' | 'gpu_is_lost' | 'reset_required' | 'wedged' | 'error';

/** Time in whole milliseconds, by what the GPU was like. */
export interface SpentTime {
  readonly availableMs: number;
  readonly unavailableMs: Readonly<Record<UnavailableReason, number>>;
  readonly unobservedMs: number;
}

/** The time is that of its whole life: since `firstSeenMs`. */
export interface GpuPresence extends SpentTime {
  readonly identity: GpuIdentity;
  /** `unobserved` while the source as a whole cannot be read: nobody knows. */
  readonly state: 'available' | 'unavailable' | 'unobserved';
  /** Why it is unavailable; undefined in the other states. */
  readonly reason: UnavailableReason | undefined;
  /** Since when it is unavailable, as far as is known: kept while unobserved, undefined for a GPU that was well when last seen. */
  readonly lostSinceMs?: number | undefined;
  readonly firstSeenMs: number;
  /** The last instant at which its readings were taken; of a GPU that never gave any, the instant at which it was first listed. */
  readonly lastSeenMs: number;
  /** The part of its time that was over when this exporter began; absent for a GPU that this exporter was the first to see. */
  readonly spentBefore?: SpentTime | undefined;
  /** How often each XID code was seen. */
  readonly xids: Readonly<Record<number, number>>;
  readonly lastXid: { readonly code: number; readonly atMs: number } | undefined;
}

/** What happened to a GPU, for people and for GPUd's clients. */
export type PresenceEvent =
  | { readonly kind: 'appeared' | 'returned'; readonly atMs: number; readonly uuid: string }
  | { readonly kind: 'lost'; readonly atMs: number; readonly uuid: string; readonly reason: UnavailableReason }
  | { readonly kind: 'xid'; readonly atMs: number; readonly uuid: string | undefined; readonly code: number }
  | { readonly kind: 'counters-restarted'; readonly atMs: number; readonly epoch: string };

export interface Presence {
  readonly gpus: Readonly<Record<string, GpuPresence>>;
  /** The newest last; bounded. */
  readonly events: readonly PresenceEvent[];
  /** When the counters of the driver began, as far as it was seen; undefined before the first snapshot. */
  readonly counterEpoch: { readonly id: string; readonly sinceMs: number } | undefined;
  /** The end of the last round; undefined before the first. */
  readonly atMs: number | undefined;
}

/** What a round of the collector found; `atMs` is its end, in milliseconds since the epoch. */
export type Round =
  | { readonly kind: 'read'; readonly atMs: number; readonly snapshot: Snapshot }
  | { readonly kind: 'failed'; readonly atMs: number };

export interface PresenceRules {
  /** A longer pause between two rounds is unobserved. */
  readonly maxGapMs: number;
  /** A missing GPU that was last well this long ago is forgotten: its card was taken out. */
  readonly forgetAfterMs: number;
  /** Above this many, those missing longest are forgotten first. A GPU that is not missing is never forgotten. */
  readonly maxGpus: number;
  readonly maxEvents: number;
}

export const presenceRules: PresenceRules = {
  maxGapMs: 60_000,
  forgetAfterMs: 30 * 24 * 3_600_000,
  maxGpus: 1024,
  maxEvents: 1000,
};

export const initialPresence: Presence = { gpus: {}, events: [], counterEpoch: undefined, atMs: undefined };

/** What is known after one more round. Sums of time and of XIDs never fall, whatever the clock does. */
export function observe(presence: Presence, round: Round, rules: PresenceRules = presenceRules): Presence {
  // Whole milliseconds, so that sums of time stay exact.
  const atMs = Math.floor(round.atMs);
  const aged = { ...presence, gpus: passTime(presence, atMs, rules), atMs };
  return round.kind === 'read' ? takeStock(aged, { snapshot: round.snapshot, atMs, rules }) : nobodyKnows(aged);
}

/**
 * What an exporter knows that starts at `atMs` with the presence of an earlier one: nothing until its first round. The time in which
 * no exporter ran is unobserved, and the time since the start begins with 0.
 */
export function resumed(presence: Presence, atMs: number): Presence {
  const startMs = Math.floor(atMs);
  const idle = nobodyKnows(presence);
  return { ...idle, gpus: mapGpus(passTime(idle, startMs, presenceRules), startAnew), atMs: startMs };
}

/** The presence without one GPU, for a card that was taken out for good. A GPU that is seen again starts anew. */
export function forget(presence: Presence, uuid: string): Presence {
  return { ...presence, gpus: Object.fromEntries(Object.entries(presence.gpus).filter(([known]) => known !== uuid)) };
}

/** The GPUs that `after` no longer remembers. */
export function forgottenSince(before: Presence, after: Presence): readonly GpuPresence[] {
  if (before.gpus === after.gpus) return [];
  return Object.values(before.gpus).filter(({ identity }) => after.gpus[identity.uuid] === undefined);
}

function passTime({ gpus, atMs }: Presence, untilMs: number, { maxGapMs }: PresenceRules): Presence['gpus'] {
  const spanMs = atMs === undefined ? 0 : Math.max(0, untilMs - atMs);
  if (spanMs === 0) return gpus;
  const isWatched = spanMs <= maxGapMs;
  return mapGpus(gpus, (gpu) => addTime(gpu, spanMs, isWatched));
}

function nobodyKnows(presence: Presence): Presence {
  const gpus = mapGpus(
    presence.gpus,
    (gpu): GpuPresence => (gpu.state === 'unobserved' ? gpu : { ...gpu, state: 'unobserved', reason: undefined }),
  );
  return { ...presence, gpus };
}

function mapGpus(gpus: Presence['gpus'], change: (gpu: GpuPresence) => GpuPresence): Presence['gpus'] {
  return Object.fromEntries(Object.entries(gpus).map(([uuid, gpu]) => [uuid, change(gpu)]));
}

interface Stocktaking {
  readonly snapshot: Snapshot;
  readonly atMs: number;
  readonly rules: PresenceRules;
}

function takeStock(presence: Presence, { snapshot, atMs, rules }: Stocktaking): Presence {
  const found = findGpus(presence.gpus, snapshot, atMs);
  const gpus = countXids(remembered(found, atMs, rules), snapshot.xids ?? []);
  const counterEpoch = epochAfter(presence.counterEpoch, snapshot);
  const news = newsOf({ before: presence, found, counterEpoch, xids: snapshot.xids ?? [], atMs });
  return { ...presence, gpus, counterEpoch, events: addEvents(presence.events, news, rules.maxEvents) };
}

function epochAfter(epoch: Presence['counterEpoch'], { counterEpoch: id, takenAtMs }: Snapshot) {
  return id === undefined || id === epoch?.id ? epoch : { id, sinceMs: takenAtMs };
}

function remembered(gpus: readonly GpuPresence[], atMs: number, rules: PresenceRules): readonly GpuPresence[] {
  const kept = gpus.filter((gpu) => !isMissing(gpu) || atMs - goneSinceMs(gpu) < rules.forgetAfterMs);
  const excess = kept.length - rules.maxGpus;
  if (excess <= 0) return kept;
  const longestFirst = kept.filter(isMissing).toSorted((left, right) => goneSinceMs(left) - goneSinceMs(right));
  const surplus = new Set(longestFirst.slice(0, excess));
  return kept.filter((gpu) => !surplus.has(gpu));
}

function isMissing({ reason }: GpuPresence): boolean {
  return reason === 'missing';
}

function goneSinceMs({ lastSeenMs, lostSinceMs }: GpuPresence): number {
  return lostSinceMs ?? lastSeenMs;
}

// The last one by its own time, not by its place in the list; at the same instant the higher code.
function countXids(found: readonly GpuPresence[], xids: readonly XidEvent[]): Presence['gpus'] {
  const gpus = Object.fromEntries(found.map((gpu) => [gpu.identity.uuid, gpu]));
  for (const { uuid, code, atMs } of xids.toSorted((left, right) => left.atMs - right.atMs || left.code - right.code)) {
    const gpu = uuid === undefined ? undefined : gpus[uuid];
    if (gpu === undefined) continue;
    gpus[gpu.identity.uuid] = {
      ...gpu,
      xids: { ...gpu.xids, [code]: (gpu.xids[code] ?? 0) + 1 },
      lastXid: { code, atMs },
    };
  }
  return gpus;
}
