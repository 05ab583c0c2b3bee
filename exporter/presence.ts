/**
 * Every GPU that was ever seen on this node, also while it is gone: a fold over the rounds of the collector. A GPU that dies
 * keeps its series, with 0; its time is available, unavailable (by reason) or, while nothing could be read, unobserved.
 */

import type { GpuIdentity } from './snapshot.ts';

/** `missing` is a GPU that the driver no longer lists; the others are the driver's own words. */
export type UnavailableReason = 'missing' | 'gpu_is_lost' | 'reset_required' | 'wedged' | 'error';

export interface GpuPresence {
  readonly identity: GpuIdentity;
  /** `unobserved` while the source as a whole cannot be read: nobody knows. */
  readonly state: 'available' | 'unavailable' | 'unobserved';
  /** Why it is unavailable; undefined in the other states. */
  readonly reason: UnavailableReason | undefined;
  readonly firstSeenMs: number;
  /** The last instant at which its readings were taken. */
  readonly lastSeenMs: number;
  readonly availableMs: number;
  readonly unavailableMs: Readonly<Record<UnavailableReason, number>>;
  readonly unobservedMs: number;
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
