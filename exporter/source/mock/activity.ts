/** What the work on a card does to its clocks, engines, memory and links. */

import type { GpuReadings } from '../../readings.ts';
import { countWithin, pcieReplays } from './course.ts';
import { loadSeconds } from './load.ts';
import { noise, workSecondsAt } from './moment.ts';
import { activeOfKind, type Scene } from './scene.ts';
import { between, stream } from './seed.ts';

const dayMs = 86_400_000;
const throttledMhz = 210;
const clockStepMhz = 15;
const occupied = { utilPercent: 99, memoryShare: 0.97 } as const;
const pcieWidth = 16;
const bar1UsedMib = 4;

export function clockReadings(scene: Scene, isThrottled: boolean): GpuReadings {
  const { smClockMhz, memoryClockMhz, videoClockMhz } = scene.card.profile;
  const wanted = between(smClockMhz.idle, smClockMhz.peak, scene.moment.share) * (1 - sag(scene));
  const clockMhz = isThrottled ? throttledMhz : Math.round(wanted / clockStepMhz) * clockStepMhz;
  return {
    smClockMhz: clockMhz,
    graphicsClockMhz: clockMhz,
    memoryClockMhz: memoryClockMhz.busy,
    videoClockMhz: isThrottled ? throttledMhz : videoClockMhz,
    maxSmClockMhz: smClockMhz.max,
    maxMemoryClockMhz: memoryClockMhz.max,
  };
}

function sag(scene: Scene): number {
  const sags = activeOfKind(scene, 'sagging').map(({ effect: { most, sharePerDay }, fromMs }) =>
    Math.min(most, ((scene.moment.atMs - fromMs) / dayMs) * sharePerDay),
  );
  return Math.max(0, ...sags);
}

export function memoryReadings(scene: Scene): GpuReadings {
  const { framebufferMib, framebufferReservedMib, bar1Mib } = scene.card.profile;
  const usableMib = framebufferMib - framebufferReservedMib;
  const usedMib = Math.floor(isOccupied(scene) ? usableMib * occupied.memoryShare : framebufferMib * usedShare(scene));
  return {
    framebufferTotalMib: framebufferMib,
    framebufferUsedMib: usedMib,
    framebufferReservedMib,
    framebufferFreeMib: usableMib - usedMib,
    bar1TotalMib: bar1Mib,
    bar1UsedMib,
    bar1FreeMib: bar1Mib - bar1UsedMib,
  };
}

function usedShare(scene: Scene): number {
  const { card, moment } = scene;
  const levels = [card.profile.memoryShare, ...activeOfKind(scene, 'filled').map(({ effect }) => effect)];
  const quiet = Math.max(...levels.map(({ idle, peak }) => between(idle, peak, moment.share)));
  return quiet + noise(card, stream.memory, moment) * 0.004;
}

/** Whether somebody else fills the card. */
export function isOccupied(scene: Scene): boolean {
  return activeOfKind(scene, 'occupied').length > 0;
}

export function engineReadings(scene: Scene): GpuReadings {
  const { encoderPeakPercent, decoderPeakPercent, isHopper } = scene.card.profile;
  const busy = busyShare(scene);
  return {
    gpuUtilPercent: isOccupied(scene) ? occupied.utilPercent : Math.round(busy * 100),
    memoryCopyUtilPercent: Math.round(busy * 52),
    encoderUtilPercent: Math.round(busy * encoderPeakPercent),
    decoderUtilPercent: Math.round(busy * decoderPeakPercent),
    ...(isHopper ? profilingReadings(busy) : {}),
  };
}

// What a training job looks like to the profiler: tensor work in half precision, hardly any in double.
function profilingReadings(busy: number): GpuReadings {
  return {
    graphicsEngineActiveRatio: ratio(busy * 0.98),
    smActiveRatio: ratio(busy * 0.91),
    smOccupancyRatio: ratio(busy * 0.44),
    tensorActiveRatio: ratio(busy * 0.61),
    dramActiveRatio: ratio(busy * 0.54),
    fp64ActiveRatio: 0,
    fp32ActiveRatio: ratio(busy * 0.12),
    fp16ActiveRatio: ratio(busy * 0.07),
  };
}

export function linkReadings(scene: Scene): GpuReadings {
  const { pcie } = scene.card.profile;
  const busy = busyShare(scene);
  return {
    pcieReplays: countWithin([pcieReplays(scene.card)], scene.span),
    pcieLinkGeneration: pcie.generation,
    pcieLinkWidth: pcieWidth,
    maxPcieLinkGeneration: pcie.generation,
    maxPcieLinkWidth: pcieWidth,
    pcieTransmitBytesPerSecond: Math.round(busy * pcie.transmitPeakBytesPerSecond),
    pcieReceiveBytesPerSecond: Math.round(busy * pcie.receivePeakBytesPerSecond),
    ...nvlinkReadings(scene, busy),
  };
}

function nvlinkReadings({ card, moment, span }: Scene, busy: number): GpuReadings {
  const { nvlink, isHopper } = card.profile;
  if (nvlink === undefined) return {};
  const { peakMegabytesPerSecond } = nvlink;
  const worked = (atMs: number) => loadSeconds(workSecondsAt(atMs, moment.phaseS));
  // DCGM's megabyte is a thousand KiB; half of them go in each direction.
  const kib = Math.floor(((worked(span.untilMs) - worked(span.fromMs)) * peakMegabytesPerSecond * 1000) / 2);
  const bytesPerSecond = Math.round((busy * peakMegabytesPerSecond * 1000 * 1024) / 2);
  return {
    nvlinkMegabytesPerSecond: Math.round(busy * peakMegabytesPerSecond),
    nvlinkTransmitKib: kib,
    nvlinkReceiveKib: kib,
    nvlinkCrcFlitErrors: 0,
    nvlinkCrcDataErrors: 0,
    nvlinkReplayErrors: 0,
    nvlinkRecoveryErrors: 0,
    ...(isHopper ? { nvlinkTransmitBytesPerSecond: bytesPerSecond, nvlinkReceiveBytesPerSecond: bytesPerSecond } : {}),
  };
}

function busyShare({ card, moment }: Scene): number {
  return moment.load + noise(card, stream.util, moment) * 0.02;
}

function ratio(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
