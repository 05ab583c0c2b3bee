/** What a simulated card is made of. Ranges are spread over the GPUs of a fleet, so that no two look the same. */

type Spread = readonly [low: number, high: number];

export interface GpuProfile {
  readonly modelName: string;
  readonly driverVersion: string;
  readonly framebufferMib: number;
  readonly framebufferReservedMib: number;
  /** Shares of the framebuffer in use when idle and at peak. */
  readonly memoryShare: { readonly idle: number; readonly peak: number };
  readonly smClockMhz: { readonly idle: number; readonly peak: number };
  readonly memoryClockMhz: number;
  readonly temperatureCelsius: { readonly idle: Spread; readonly peak: Spread };
  readonly powerWatts: { readonly idle: Spread; readonly peak: Spread; readonly limit: number };
  readonly decoderPeakPercent: number;
  readonly nvlinkPeakMegabytesPerSecond: number;
  readonly pciePeakBytesPerSecond: { readonly transmit: number; readonly receive: number };
  /** Mean time between events of one GPU. */
  readonly hoursBetween: { readonly sbe: number; readonly dbe: number; readonly pcieReplay: number };
  /** A new card has no uncorrectable error before this. */
  readonly hoursBeforeFirstDbe: number;
}

/** Idle about 65 °C and 300 W, peak just below 80 °C and 400 W: a healthy card stays clear of every shipped alert rule. */
export const a100Sxm80: GpuProfile = {
  modelName: 'NVIDIA A100-SXM4-80GB',
  driverVersion: '570.86.15',
  framebufferMib: 81_920,
  framebufferReservedMib: 633,
  memoryShare: { idle: 0.12, peak: 0.855 },
  smClockMhz: { idle: 1095, peak: 1410 },
  // HBM2e has one clock while any work runs.
  memoryClockMhz: 1593,
  temperatureCelsius: { idle: [63.5, 66.5], peak: [74, 78.4] },
  powerWatts: { idle: [292, 308], peak: [388, 397], limit: 400 },
  decoderPeakPercent: 18,
  nvlinkPeakMegabytesPerSecond: 220_000,
  pciePeakBytesPerSecond: { transmit: 9_500_000_000, receive: 14_000_000_000 },
  hoursBetween: { sbe: 1, dbe: 24 * 365, pcieReplay: 6 },
  hoursBeforeFirstDbe: 24,
};
