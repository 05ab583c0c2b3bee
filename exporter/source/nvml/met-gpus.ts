/** Who the GPUs are that any driver process has met: one that does not answer any more is still known by more than its UUID. */

import type { GpuIdentity } from '../../snapshot.ts';
import type { KnownGpu } from './reading.ts';

export interface MetGpus {
  meet(identity: GpuIdentity): void;
  /** `known` are the GPUs that the driver lists, by their present index; undefined for one that nothing is known of. */
  identityOf(uuid: string, known: readonly KnownGpu[]): GpuIdentity | undefined;
}

// The words of a reader for a GPU that says no more than its UUID.
const nothingSaid = { pciBusId: '', modelName: 'unknown' };

export function createMetGpus(): MetGpus {
  const met = new Map<string, GpuIdentity>();
  return {
    // A GPU that dies says less than it did before: its bus id is the first thing it is asked for.
    meet: (identity) => {
      if (identity.pciBusId !== '' || !met.has(identity.uuid)) met.set(identity.uuid, identity);
    },
    identityOf: (uuid, known) => {
      const identity = met.get(uuid);
      const index = known.find((gpu) => gpu.uuid === uuid)?.index ?? identity?.index;
      return index === undefined ? undefined : { ...nothingSaid, ...identity, index, uuid };
    },
  };
}
