/** What Prometheus said about one tick. Built by the adapter, read by the folds. */
import type { MaintenanceCalendar } from './maintenance.ts';

/** A GPU that had a presence sample. */
export interface Sighting {
  readonly gpu: string;
  readonly node: string;
  /** The target that exposes it (`targetKey`). */
  readonly target: string;
  /** Descriptive labels (model, index), by label name. */
  readonly labels: Readonly<Record<string, string>>;
  /** Instant of the newest presence sample, milliseconds. */
  readonly sampledAtMs: number;
}

/** Values by GPU id, or by target; a Map is one. `undefined` is a missing value, never 0. */
export interface Readings {
  get(id: string): number | undefined;
}

/** A firing alert with an action. */
export interface AlertSighting {
  readonly labels: Readonly<Record<string, string>>;
  /** Instant of the newest sample, milliseconds. */
  readonly sampledAtMs: number;
}

export interface Observation {
  /** The tick, milliseconds since the epoch. */
  readonly atMs: number;
  /** Newest observer heartbeat sample, milliseconds; undefined when there is none. */
  readonly observerAtMs: number | undefined;
  /** Scrape health by target (`targetKey`), 0 or 1. */
  readonly targets: Readings;
  readonly sightings: readonly Sighting[];
  /** One entry per check, keyed by the check's query (`checkQuery`). */
  readonly readings: ReadonlyMap<string, Readings>;
  /** Alerts that fire with an action other than `notify`. */
  readonly actions?: readonly AlertSighting[];
  /** Planned maintenance; absent where the policy grants none. */
  readonly maintenance?: MaintenanceCalendar | undefined;
}

const INT32_BLANKS = [2147483632, 2147483633, 2147483634, 2147483635];
const FP64_BLANKS = [140737488355328, 140737488355329, 140737488355330, 140737488355331];
const ABSURD = new Set([...INT32_BLANKS, ...FP64_BLANKS, 4294967295]);
/** As doubles, all of NVML's int64 blanks (9223372036854775792…795) round to 2^63. */
const INT64_BLANK = 2 ** 63;

/**
 * Whether a value cannot be a reading: not finite, or one of the "blank" sentinels of DCGM and NVML.
 * Source: dcgm_structs.h (DCGM_INT32_BLANK, DCGM_INT64_BLANK, DCGM_FP64_BLANK) and NVML's 0xFFFFFFFF.
 */
export function isAbsurd(value: number): boolean {
  return !Number.isFinite(value) || ABSURD.has(value) || value >= INT64_BLANK;
}
