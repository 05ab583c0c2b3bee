/** When the counters of the driver began: they start anew with each load of the driver, and with a reset of a GPU. */

import type { GpuSample } from '../../snapshot.ts';
import type { KnownGpu } from './reading.ts';

export interface EpochFacts {
  readonly driverLoad: string | undefined;
  readonly driverVersion: string | undefined;
  /** How often counters were seen to start anew within one load. */
  readonly restarts: number;
}

/** `9a1c52e0-81523/570.86.15/0`: differs whenever counters may have started anew, and only then. */
export function counterEpoch({ driverLoad, driverVersion, restarts }: EpochFacts): string {
  return [driverLoad ?? 'load-unknown', driverVersion ?? 'version-unknown', restarts].join('/');
}

/** Energy only falls when its counter starts anew; the other counters of the GPU do so with it. */
export function hasRestarted(before: readonly KnownGpu[], now: readonly GpuSample[]): boolean {
  return now.some(({ uuid, energyMillijoules }) => {
    const earlier = before.find((gpu) => gpu.uuid === uuid)?.energyMillijoules;
    return earlier !== undefined && energyMillijoules !== undefined && energyMillijoules < earlier;
  });
}

/** What to remember of a GPU; its last energy also while it does not say any. */
export function remember(before: readonly KnownGpu[], gpu: KnownGpu): KnownGpu {
  const energyMillijoules = gpu.energyMillijoules ?? before.find(({ uuid }) => uuid === gpu.uuid)?.energyMillijoules;
  return { index: gpu.index, uuid: gpu.uuid, energyMillijoules };
}
