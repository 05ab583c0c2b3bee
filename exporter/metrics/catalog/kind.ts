/** Kinds of readings: what unit and range each has, in both profiles. A row of the catalog is a kind and two names. */

import type { DcgmName, Metric, NativeName } from '../metric.ts';

/** Readings that are measured alike. */
export interface Kind {
  readonly max: number;
  readonly type: 'gauge' | 'counter';
  /** Unit of the reading, which is DCGM's. */
  readonly dcgmUnit: string;
  readonly unit: string;
  /** Readings of this kind times this are base units. */
  readonly scale: number;
  /** DCGM holds most fields as whole numbers. */
  readonly convert?: (reading: number) => number;
}

interface Row extends Pick<Metric, 'source' | 'get' | 'getMig'> {
  readonly dcgm?: Pick<DcgmName, 'field' | 'id' | 'help' | 'labels'> &
    Partial<Pick<DcgmName, 'aliases' | 'type' | 'isDefault'>>;
  readonly native?: Pick<NativeName, 'name' | 'help' | 'labels'>;
}

/** A row of the catalog. What it does not say is as usual for its kind; `isDefault` is false unless said. */
export function metric(kind: Kind, { dcgm, native, ...row }: Row): Metric {
  return {
    ...row,
    max: kind.max,
    ...(dcgm === undefined ? {} : { dcgm: dcgmName(kind, dcgm) }),
    ...(native === undefined ? {} : { native: nativeName(kind, native) }),
  };
}

function dcgmName({ type, dcgmUnit, convert }: Kind, name: NonNullable<Row['dcgm']>): DcgmName {
  return {
    aliases: [],
    isDefault: false,
    type,
    unit: dcgmUnit,
    ...(convert === undefined ? {} : { convert }),
    ...name,
  };
}

function nativeName({ type, unit, scale }: Kind, name: NonNullable<Row['native']>): NativeName {
  return { type, unit, scale, ...name };
}

/** For readings that belong to an instance but that NVML gives for the whole card only: instances then have no value. */
export const unknownPerInstance = (): undefined => undefined;

// Above any count a card reaches in its life, below the 64-bit sentinels; nanoseconds of 30 years fit.
const maxCount64 = 1e18;
// Counters of 32 bits stop short of every 32-bit sentinel.
const maxCount32 = 2 ** 31 - 17;
// 16 TiB: above any framebuffer, below the 64-bit sentinels.
const maxMib = 2 ** 24;

const plain = { dcgmUnit: '', unit: '', scale: 1 } as const;

export const celsius: Kind = { max: 200, type: 'gauge', dcgmUnit: '°C', unit: 'celsius', scale: 1 };
export const megahertz: Kind = { max: 10_000, type: 'gauge', dcgmUnit: 'MHz', unit: 'hertz', scale: 1e6 };
export const watts: Kind = { max: 10_000, type: 'gauge', dcgmUnit: 'W', unit: 'watts', scale: 1 };
/** DCGM divides the milliwatts of limits as whole numbers. */
export const limitWatts: Kind = { ...watts, convert: Math.trunc };
export const millijoules: Kind = { max: maxCount64, type: 'counter', dcgmUnit: 'mJ', unit: 'joules', scale: 1e-3 };
export const percent: Kind = { max: 100, type: 'gauge', dcgmUnit: '%', unit: 'ratio', scale: 1e-2 };
/** Fans may turn faster than what their maker calls 100 %. */
export const fanPercent: Kind = { ...percent, max: 200 };
export const ratio: Kind = { max: 1, type: 'gauge', dcgmUnit: 'ratio', unit: 'ratio', scale: 1 };
export const mebibytes: Kind = {
  max: maxMib,
  type: 'gauge',
  dcgmUnit: 'MiB',
  unit: 'bytes',
  scale: 2 ** 20,
  convert: Math.trunc,
};
export const kibibytes: Kind = { max: maxCount64, type: 'counter', dcgmUnit: 'KiB', unit: 'bytes', scale: 2 ** 10 };
export const nanoseconds: Kind = { max: maxCount64, type: 'counter', dcgmUnit: 'ns', unit: 'seconds', scale: 1e-9 };
export const bytesPerSecond: Kind = {
  max: 1e13,
  type: 'gauge',
  dcgmUnit: 'B/s',
  unit: 'bytes_per_second',
  scale: 1,
  convert: Math.trunc,
};
export const kilobytesPerSecond: Kind = { ...bytesPerSecond, max: 1e10, dcgmUnit: 'KB/s', scale: 1e3 };
export const megabytesPerSecond: Kind = { ...bytesPerSecond, max: 1e8, dcgmUnit: 'MB/s', scale: 1e6 };
/** Events that NVML counts in 64 bits. */
export const total: Kind = { ...plain, max: maxCount64, type: 'counter' };
/** Events that NVML counts in 32 bits. */
export const total32: Kind = { ...plain, max: maxCount32, type: 'counter' };
/** 0 or 1. */
export const flag: Kind = { ...plain, max: 1, type: 'gauge' };
/** One of a few small numbers. */
export const code: Kind = { ...plain, max: 255, type: 'gauge' };
export const bitMask: Kind = { ...plain, max: 2 ** 32 - 2, type: 'gauge' };
