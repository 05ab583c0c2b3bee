/** When the hardware itself slowed a GPU down: a fold over snapshots, kept for the time that GPUd looks back. */

import { clockEventBits } from '../clock-event-bits.ts';
import type { Snapshot } from '../snapshot.ts';

export type SlowdownCause = 'hw_slowdown' | 'hw_thermal_slowdown' | 'hw_power_brake';

/** One GPU in one minute, however often it was seen slow in it. */
export interface Slowdown {
  /** When it was first seen in this minute. */
  readonly atMs: number;
  readonly uuid: string;
  readonly causes: readonly SlowdownCause[];
}

const bits: Readonly<Record<SlowdownCause, number>> = {
  hw_slowdown: clockEventBits.hw_slowdown,
  hw_thermal_slowdown: clockEventBits.hw_thermal,
  hw_power_brake: clockEventBits.hw_power_brake,
};
const causes = Object.keys(bits) as readonly SlowdownCause[];

/** GPUd forgets events after three days. */
export const lookbackMs = 3 * 24 * 3_600_000;
// Four hours on eight GPUs that are always slow: enough for the verdict, which looks at ten minutes.
const maxSlowdowns = 2000;

export interface SlowdownWatch {
  /** Takes note of each snapshot: a slowdown is a matter of minutes, not of one reading. */
  observe(snapshot: Snapshot): void;
  seen(): readonly Slowdown[];
}

export function createSlowdownWatch(): SlowdownWatch {
  let seen: readonly Slowdown[] = [];
  return {
    observe: (snapshot) => {
      seen = slowdownsAfter(seen, snapshot);
    },
    seen: () => seen,
  };
}

/** The very same array when the snapshot brings nothing new. */
export function slowdownsAfter(seen: readonly Slowdown[], { takenAtMs, gpus }: Snapshot): readonly Slowdown[] {
  const fresh = gpus
    .map(({ uuid, clocksEventReasons }) => ({ atMs: takenAtMs, uuid, causes: causesIn(clocksEventReasons) }))
    .filter((slowdown) => slowdown.causes.length > 0 && !seen.some((known) => isSameMinute(known, slowdown)));
  if (fresh.length === 0) return seen;
  return [...seen, ...fresh].filter(({ atMs }) => takenAtMs - atMs < lookbackMs).slice(-maxSlowdowns);
}

/** What a clocks-event mask says about the hardware. */
export function causesIn(mask: number | undefined): readonly SlowdownCause[] {
  return causes.filter((cause) => ((mask ?? 0) & bits[cause]) !== 0);
}

/** Minutes with at least one slowdown, of the last `windowMs`. */
export function slowMinutes(seen: readonly Slowdown[], atMs: number, windowMs: number): number {
  return new Set(seen.filter((slowdown) => atMs - slowdown.atMs <= windowMs).map(minuteOf)).size;
}

function isSameMinute(a: Slowdown, b: Slowdown): boolean {
  return a.uuid === b.uuid && minuteOf(a) === minuteOf(b);
}

function minuteOf({ atMs }: Slowdown): number {
  return Math.floor(atMs / 60_000);
}
