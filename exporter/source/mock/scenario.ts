/** The simulated fleet as a pure function: (profile, seed, GPU, elapsed time) -> readings. No clock, no state. */

import type { GpuIdentity, GpuSample } from '../../snapshot.ts';
import { loadAt, peakSeconds, shareOfPeak, warmthAt } from './load.ts';
import type { GpuProfile } from './profiles.ts';
import { between, hex, unit } from './seed.ts';

export interface Scenario {
  readonly profile: GpuProfile;
  /** Whole number from 0 to 2^32 - 1. */
  readonly seed: number;
  readonly gpus: number;
}

/** What makes one card differ from the next. */
interface Traits {
  readonly idleCelsius: number;
  readonly peakCelsius: number;
  readonly idleWatts: number;
  readonly peakWatts: number;
  readonly sbeBeforeBoot: number;
}

// One number per independent use of the seed.
const stream = { uuid: 1, traits: 2, temperature: 3, power: 4, util: 5, memory: 6, sbe: 7, dbe: 8, replay: 9 } as const;

const hourMs = 3_600_000;
// PCI buses of the eight GPUs of a DGX A100; further GPUs repeat them in the next PCI domain.
const pciBuses = ['07', '0F', '47', '4E', '87', '90', 'B7', 'BD'];

const clocksEvent = { gpuIdle: 0x1, softwarePowerCap: 0x4 } as const;

/** Every GPU of the fleet at `elapsedMs` (0 or more) after the start of the simulation. */
export function sampleFleet(scenario: Scenario, elapsedMs: number): readonly GpuSample[] {
  return Array.from({ length: scenario.gpus }, (_, index) => sampleGpu(scenario, index, elapsedMs));
}

function sampleGpu(scenario: Scenario, index: number, elapsedMs: number): GpuSample {
  const { profile, seed } = scenario;
  const traits = traitsOf(scenario, index);
  const jitter = jitterAt(seed, index, elapsedMs);
  const elapsedS = elapsedMs / 1000;
  const load = loadAt(elapsedS);
  const watts = powerWatts(profile, traits, load, jitter(stream.power));
  return {
    ...identify(scenario, index),
    ...thermal(traits, elapsedS, jitter(stream.temperature)),
    ...memory(profile, load, jitter(stream.memory)),
    ...activity(profile, load, jitter(stream.util)),
    ...counters(scenario, index, elapsedMs),
    powerWatts: watts,
    energyMillijoules: energyMillijoules(traits, elapsedS),
    clocksEventReasons: clocksEventReasons(profile, load, watts),
    vgpuLicenseStatus: 0,
  };
}

/** Identity depends on the seed and the index only, so it outlives restarts. */
function identify(scenario: Scenario, index: number): GpuIdentity {
  const part = (digits: number, nth: number) => hex(digits, scenario.seed, stream.uuid, index, nth);
  const domain = Math.floor(index / pciBuses.length)
    .toString(16)
    .toUpperCase()
    .padStart(8, '0');
  return {
    index,
    uuid: `GPU-${part(8, 0)}-${part(4, 1)}-${part(4, 2)}-${part(4, 3)}-${part(8, 4)}${part(4, 5)}`,
    pciBusId: `${domain}:${pciBuses[index % pciBuses.length]}:00.0`,
    modelName: scenario.profile.modelName,
  };
}

function traitsOf({ profile, seed }: Scenario, index: number): Traits {
  const pick = ([low, high]: readonly [number, number], nth: number) =>
    between(low, high, unit(seed, stream.traits, index, nth));
  return {
    idleCelsius: pick(profile.temperatureCelsius.idle, 0),
    peakCelsius: pick(profile.temperatureCelsius.peak, 1),
    idleWatts: pick(profile.powerWatts.idle, 2),
    peakWatts: pick(profile.powerWatts.peak, 3),
    sbeBeforeBoot: Math.floor(pick([0, 40], 4)),
  };
}

// Sensor noise in [-1, 1), a new value each second for each quantity.
function jitterAt(seed: number, index: number, elapsedMs: number): (quantity: number) => number {
  const second = Math.floor(elapsedMs / 1000);
  return (quantity) => between(-1, 1, unit(seed, quantity, index, second));
}

function thermal(traits: Traits, elapsedS: number, noise: number) {
  const celsius = between(traits.idleCelsius, traits.peakCelsius, shareOfPeak(warmthAt(elapsedS))) + noise * 0.4;
  return { gpuTemperatureCelsius: Math.round(celsius), memoryTemperatureCelsius: Math.round(celsius + 4) };
}

function memory(profile: GpuProfile, load: number, noise: number) {
  const { idle, peak } = profile.memoryShare;
  const usedMib = Math.floor(profile.framebufferMib * (between(idle, peak, shareOfPeak(load)) + noise * 0.004));
  return {
    framebufferUsedMib: usedMib,
    framebufferReservedMib: profile.framebufferReservedMib,
    framebufferFreeMib: profile.framebufferMib - profile.framebufferReservedMib - usedMib,
  };
}

function activity(profile: GpuProfile, load: number, noise: number) {
  const busy = load + noise * 0.02;
  const { idle, peak } = profile.smClockMhz;
  const { transmit, receive } = profile.pciePeakBytesPerSecond;
  return {
    smClockMhz: Math.round(between(idle, peak, shareOfPeak(load)) / 15) * 15,
    memoryClockMhz: profile.memoryClockMhz,
    gpuUtilPercent: Math.round(busy * 100),
    memoryCopyUtilPercent: Math.round(busy * 52),
    // An A100 decodes video but has no encoder; its driver answers 0.
    encoderUtilPercent: 0,
    decoderUtilPercent: Math.round(busy * profile.decoderPeakPercent),
    graphicsEngineActiveRatio: roundTo(busy * 0.98, 4),
    tensorActiveRatio: roundTo(busy * 0.61, 4),
    dramActiveRatio: roundTo(busy * 0.54, 4),
    nvlinkMegabytesPerSecond: Math.round(busy * profile.nvlinkPeakMegabytesPerSecond),
    pcieTransmitBytesPerSecond: Math.round(busy * transmit),
    pcieReceiveBytesPerSecond: Math.round(busy * receive),
  };
}

function powerWatts(profile: GpuProfile, traits: Traits, load: number, noise: number): number {
  const watts = between(traits.idleWatts, traits.peakWatts, shareOfPeak(load)) + noise * 4;
  return Math.min(roundTo(watts, 3), profile.powerWatts.limit);
}

// The integral of the noiseless power: it never falls, and its rate is the mean of the power series.
function energyMillijoules(traits: Traits, elapsedS: number): number {
  const spanWatts = traits.peakWatts - traits.idleWatts;
  return Math.floor((traits.idleWatts * elapsedS + spanWatts * peakSeconds(elapsedS)) * 1000);
}

function clocksEventReasons(profile: GpuProfile, load: number, watts: number): number {
  const isIdle = shareOfPeak(load) < 0.05;
  const isCapped = watts >= profile.powerWatts.limit * 0.99;
  return (isIdle ? clocksEvent.gpuIdle : 0) | (isCapped ? clocksEvent.softwarePowerCap : 0);
}

function counters(scenario: Scenario, index: number, elapsedMs: number) {
  const { hoursBetween, hoursBeforeFirstDbe } = scenario.profile;
  const jitter = (quantity: number) => (nth: number) => unit(scenario.seed, quantity, index, nth);
  const sbe = eventsBy(elapsedMs, hoursBetween.sbe * hourMs, jitter(stream.sbe));
  const dbe = eventsBy(elapsedMs - hoursBeforeFirstDbe * hourMs, hoursBetween.dbe * hourMs, jitter(stream.dbe));
  return {
    pcieReplays: eventsBy(elapsedMs, hoursBetween.pcieReplay * hourMs, jitter(stream.replay)),
    eccSbeVolatile: sbe,
    eccSbeAggregate: traitsOf(scenario, index).sbeBeforeBoot + sbe,
    eccDbeVolatile: dbe,
    eccDbeAggregate: dbe,
    // Each uncorrectable error costs a row, and raises XID 48.
    uncorrectableRemappedRows: dbe,
    correctableRemappedRows: 0,
    rowRemapFailure: 0,
    lastXid: dbe > 0 ? 48 : 0,
  };
}

// One event falls somewhere in each period, so the count needs no walk through the past and never falls.
function eventsBy(elapsedMs: number, periodMs: number, jitter: (nth: number) => number): number {
  if (elapsedMs < 0) return 0;
  const nth = Math.floor(elapsedMs / periodMs);
  const hasHappened = elapsedMs / periodMs - nth >= jitter(nth);
  return nth + (hasHappened ? 1 : 0);
}

function roundTo(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
