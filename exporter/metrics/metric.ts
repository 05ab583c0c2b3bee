/** What a row of the catalog says: one reading of a GPU, and how each profile names it. */

import type { GpuSample, MigInstance } from '../snapshot.ts';

export interface Metric {
  /** The largest value a working sensor can give. Drivers write sentinels such as 4294967295 for "blank"; those are missing. */
  readonly max: number;
  /** What NVML is asked for it; for the metrics catalogue. */
  readonly source: string;
  /** The value of one GPU, undefined where the card cannot say. */
  readonly get: (gpu: GpuSample) => number | undefined;
  /**
   * The value of one MIG instance, undefined where NVML cannot tell instances apart. Absent for what belongs to the whole
   * card, such as its temperature: every instance of the card then has the same value.
   */
  readonly getMig?: (instance: MigInstance) => number | undefined;
  /** Absent where DCGM has no such field. */
  readonly dcgm?: DcgmName;
  /** Absent where the native profile says the same in another way. */
  readonly native?: NativeName;
}

/** A field of DCGM, with the type, help and unit dcgm-exporter publishes it with: a wire format others depend on. */
export interface DcgmName {
  readonly field: string;
  /** DCGM's number of the field. */
  readonly id: number;
  /** Other spellings dcgm-exporter understands: DCGM 4.6 and 1.x. */
  readonly aliases: readonly string[];
  readonly type: 'gauge' | 'counter';
  readonly unit: string;
  readonly help: string;
  /** Published without a counters file. */
  readonly isDefault: boolean;
  /** What DCGM makes of the reading, where it does not publish it as it is. */
  readonly convert?: (reading: number) => number;
  /** Labels of this metric alone, among the attributes of a series. */
  readonly labels?: (value: number) => Readonly<Record<string, string>>;
}

/** A metric of the native profile: base unit in the name. Several rows may share a name when their labels differ. */
export interface NativeName {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** Base unit, as OpenMetrics writes it: `celsius`, `bytes`, `seconds`, `ratio`; empty for counts, codes and flags. */
  readonly unit: string;
  readonly help: string;
  /** What the reading is multiplied by to get the base unit. */
  readonly scale: number;
  /** Labels beside those of the GPU: `cause`. */
  readonly labels?: Readonly<Record<string, string>>;
}

// All bits of 32 set: drivers write it for "blank", also where the number is one of 64 bits.
const blank32 = 2 ** 32 - 1;

/** The value as far as a working sensor could have given it. Undefined for NaN too. */
export function plausible(value: number | undefined, { max }: Pick<Metric, 'max'>): number | undefined {
  return value !== undefined && value >= 0 && value <= max && value !== blank32 ? value : undefined;
}
