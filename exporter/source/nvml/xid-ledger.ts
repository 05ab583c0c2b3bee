/** XIDs between two snapshots: kept until a snapshot takes them along, so that a failed reading or a replaced process loses none. */

import type { GpuSample, XidEvent } from '../../snapshot.ts';

export interface XidLedger {
  add(event: XidEvent): void;
  /** From now on this GPU counts as one that can report XIDs. */
  listensTo(uuid: string): void;
  /** Everything since the last take, in order. */
  take(): readonly XidEvent[];
  /** The sample with its last XID, where somebody has listened for one. */
  mark(gpu: GpuSample): GpuSample;
}

/** While no reading succeeds at most `capacity` events are kept, the newest; the last XID of each GPU is kept anyway. */
export function createXidLedger(capacity: number): XidLedger {
  const lastXids = new Map<string, number>();
  let pending: readonly XidEvent[] = [];
  return {
    add: (event) => {
      pending = [...pending.slice(-(capacity - 1)), event];
      if (event.uuid !== undefined) lastXids.set(event.uuid, event.code);
    },
    listensTo: (uuid) => {
      if (!lastXids.has(uuid)) lastXids.set(uuid, 0);
    },
    take: () => {
      const taken = pending;
      pending = [];
      return taken;
    },
    mark: (gpu) => {
      const lastXid = lastXids.get(gpu.uuid);
      return lastXid === undefined ? gpu : { ...gpu, lastXid };
    },
  };
}
