import type { GpudReading } from '../../../exporter/gpud/reading.ts';
import { initialPresence, observe, type Presence } from '../../../exporter/presence.ts';
import type { GpuSample, ReadFailure, Snapshot, XidEvent } from '../../../exporter/snapshot.ts';

/** 2026-01-01T00:00:00Z. */
export const zeroMs = 1_767_225_600_000;
export const minuteMs = 60_000;

export const uuid = (index: number) => `GPU-00000000-0000-0000-0000-00000000000${index}`;

/** An H100 that gives every reading. */
export const gpu = (index: number, changes: Partial<GpuSample> = {}): GpuSample => ({
  index,
  uuid: uuid(index),
  pciBusId: `00000000:${index}F:00.0`,
  modelName: 'NVIDIA H100 80GB HBM3',
  serial: `165402300000${index}`,
  minorNumber: index,
  smClockMhz: 1980,
  graphicsClockMhz: 1980,
  memoryClockMhz: 2619,
  maxSmClockMhz: 1980,
  clocksEventReasons: 0,
  gpuTemperatureCelsius: 45,
  memoryTemperatureCelsius: 52,
  slowdownTemperatureCelsius: 92,
  shutdownTemperatureCelsius: 95,
  maxGpuTemperatureCelsius: 87,
  maxMemoryTemperatureCelsius: 95,
  powerWatts: 350.25,
  powerLimitWatts: 700,
  enforcedPowerLimitWatts: 700,
  gpuUtilPercent: 0,
  memoryCopyUtilPercent: 0,
  framebufferTotalMib: 81_559,
  framebufferReservedMib: 551,
  framebufferUsedMib: 1536,
  framebufferFreeMib: 79_472,
  smOccupancyRatio: 0.25,
  lastXid: 0,
  eccMode: 1,
  eccSbeVolatile: 2,
  eccDbeVolatile: 0,
  eccSbeAggregate: 5,
  eccDbeAggregate: 1,
  correctableRemappedRows: 0,
  uncorrectableRemappedRows: 1,
  rowRemapPending: 0,
  rowRemapFailure: 0,
  persistenceMode: 1,
  fabricState: 3,
  fabricStatus: 0,
  nvlinks: [
    { link: 0, isActive: true, crcFlitErrors: 1, crcDataErrors: 2, replayErrors: 0, recoveryErrors: 0 },
    { link: 1, isActive: true },
  ],
  processes: [{ pid: 4711, name: 'python3', kind: 'compute', usedMemoryMib: 1024 }],
  ...changes,
});

/** The same card where NVML can say next to nothing. */
export const bareGpu = (index: number): GpuSample => ({
  index,
  uuid: uuid(index),
  pciBusId: `00000000:0${index}:00.0`,
  modelName: 'NVIDIA GeForce GT 710',
  gpuTemperatureCelsius: 40,
});

export const snapshotOf = (gpus: readonly GpuSample[], changes: Partial<Snapshot> = {}): Snapshot => ({
  takenAtMs: zeroMs,
  driverVersion: '570.86.15',
  gpus,
  health: { failures: [] },
  ...changes,
});

export const lost = (index: number): ReadFailure => ({
  uuid: uuid(index),
  reason: 'gpu_is_lost',
  message: `${uuid(index)} has fallen off the bus`,
});

export const xid = (code: number, index: number, atMs = zeroMs): XidEvent => ({ atMs, uuid: uuid(index), code });

export const xidText = (code: number) => (code === 79 ? 'GPU has fallen off the bus' : `text of ${code}`);

export function presenceAfter(snapshots: readonly Snapshot[], presence: Presence = initialPresence): Presence {
  return snapshots.reduce((before, snapshot) => {
    return observe(before, { kind: 'read', atMs: snapshot.takenAtMs, snapshot });
  }, presence);
}

/** What there is to say after these rounds of the real presence. */
export function readingAfter(...snapshots: readonly Snapshot[]): GpudReading {
  const presence = presenceAfter(snapshots);
  return { snapshot: snapshots.at(-1), failure: undefined, presence, slowdowns: [], xidText };
}
