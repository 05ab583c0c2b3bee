/** How the time of a GPU is counted: over its whole life and, for the counters of a process, since this exporter began. */

import type { GpuPresence, SpentTime, UnavailableReason } from './presence.ts';

export const noTime: SpentTime = {
  availableMs: 0,
  unavailableMs: { missing: 0, gpu_is_lost: 0, reset_required: 0, wedged: 0, error: 0 },
  unobservedMs: 0,
};

/** The GPU after `spanMs` more in the state it is in; unobserved where nobody watched it. */
export function addTime(gpu: GpuPresence, spanMs: number, isWatched: boolean): GpuPresence {
  if (!isWatched || gpu.state === 'unobserved') return { ...gpu, unobservedMs: gpu.unobservedMs + spanMs };
  if (gpu.reason === undefined) return { ...gpu, availableMs: gpu.availableMs + spanMs };
  return { ...gpu, unavailableMs: plus(gpu.unavailableMs, gpu.reason, spanMs) };
}

/** The GPU with all the time it has spent counted as that of earlier exporters. */
export function startAnew(gpu: GpuPresence): GpuPresence {
  const { availableMs, unavailableMs, unobservedMs } = gpu;
  return { ...gpu, spentBefore: { availableMs, unavailableMs, unobservedMs } };
}

/** What of the GPU's time was spent since this exporter began. */
export function spentSinceStart(gpu: GpuPresence): SpentTime {
  const { spentBefore: before = noTime } = gpu;
  return {
    availableMs: gpu.availableMs - before.availableMs,
    unavailableMs: minus(gpu.unavailableMs, before.unavailableMs),
    unobservedMs: gpu.unobservedMs - before.unobservedMs,
  };
}

type ByReason = SpentTime['unavailableMs'];

/** `ms` more for one reason. */
export function plus(byReason: ByReason, reason: UnavailableReason, ms: number): ByReason {
  return { ...byReason, [reason]: byReason[reason] + ms };
}

function minus(byReason: ByReason, before: ByReason): ByReason {
  return {
    missing: byReason.missing - before.missing,
    gpu_is_lost: byReason.gpu_is_lost - before.gpu_is_lost,
    reset_required: byReason.reset_required - before.reset_required,
    wedged: byReason.wedged - before.wedged,
    error: byReason.error - before.error,
  };
}
