/** When a subject's windows would recover if every tick from now on is up. */
import type { GpuRecord } from './fleet.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { TICK, TICK_STATES } from './tick.ts';
import { judgeWindows } from './totals.ts';
import type { Timeline, WindowCounts } from './window.ts';

/**
 * Healthy ticks needed from now on until the windows of the GPUs, taken together, are met and stay so; 0 when they are
 * already. Every healthy tick adds one up tick per GPU and drops each window's oldest, so the answer is at most the
 * longest window's length. A window that coverage will first make known counts too: it may turn low on the way.
 * A GPU in maintenance adds as many ticks of it as `maintenanceLeft` says (by index) before its first healthy one; what
 * is planned for later is not foreseen.
 */
export function ticksToRecovery(
  plan: Plan,
  capability: PlannedCapability,
  gpus: readonly GpuRecord[],
  maintenanceLeft: readonly number[] = [],
): number {
  const timelines = gpus.flatMap((gpu) => gpu.tracks[capability.profile]?.timeline ?? []);
  const lengths = plan.profiles[capability.profile]?.lengths ?? [];
  if (timelines.length === 0) return 0;
  const longest = Math.max(...lengths);
  const held = countByAge(timelines, longest);
  const windows = lengths.map((length) => countsOf(held, length, timelines));
  const coming = { held, gpus: timelines.length, plannedAt: plannedAtStep(maintenanceLeft) };
  const horizon = longest + maintenanceLeft.reduce((most, left) => Math.max(most, left), 0);
  let needed = 0;
  for (let step = 0; step < horizon; step++) {
    const isMaintained = step > 0 && coming.plannedAt(step - 1) === coming.gpus;
    if (isMaintained || judgeWindows(plan, capability, windows) !== 'met') needed = step + 1;
    for (const counts of windows) pushComing(counts, coming, step);
  }
  return needed;
}

/** What the ticks from now on bring and take away. */
interface Coming {
  readonly held: Int32Array;
  readonly gpus: number;
  /** GPUs that are still in maintenance at the tick that many steps after the next. */
  readonly plannedAt: (step: number) => number;
}

function plannedAtStep(maintenanceLeft: readonly number[]): (step: number) => number {
  if (!maintenanceLeft.some((left) => left > 0)) return () => 0;
  return (step) => maintenanceLeft.filter((left) => left > step).length;
}

type MutableCounts = { -readonly [K in keyof WindowCounts]: WindowCounts[K] };

const COUNTED = [
  ['up', TICK.up],
  ['busy', TICK.busy],
  ['down', TICK.down],
  ['maintenance', TICK.maintenance],
] as const;

/** held[age * TICK_STATES + state]: how many of the timelines had `state` that many ticks ago. */
function countByAge(timelines: readonly Timeline[], longest: number): Int32Array {
  const held = new Int32Array(longest * TICK_STATES);
  for (const timeline of timelines) countStates(held, timeline, longest);
  return held;
}

/** Walks the ring backwards from the latest tick; a fleet has millions of them, so without a call for each. */
function countStates(held: Int32Array, { ring, ticks }: Timeline, longest: number): void {
  const known = Math.min(ticks, ring.length, longest);
  let slot = (ticks - 1) % ring.length;
  for (let age = 0; age < longest; age++) {
    const index = age * TICK_STATES + (age < known ? (ring[slot] ?? TICK.unobserved) : TICK.unobserved);
    held[index] = (held[index] ?? 0) + 1;
    slot = slot === 0 ? ring.length - 1 : slot - 1;
  }
}

function countsOf(held: Int32Array, length: number, timelines: readonly Timeline[]): MutableCounts {
  const span = Math.min(length, Math.max(...timelines.map(({ ticks }) => ticks)));
  const counts = { up: 0, busy: 0, down: 0, maintenance: 0, expected: length * timelines.length, span, length };
  for (let age = 0; age < length; age++) {
    for (const [name, state] of COUNTED) counts[name] += held[age * TICK_STATES + state] ?? 0;
  }
  return counts;
}

/** One coming tick: the window's oldest leaves, which is a coming one itself once all real ones have left. */
function pushComing(counts: MutableCounts, { held, gpus, plannedAt }: Coming, step: number): void {
  const oldest = counts.length - 1 - step;
  if (oldest >= 0) {
    for (const [name, state] of COUNTED) counts[name] -= held[oldest * TICK_STATES + state] ?? 0;
  } else {
    addComing(counts, gpus, plannedAt(-1 - oldest), -1);
  }
  addComing(counts, gpus, plannedAt(step), 1);
  counts.span = Math.min(counts.length, counts.span + 1);
}

function addComing(counts: MutableCounts, gpus: number, planned: number, sign: 1 | -1): void {
  counts.up += sign * (gpus - planned);
  counts.maintenance += sign * planned;
}
