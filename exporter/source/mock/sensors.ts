/** Groups of readings that can go blank together, and what a driver writes where it has no value. */

import type { GpuReadings } from '../../readings.ts';

type Field = keyof GpuReadings;

export const sensors = {
  'gpu-temperature': ['gpuTemperatureCelsius'],
  'memory-temperature': ['memoryTemperatureCelsius'],
  power: ['powerWatts', 'instantPowerWatts'],
  energy: ['energyMillijoules'],
  utilization: ['gpuUtilPercent', 'memoryCopyUtilPercent', 'encoderUtilPercent', 'decoderUtilPercent'],
  memory: ['framebufferTotalMib', 'framebufferFreeMib', 'framebufferUsedMib', 'framebufferReservedMib'],
  clocks: ['smClockMhz', 'memoryClockMhz', 'graphicsClockMhz', 'videoClockMhz', 'clocksEventReasons'],
  ecc: ['eccSbeVolatile', 'eccDbeVolatile', 'eccSbeAggregate', 'eccDbeAggregate'],
  nvlink: ['nvlinkMegabytesPerSecond', 'nvlinkTransmitKib', 'nvlinkReceiveKib'],
  pcie: ['pcieTransmitBytesPerSecond', 'pcieReceiveBytesPerSecond'],
} as const satisfies Readonly<Record<string, readonly Field[]>>;

export type SensorName = keyof typeof sensors;

export const sensorNames = Object.keys(sensors) as readonly SensorName[];

const blankUint = 2 ** 32 - 1;
const blankUlong = 2 ** 64;

/** The reading a driver gives for "no value", in the unit of the field: 4294967295 of whatever it counts in, or 2^64. */
export function sentinelOf(field: Field): number {
  if (field.endsWith('Watts')) return blankUint / 1000;
  if (field.endsWith('Mib')) return blankUlong / 2 ** 20;
  return isWide(field) ? blankUlong : blankUint;
}

// Counters of 64 bits, for which 4294967295 would be a plausible count.
function isWide(field: Field): boolean {
  return field === 'energyMillijoules' || /^ecc|Kib$|BytesPerSecond$/.test(field);
}
