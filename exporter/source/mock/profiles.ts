/**
 * What simulated cards are made of: five models with the figures their drivers report. Ranges are spread over the GPUs of a
 * fleet, so that no two look the same. What a profile leaves undefined the real card cannot say, and neither can the simulated one.
 */

import type { NvlinkReadings } from '../../snapshot.ts';

type Spread = readonly [low: number, high: number];

export interface GpuProfile {
  readonly modelName: string;
  /** As NVML names the brand. */
  readonly brand: 'NVIDIA' | 'GeForce';
  readonly versions: {
    readonly vbios: string;
    readonly inforomImage: string;
    readonly oemInforom: string;
    readonly eccInforom: string | undefined;
  };
  /** GeForce cards do not tell theirs. */
  readonly hasSerial: boolean;
  readonly framebufferMib: number;
  readonly framebufferReservedMib: number;
  readonly bar1Mib: number;
  /** Shares of the framebuffer in use when idle and at peak. */
  readonly memoryShare: { readonly idle: number; readonly peak: number };
  readonly smClockMhz: { readonly idle: number; readonly peak: number; readonly max: number };
  /** The memory has one clock while any work runs. */
  readonly memoryClockMhz: { readonly busy: number; readonly max: number };
  readonly videoClockMhz: number;
  readonly temperatureCelsius: { readonly idle: Spread; readonly peak: Spread };
  readonly thresholdsCelsius: {
    readonly maxGpu: number;
    readonly slowdown: number;
    readonly shutdown: number;
    /** Only memory on the package has a sensor. */
    readonly maxMemory: number | undefined;
  };
  /** Undefined for cards that are cooled by their chassis. */
  readonly fanPercent: { readonly idle: number; readonly peak: number } | undefined;
  readonly powerWatts: {
    readonly idle: Spread;
    readonly peak: Spread;
    readonly limit: number;
    readonly min: number;
    readonly max: number;
  };
  readonly pcie: {
    readonly generation: number;
    readonly transmitPeakBytesPerSecond: number;
    readonly receivePeakBytesPerSecond: number;
  };
  readonly nvlink: { readonly links: readonly NvlinkReadings[]; readonly peakMegabytesPerSecond: number } | undefined;
  readonly encoderPeakPercent: number;
  readonly decoderPeakPercent: number;
  readonly performanceState: number;
  readonly persistenceMode: number;
  /** Error counters, row remapping and their mode; GeForce cards come with ECC off. */
  readonly hasEcc: boolean;
  readonly hasMig: boolean;
  /** Hopper and later: profiling through NVML, and the NVSwitch fabric. */
  readonly isHopper: boolean;
  /** Mean time between events of one GPU. */
  readonly hoursBetween: { readonly sbe: number; readonly dbe: number; readonly pcieReplay: number };
  /** A new card has no uncorrectable error before this. */
  readonly hoursBeforeFirstDbe: number;
}

/** One driver for the whole fleet, as operators keep it. */
export const driverVersion = '570.86.15';
export const nvmlVersion = '12.570.86.15';

const rates = { hoursBetween: { sbe: 1, dbe: 24 * 365, pcieReplay: 6 }, hoursBeforeFirstDbe: 24 };
const dataCenter = { brand: 'NVIDIA', hasSerial: true, hasEcc: true, performanceState: 0, persistenceMode: 1 } as const;
const hopper = { hasMig: true, isHopper: true, nvlink: { links: links(18), peakMegabytesPerSecond: 330_000 } };

/** Idle about 65 °C and 300 W, peak just below 80 °C and 400 W: a healthy card stays clear of every shipped alert rule. */
export const a100Sxm80: GpuProfile = {
  ...dataCenter,
  ...rates,
  modelName: 'NVIDIA A100-SXM4-80GB',
  versions: { vbios: '92.00.36.00.02', inforomImage: 'G506.0212.00.01', oemInforom: '2.0', eccInforom: '6.16' },
  framebufferMib: 81_920,
  framebufferReservedMib: 633,
  bar1Mib: 131_072,
  memoryShare: { idle: 0.12, peak: 0.855 },
  smClockMhz: { idle: 1095, peak: 1410, max: 1410 },
  memoryClockMhz: { busy: 1593, max: 1593 },
  videoClockMhz: 1275,
  temperatureCelsius: { idle: [63.5, 66.5], peak: [74, 78.4] },
  thresholdsCelsius: { maxGpu: 85, slowdown: 89, shutdown: 92, maxMemory: 95 },
  fanPercent: undefined,
  powerWatts: { idle: [292, 308], peak: [388, 397], limit: 400, min: 100, max: 400 },
  pcie: { generation: 4, transmitPeakBytesPerSecond: 9_500_000_000, receivePeakBytesPerSecond: 14_000_000_000 },
  nvlink: { links: links(12), peakMegabytesPerSecond: 220_000 },
  // It decodes video but has no encoder; its driver answers 0.
  encoderPeakPercent: 0,
  decoderPeakPercent: 18,
  hasMig: true,
  isHopper: false,
};

const h100Sxm80: GpuProfile = {
  ...dataCenter,
  ...rates,
  ...hopper,
  modelName: 'NVIDIA H100 80GB HBM3',
  versions: { vbios: '96.00.A5.00.01', inforomImage: 'G520.0200.00.05', oemInforom: '2.1', eccInforom: '7.16' },
  framebufferMib: 81_559,
  framebufferReservedMib: 479,
  bar1Mib: 131_072,
  memoryShare: { idle: 0.14, peak: 0.86 },
  smClockMhz: { idle: 1755, peak: 1980, max: 1980 },
  memoryClockMhz: { busy: 2619, max: 2619 },
  videoClockMhz: 1545,
  temperatureCelsius: { idle: [44, 49], peak: [64, 72] },
  thresholdsCelsius: { maxGpu: 85, slowdown: 87, shutdown: 93, maxMemory: 95 },
  fanPercent: undefined,
  powerWatts: { idle: [118, 136], peak: [640, 688], limit: 700, min: 200, max: 700 },
  pcie: { generation: 5, transmitPeakBytesPerSecond: 18_000_000_000, receivePeakBytesPerSecond: 26_000_000_000 },
  encoderPeakPercent: 0,
  decoderPeakPercent: 14,
};

const h200Sxm141: GpuProfile = {
  ...h100Sxm80,
  modelName: 'NVIDIA H200',
  versions: { vbios: '96.00.A5.00.03', inforomImage: 'G520.0280.02.02', oemInforom: '2.1', eccInforom: '7.16' },
  framebufferMib: 143_771,
  framebufferReservedMib: 614,
  bar1Mib: 262_144,
  memoryClockMhz: { busy: 3201, max: 3201 },
  temperatureCelsius: { idle: [42, 47], peak: [61, 70] },
  thresholdsCelsius: { maxGpu: 87, slowdown: 89, shutdown: 95, maxMemory: 95 },
  powerWatts: { idle: [122, 140], peak: [628, 686], limit: 700, min: 200, max: 700 },
};

const l40s: GpuProfile = {
  ...dataCenter,
  ...rates,
  modelName: 'NVIDIA L40S',
  versions: { vbios: '95.02.66.00.02', inforomImage: 'G133.0242.00.03', oemInforom: '2.1', eccInforom: '6.16' },
  framebufferMib: 46_068,
  framebufferReservedMib: 609,
  bar1Mib: 65_536,
  memoryShare: { idle: 0.14, peak: 0.85 },
  smClockMhz: { idle: 1890, peak: 2520, max: 2520 },
  memoryClockMhz: { busy: 9001, max: 9001 },
  videoClockMhz: 1965,
  temperatureCelsius: { idle: [41, 46], peak: [68, 75] },
  thresholdsCelsius: { maxGpu: 88, slowdown: 90, shutdown: 93, maxMemory: undefined },
  fanPercent: undefined,
  powerWatts: { idle: [84, 96], peak: [318, 344], limit: 350, min: 100, max: 350 },
  pcie: { generation: 4, transmitPeakBytesPerSecond: 8_000_000_000, receivePeakBytesPerSecond: 12_000_000_000 },
  nvlink: undefined,
  encoderPeakPercent: 22,
  decoderPeakPercent: 18,
  hasMig: false,
  isHopper: false,
};

const rtx4090: GpuProfile = {
  ...rates,
  brand: 'GeForce',
  hasSerial: false,
  hasEcc: false,
  modelName: 'NVIDIA GeForce RTX 4090',
  versions: { vbios: '95.02.3C.00.8C', inforomImage: 'G002.0000.00.03', oemInforom: '2.0', eccInforom: undefined },
  framebufferMib: 24_564,
  framebufferReservedMib: 346,
  bar1Mib: 32_768,
  memoryShare: { idle: 0.16, peak: 0.84 },
  smClockMhz: { idle: 2235, peak: 2730, max: 3105 },
  memoryClockMhz: { busy: 10_251, max: 10_501 },
  videoClockMhz: 2145,
  temperatureCelsius: { idle: [42, 48], peak: [64, 72] },
  thresholdsCelsius: { maxGpu: 90, slowdown: 96, shutdown: 101, maxMemory: undefined },
  fanPercent: { idle: 30, peak: 62 },
  powerWatts: { idle: [72, 90], peak: [398, 438], limit: 450, min: 150, max: 600 },
  pcie: { generation: 4, transmitPeakBytesPerSecond: 7_000_000_000, receivePeakBytesPerSecond: 11_000_000_000 },
  nvlink: undefined,
  encoderPeakPercent: 20,
  decoderPeakPercent: 16,
  // Compute work never reaches P0 on a GeForce card.
  performanceState: 2,
  persistenceMode: 0,
  hasMig: false,
  isHopper: false,
};

/** The models there are, by the names settings and timelines use. */
export const profiles: Readonly<Record<string, GpuProfile>> = {
  a100: a100Sxm80,
  h100: h100Sxm80,
  h200: h200Sxm141,
  l40s,
  rtx4090,
};

// A simulated link never fails, so that one list serves every card of a model.
function links(count: number): readonly NvlinkReadings[] {
  const errors = { crcFlitErrors: 0, crcDataErrors: 0, replayErrors: 0, recoveryErrors: 0 };
  return Array.from({ length: count }, (_, link) => ({ link, isActive: true, ...errors }));
}
