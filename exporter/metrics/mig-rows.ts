/** What MIG makes of a GPU: the instances that have readings of their own. */

import type { GpuSample, MigInstance } from '../snapshot.ts';

export interface MigRow {
  readonly gpu: GpuSample;
  readonly instance: MigInstance;
}

/** One row per GPU instance: its compute instances share memory and counters, and DCGM shows them as one. */
export function gpuInstances(gpu: GpuSample): readonly MigRow[] {
  const byId = new Map<number, MigRow>();
  for (const instance of gpu.migInstances ?? [])
    if (!byId.has(instance.gpuInstanceId)) byId.set(instance.gpuInstanceId, { gpu, instance });
  return [...byId.values()];
}
