/**
 * The raw metrics of /v1/gpu. GPUd has no such page of its own any more; clients that ask for it read `gpu_metrics` with these
 * names, and take what is absent for a sensor that the card lacks. Who a GPU is stands in the words of GPUd's machine info.
 */

import type { GpuPresence, PresenceEvent } from '../presence.ts';
import type { GpuProcess, GpuSample } from '../snapshot.ts';
import { timeText } from './api.ts';
import { type GpudReading, shortBusId } from './reading.ts';
import { lookbackMs } from './slowdown.ts';

/** JSON of /v1/gpu: GPUs that answer, and apart from them those that should and do not. */
export function gpuMetrics(reading: GpudReading, atMs: number) {
  const { snapshot, presence, failure } = reading;
  const away = Object.values(presence.gpus).filter(({ state }) => state === 'unavailable');
  return {
    timestamp: timeText(snapshot?.takenAtMs ?? atMs),
    driver_version: snapshot?.driverVersion,
    error: failure?.message,
    gpu_metrics: (snapshot?.gpus ?? []).map((gpu) => metricsOf(gpu, reading, atMs)),
    unavailable_gpus: away.map(awayEntry),
  };
}

function metricsOf(gpu: GpuSample, reading: GpudReading, atMs: number) {
  return {
    index: gpu.index,
    uuid: gpu.uuid,
    name: gpu.modelName,
    busID: shortBusId(gpu.pciBusId),
    sn: gpu.serial,
    minorID: gpu.minorNumber === undefined ? undefined : String(gpu.minorNumber),
    temperature: gpu.gpuTemperatureCelsius,
    memory_temperature: gpu.memoryTemperatureCelsius,
    power_draw: gpu.powerWatts,
    power_limit: gpu.enforcedPowerLimitWatts ?? gpu.powerLimitWatts,
    memory_used_mb: gpu.framebufferUsedMib,
    memory_total_mb: gpu.framebufferTotalMib,
    gpu_utilization: gpu.gpuUtilPercent,
    memory_utilization: gpu.memoryCopyUtilPercent,
    sm_occupancy: gpu.smOccupancyRatio === undefined ? undefined : 100 * gpu.smOccupancyRatio,
    clock_mhz: gpu.smClockMhz,
    max_clock_mhz: gpu.maxSmClockMhz,
    ecc_errors: gpu.eccDbeVolatile,
    ecc_corrected_errors: gpu.eccSbeVolatile,
    xid_events: xidEvents(gpu.uuid, reading, atMs),
    nvlink_status: nvlinkStatus(gpu),
    processes: gpu.processes?.map((process) => processEntry(process, gpu.index)),
  };
}

function xidEvents(uuid: string, { presence, xidText }: GpudReading, atMs: number): readonly string[] {
  return presence.events
    .filter((event): event is Extract<PresenceEvent, { kind: 'xid' }> => event.kind === 'xid')
    .filter((event) => event.uuid === uuid && atMs - event.atMs < lookbackMs)
    .map(({ code, atMs: seenMs }) => `${timeText(seenMs)} XID ${code} (${xidText(code)})`);
}

function nvlinkStatus({ nvlinks = [] }: GpuSample): 'healthy' | 'degraded' | 'inactive' | undefined {
  if (nvlinks.length === 0) return undefined;
  const active = nvlinks.filter(({ isActive }) => isActive).length;
  if (active === 0) return 'inactive';
  return active === nvlinks.length ? 'healthy' : 'degraded';
}

function processEntry({ pid, name, usedMemoryMib }: GpuProcess, gpuIndex: number) {
  return { pid, name, memory_mb: usedMemoryMib, gpu_index: gpuIndex };
}

function awayEntry({ identity, reason, lastSeenMs }: GpuPresence) {
  const { index, uuid, modelName, pciBusId } = identity;
  return { index, uuid, name: modelName, busID: shortBusId(pciBusId), reason, last_seen: timeText(lastSeenMs) };
}
