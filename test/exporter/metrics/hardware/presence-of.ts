import { initialPresence, observe, type Presence } from '../../../../exporter/presence.ts';
import type { Snapshot } from '../../../../exporter/snapshot.ts';

/** What is known after these snapshots, each taken in by the end of its own instant. */
export function presenceOf(...snapshots: readonly Snapshot[]): Presence {
  return snapshots.reduce(
    (presence, snapshot) => observe(presence, { kind: 'read', atMs: snapshot.takenAtMs, snapshot }),
    initialPresence,
  );
}
