/** The GPUs of this machine as the agent shows them: those that answer with their readings, the others with the reason. */

import type { GpuPresence, Presence } from '../presence.ts';
import type { GpuSample, Snapshot } from '../snapshot.ts';
import type { CurrentFinding } from './gpu-truth.ts';

export interface GpuStatusReading {
  /** The last snapshot, however old. */
  readonly snapshot: Snapshot | undefined;
  readonly presence: Presence;
}

/** JSON of /agent/gpu-status. A reading that the card cannot give, or that is too old, is null. */
export function gpuStatus(reading: GpuStatusReading, current: CurrentFinding | undefined, atMs: number) {
  const { snapshot, presence } = reading;
  return {
    gpu_available: current?.available ?? null,
    gpu_count: current?.gpus ?? null,
    expected_gpu_count: current?.expected ?? null,
    reason: current === undefined ? 'nothing has been read yet' : (current.reason ?? null),
    sample_age_seconds: snapshot === undefined ? null : Math.max(0, Math.round(atMs - snapshot.takenAtMs)) / 1000,
    driver_version: snapshot?.driverVersion ?? null,
    gpus: Object.values(presence.gpus)
      .toSorted((a, b) => a.identity.index - b.identity.index)
      .map((gpu) => gpuEntry(gpu, snapshot)),
  };
}

function gpuEntry({ identity, state, reason, lastSeenMs }: GpuPresence, snapshot: Snapshot | undefined) {
  const { index, uuid, modelName, pciBusId } = identity;
  const sample = state === 'available' ? snapshot?.gpus.find((gpu) => gpu.uuid === uuid) : undefined;
  const why = state === 'unobserved' ? 'nothing could be read' : reason;
  return {
    index,
    uuid,
    model: modelName,
    pci_bus_id: pciBusId,
    available: state === 'available',
    reason: why ?? null,
    last_seen: new Date(lastSeenMs).toISOString(),
    ...readings(sample),
  };
}

function readings(sample: Partial<GpuSample> = {}) {
  return {
    temperature_celsius: sample.gpuTemperatureCelsius ?? null,
    memory_temperature_celsius: sample.memoryTemperatureCelsius ?? null,
    utilization_percent: sample.gpuUtilPercent ?? null,
    memory_used_mib: sample.framebufferUsedMib ?? null,
    memory_free_mib: sample.framebufferFreeMib ?? null,
    memory_total_mib: sample.framebufferTotalMib ?? null,
    power_watts: sample.powerWatts ?? null,
    power_limit_watts: sample.enforcedPowerLimitWatts ?? sample.powerLimitWatts ?? null,
    sm_clock_mhz: sample.smClockMhz ?? null,
  };
}
