/** Faults as a pure overlay: what a broken GPU shows instead of what the scenario says. */

import type { GpuSample, Health, ReadFailure } from '../../snapshot.ts';

/** What can be wrong with a simulated GPU. `recover` is not among them: it is the end of the others. */
export const faultKinds = ['hot', 'busy', 'lost', 'power', 'ecc'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One fault of one GPU. Instants are milliseconds of scenario time; `untilMs` is Infinity while no end is known. */
export interface Fault {
  readonly gpu: number;
  readonly kind: FaultKind;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface FaultyFleet {
  readonly gpus: readonly GpuSample[];
  readonly health: Health;
}

const hotCelsius = 92;
// Faster than a real heat sink, so that a demonstration does not take minutes.
const heatingCelsiusPerS = 5;
const slowdownCelsius = 88;
const hardwareThermalSlowdown = 0x40 | 0x8;
const throttledSmClockMhz = 210;
const busyMemoryShare = 0.97;
const spikeWatts = 470;
const xidDoubleBitError = 48;

type Overlay = (sample: GpuSample, fault: Fault, elapsedMs: number) => GpuSample;

const overlays: Readonly<Record<Exclude<FaultKind, 'lost'>, Overlay>> = {
  hot: (sample, fault, elapsedMs) => heat(sample, (elapsedMs - fault.fromMs) / 1000),
  busy: (sample) => occupy(sample),
  power: (sample) => ({ ...sample, powerWatts: spikeWatts }),
  ecc: (sample) => breakRow(sample),
};

/** The fleet as its sensors show it under `faults` at `elapsedMs`. A lost GPU is gone from the data and named in `health`. */
export function applyFaults(fleet: readonly GpuSample[], faults: readonly Fault[], elapsedMs: number): FaultyFleet {
  const active = faults.filter((fault) => isActive(fault, elapsedMs));
  const isLost = (sample: GpuSample) => active.some((fault) => fault.kind === 'lost' && fault.gpu === sample.index);
  return {
    gpus: fleet.filter((sample) => !isLost(sample)).map((sample) => overlay(sample, active, elapsedMs)),
    health: { failures: fleet.filter(isLost).map(lostFailure) },
  };
}

export function isActive(fault: Fault, elapsedMs: number): boolean {
  return fault.fromMs <= elapsedMs && elapsedMs < fault.untilMs;
}

function overlay(sample: GpuSample, active: readonly Fault[], elapsedMs: number): GpuSample {
  return active.reduce((shown, fault) => {
    if (fault.gpu !== sample.index || fault.kind === 'lost') return shown;
    return overlays[fault.kind](shown, fault, elapsedMs);
  }, sample);
}

function heat(sample: GpuSample, hotForS: number): GpuSample {
  const warm = (celsius: number | undefined) =>
    celsius === undefined
      ? undefined
      : Math.max(celsius, Math.min(hotCelsius, Math.round(celsius + hotForS * heatingCelsiusPerS)));
  const celsius = warm(sample.gpuTemperatureCelsius);
  const heated = {
    ...sample,
    gpuTemperatureCelsius: celsius,
    memoryTemperatureCelsius: warm(sample.memoryTemperatureCelsius),
  };
  return celsius !== undefined && celsius >= slowdownCelsius ? slowDown(heated) : heated;
}

function slowDown(sample: GpuSample): GpuSample {
  const clocksEventReasons = (sample.clocksEventReasons ?? 0) | hardwareThermalSlowdown;
  return { ...sample, clocksEventReasons, smClockMhz: throttledSmClockMhz };
}

function occupy(sample: GpuSample): GpuSample {
  const usableMib = (sample.framebufferUsedMib ?? 0) + (sample.framebufferFreeMib ?? 0);
  const usedMib = Math.floor(usableMib * busyMemoryShare);
  return {
    ...sample,
    gpuUtilPercent: 99,
    framebufferUsedMib: usedMib,
    framebufferFreeMib: usableMib - usedMib,
    clocksEventReasons: (sample.clocksEventReasons ?? 0) & ~0x1,
  };
}

function breakRow(sample: GpuSample): GpuSample {
  return {
    ...sample,
    eccDbeVolatile: (sample.eccDbeVolatile ?? 0) + 1,
    eccDbeAggregate: (sample.eccDbeAggregate ?? 0) + 1,
    uncorrectableRemappedRows: (sample.uncorrectableRemappedRows ?? 0) + 1,
    lastXid: xidDoubleBitError,
  };
}

function lostFailure({ index, uuid }: GpuSample): ReadFailure {
  return {
    uuid,
    reason: 'gpu_is_lost',
    message: `GPU ${index} has fallen off the bus: it answers nothing until the host is reset`,
  };
}
