/** Cards for the imitation of NVML: what they are told to say, and the sample that must come out of it. */

import type { GpuReadings } from '../../../exporter/readings.ts';
import type { GpuSample } from '../../../exporter/snapshot.ts';

type Values = Readonly<Record<string, string | number>>;

const gib = 2 ** 30;
/** The scope of a field value that means all links. */
const allLinks = 4_294_967_295;

/** The lines of a scenario that give a card its values. */
export function card(target: string | number, values: Values): readonly string[] {
  return Object.entries(values).map(([key, value]) => `set ${target} ${key} ${value}`);
}

/** The lines for the driver as a whole. */
export function driver(gpus: number, values: Values = {}): readonly string[] {
  const all = { gpus, 'driver-version': '570.86.15', 'nvml-version': '12.570.86.15', ...values };
  return card('driver', all);
}

export function uuidOf(index: number): string {
  return `GPU-0000000${index}-1111-2222-3333-444444444444`;
}

/** The least a card says: who it is, and how warm. */
export function plainCard(index: number, values: Values = {}): readonly string[] {
  return card(index, {
    uuid: uuidOf(index),
    name: 'NVIDIA_L4',
    'pci.busId': `00000000:0${index}:00.0`,
    temperatureV: 40 + index,
    ...values,
  });
}

/** A card that has everything a driver can say. Every number is another one, so that none can be taken for its neighbour. */
export const h200: Values = {
  uuid: uuidOf(0),
  name: 'NVIDIA_H200',
  'pci.busId': '00000000:1b:00.0',
  minor: 7,
  serial: '1654223009876',
  brand: 14,
  vbios: '96.00.99.00.01',
  inforom: 'G520.0280.00.04',
  'inforom.0': '2.1',
  'inforom.1': '7.16',
  'inforom.2': '-',

  temperatureV: 47,
  'temperature.0': 99,
  'threshold.0': 92,
  'threshold.1': 89,
  'threshold.2': 105,
  'threshold.3': 87,
  fan: 31,
  'clock.0': 1981,
  'clock.1': 1980,
  'clock.2': 3201,
  'clock.3': 1545,
  'maxClock.1': 1982,
  'maxClock.2': 3202,
  eventReasons: 0x44,

  power: 412_345,
  powerLimit: 700_000,
  enforcedPowerLimit: 650_000,
  defaultPowerLimit: 690_000,
  minPowerLimit: 200_000,
  maxPowerLimit: 710_000,
  // Above 2^32: a counter that is read as 32 bits gives another number.
  energy: 90_123_456_789_012,

  'util.gpu': 97,
  'util.memory': 54,
  encoder: 3,
  encoderPeriod: 200_000,
  decoder: 4,
  decoderPeriod: 200_000,
  'memory.total': 141 * gib,
  'memory.reserved': gib,
  'memory.free': 50 * gib + 1,
  'memory.used': 90 * gib - 1,
  'bar1.total': 256 * gib,
  'bar1.free': 250 * gib,
  'bar1.used': 6 * gib,

  pcieReplays: 5,
  pcieGeneration: 5,
  pcieWidth: 16,
  maxPcieGeneration: 6,
  maxPcieWidth: 15,
  'remapped.correctable': 8,
  'remapped.uncorrectable': 9,
  'remapped.pending': 1,
  'remapped.failed': 0,
  performanceState: 2,
  persistence: 1,
  ecc: 1,
  eccPending: 0,
  mig: 0,
  migPending: 0,
  computeMode: 3,
  'licence.supported': 1,
  'licence.count': 2,
  'licence.code.0': 4,
  'licence.state.0': 0,
  'licence.code.1': 1,
  'licence.state.1': 1,
  'fabric.state': 3,
  'fabric.status': 0,

  'field.82': '7:61',
  'field.186': '1:433210',
  'field.74': '3:1000000000001',
  'field.75': '3:1000000000002',
  'field.76': '3:1000000000003',
  'field.77': '3:1000000000004',
  'field.78': '3:1000000000005',
  'field.79': '3:1000000000006',
  'field.269': '3:1000000000007',
  'field.270': '3:1000000000008',
  'field.271': '3:1000000000009',
  'field.3': '3:11',
  'field.4': '2:12',
  'field.5': '4:13',
  'field.6': '1:14',
  'field.29': '5:15',
  'field.30': '6:16',
  'field.31': '1:1',
  'field.38': '3:21',
  'field.45': '3:22',
  'field.52': '3:23',
  'field.59': '3:24',
  [`field.138.${allLinks}`]: '3:5000000',
  [`field.139.${allLinks}`]: '3:7000000',
  'field.230': '1:4',

  links: 3,
  'link.1': 0,
  'linkErrors.0.0': 31,
  'linkErrors.0.1': 32,
  'linkErrors.0.2': 33,
  'linkErrors.0.3': 34,
  'linkErrors.2.0': 41,
  'linkErrors.2.1': 42,
  'linkErrors.2.2': 43,
  'linkErrors.2.3': 44,

  gpm: 1,
  'gpm.1': 91.5,
  'gpm.2': 82.25,
  'gpm.3': 63.125,
  'gpm.5': 54.5,
  'gpm.10': 45.25,
  'gpm.11': 6.5,
  'gpm.12': 17.5,
  'gpm.13': 28.5,
  'gpm.20': 1024.5,
  'gpm.21': 2048.5,
  'gpm.60': 3000,
  'gpm.61': 4000,
};

const profile = {
  graphicsEngineActiveRatio: 0.915,
  smActiveRatio: 0.8225,
  smOccupancyRatio: 0.63125,
  tensorActiveRatio: 0.545,
  dramActiveRatio: 0.4525,
  fp64ActiveRatio: 0.065,
  fp32ActiveRatio: 0.175,
  fp16ActiveRatio: 0.285,
  pcieTransmitBytesPerSecond: 1_074_266_112,
  pcieReceiveBytesPerSecond: 2_148_007_936,
  nvlinkReceiveBytesPerSecond: 3_145_728_000,
  nvlinkTransmitBytesPerSecond: 4_194_304_000,
};

/** Every reading there is but the one that comes with events: the compiler misses any that this card does not have. */
const readings: { readonly [Name in Exclude<keyof GpuReadings, 'lastXid'>]: number } = {
  gpuTemperatureCelsius: 47,
  memoryTemperatureCelsius: 61,
  shutdownTemperatureCelsius: 92,
  slowdownTemperatureCelsius: 89,
  maxMemoryTemperatureCelsius: 105,
  maxGpuTemperatureCelsius: 87,
  fanSpeedPercent: 31,
  graphicsClockMhz: 1981,
  smClockMhz: 1980,
  memoryClockMhz: 3201,
  videoClockMhz: 1545,
  maxSmClockMhz: 1982,
  maxMemoryClockMhz: 3202,
  clocksEventReasons: 0x44,
  softwarePowerCapNanoseconds: 1_000_000_000_001,
  syncBoostNanoseconds: 1_000_000_000_003,
  softwareThermalNanoseconds: 1_000_000_000_007,
  hardwareThermalNanoseconds: 1_000_000_000_008,
  hardwarePowerBrakeNanoseconds: 1_000_000_000_009,
  powerViolationNanoseconds: 1_000_000_000_001,
  thermalViolationNanoseconds: 1_000_000_000_002,
  syncBoostViolationNanoseconds: 1_000_000_000_003,
  boardLimitViolationNanoseconds: 1_000_000_000_004,
  lowUtilizationViolationNanoseconds: 1_000_000_000_005,
  reliabilityViolationNanoseconds: 1_000_000_000_006,

  powerWatts: 412.345,
  instantPowerWatts: 433.21,
  powerLimitWatts: 700,
  enforcedPowerLimitWatts: 650,
  defaultPowerLimitWatts: 690,
  minPowerLimitWatts: 200,
  maxPowerLimitWatts: 710,
  energyMillijoules: 90_123_456_789_012,

  gpuUtilPercent: 97,
  memoryCopyUtilPercent: 54,
  encoderUtilPercent: 3,
  decoderUtilPercent: 4,
  framebufferTotalMib: 144_384,
  framebufferReservedMib: 1024,
  framebufferFreeMib: 51_200,
  framebufferUsedMib: 92_159,
  bar1TotalMib: 262_144,
  bar1FreeMib: 256_000,
  bar1UsedMib: 6144,

  pcieReplays: 5,
  pcieLinkGeneration: 5,
  pcieLinkWidth: 16,
  maxPcieLinkGeneration: 6,
  maxPcieLinkWidth: 15,
  nvlinkMegabytesPerSecond: 0,
  nvlinkTransmitKib: 5_000_000,
  nvlinkReceiveKib: 7_000_000,
  nvlinkCrcFlitErrors: 21,
  nvlinkCrcDataErrors: 22,
  nvlinkReplayErrors: 23,
  nvlinkRecoveryErrors: 24,

  eccSbeVolatile: 11,
  eccDbeVolatile: 12,
  eccSbeAggregate: 13,
  eccDbeAggregate: 14,
  correctableRemappedRows: 8,
  uncorrectableRemappedRows: 9,
  rowRemapPending: 1,
  rowRemapFailure: 0,
  retiredPagesSbe: 15,
  retiredPagesDbe: 16,
  retiredPagesPending: 1,

  performanceState: 2,
  persistenceMode: 1,
  eccMode: 1,
  migMode: 0,
  computeMode: 3,
  vgpuLicenseStatus: 1,
  recoveryAction: 4,
  fabricState: 3,
  fabricStatus: 0,

  ...profile,
};

/** What the card above says from its second round on. */
export const h200Sample: GpuSample = {
  index: 0,
  uuid: uuidOf(0),
  pciBusId: '00000000:1B:00.0',
  modelName: 'NVIDIA H200',
  minorNumber: 7,
  serial: '1654223009876',
  brand: 'NVIDIA',
  vbiosVersion: '96.00.99.00.01',
  inforomImageVersion: 'G520.0280.00.04',
  oemInforomVersion: '2.1',
  eccInforomVersion: '7.16',
  powerInforomVersion: undefined,

  ...readings,
  nvlinks: [
    { link: 0, isActive: true, replayErrors: 31, recoveryErrors: 32, crcFlitErrors: 33, crcDataErrors: 34 },
    { link: 1, isActive: false },
    { link: 2, isActive: true, replayErrors: 41, recoveryErrors: 42, crcFlitErrors: 43, crcDataErrors: 44 },
  ],
};

/** A sample as it is in the first round, when there are no profiling metrics yet. */
export function withoutProfile(sample: GpuSample): GpuSample {
  return Object.fromEntries(Object.entries(sample).filter(([name]) => !(name in profile))) as unknown as GpuSample;
}
