/** When a subject's windows would recover if every tick from now on is up. */
import type { GpuRecord } from './fleet.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { TICK } from './tick.ts';
import { judgeWindows } from './totals.ts';
import type { Timeline, WindowCounts } from './window.ts';

/**
 * Healthy ticks needed from now on until the windows of the GPUs, taken together, are met and stay so; 0 when they are
 * already. Every healthy tick adds one up tick per GPU and drops each window's oldest, so the answer is at most the
 * longest window's length. A window that coverage will first make known counts too: it may turn low on the way.
 */
export function ticksToRecovery(plan: Plan, capability: PlannedCapability, gpus: readonly GpuRecord[]): number {
  const timelines = gpus.flatMap((gpu) => gpu.tracks[capability.profile]?.timeline ?? []);
  const lengths = plan.profiles[capability.profile]?.lengths ?? [];
  if (timelines.length === 0) return 0;
  const longest = Math.max(...lengths);
  const held = countByAge(timelines, longest);
  const windows = lengths.map((length) => countsOf(held, length, timelines));
  let needed = 0;
  for (let healthy = 0; healthy < longest; healthy++) {
    if (judgeWindows(plan, capability, windows) !== 'met') needed = healthy + 1;
    for (const counts of windows) pushHealthy(counts, held, healthy, timelines.length);
  }
  return needed;
}

type MutableCounts = { -readonly [K in keyof WindowCounts]: WindowCounts[K] };

const COUNTED = [
  ['up', TICK.up],
  ['busy', TICK.busy],
  ['down', TICK.down],
] as const;

/** held[age * 4 + state]: how many of the timelines had `state` that many ticks ago. */
function countByAge(timelines: readonly Timeline[], longest: number): Int32Array {
  const held = new Int32Array(longest * 4);
  for (const timeline of timelines) countStates(held, timeline, longest);
  return held;
}

/** Walks the ring backwards from the latest tick; a fleet has millions of them, so without a call for each. */
function countStates(held: Int32Array, { ring, ticks }: Timeline, longest: number): void {
  const known = Math.min(ticks, ring.length, longest);
  let slot = (ticks - 1) % ring.length;
  for (let age = 0; age < longest; age++) {
    const index = age * 4 + (age < known ? (ring[slot] ?? TICK.unobserved) : TICK.unobserved);
    held[index] = (held[index] ?? 0) + 1;
    slot = slot === 0 ? ring.length - 1 : slot - 1;
  }
}

function countsOf(held: Int32Array, length: number, timelines: readonly Timeline[]): MutableCounts {
  const span = Math.min(length, Math.max(...timelines.map(({ ticks }) => ticks)));
  const counts = { up: 0, busy: 0, down: 0, expected: length * timelines.length, span, length };
  for (let age = 0; age < length; age++) {
    for (const [name, state] of COUNTED) counts[name] += held[age * 4 + state] ?? 0;
  }
  return counts;
}

/** One healthy tick: the window's oldest tick leaves (a healthy one once all real ones have left). */
function pushHealthy(counts: MutableCounts, held: Int32Array, healthyBefore: number, gpus: number): void {
  const oldest = counts.length - 1 - healthyBefore;
  if (oldest < 0) return;
  for (const [name, state] of COUNTED) counts[name] -= held[oldest * 4 + state] ?? 0;
  counts.up += gpus;
  counts.span = Math.min(counts.length, counts.span + 1);
}
