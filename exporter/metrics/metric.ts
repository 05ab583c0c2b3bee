/** What a row of the catalog says: one reading of a GPU, and how each profile names it. */

import type { GpuSample, MigInstance } from '../snapshot.ts';

export interface Metric {
  /** The largest value a working sensor can give. Drivers write sentinels such as 4294967295 for "blank"; those are missing. */
  readonly max: number;
  /** The value of one GPU, undefined where the card cannot say. */
  readonly get: (gpu: GpuSample) => number | undefined;
  /** The value of one MIG instance; absent where NVML cannot tell instances apart. */
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
  /** Labels of this metric alone, after the labels every series of a GPU has. */
  readonly labels?: (value: number) => Readonly<Record<string, string>>;
}

/** A metric of the native profile: base unit in the name. */
export interface NativeName {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** Base unit, as OpenMetrics writes it: `celsius`, `bytes`, `seconds`, `ratio`; empty for counts, codes and flags. */
  readonly unit: string;
  readonly help: string;
  /** What the reading is multiplied by to get the base unit. */
  readonly scale: number;
}
