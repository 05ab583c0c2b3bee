/** Window counts of nodes and of the fleet: the ticks of their GPUs, summed. */
import type { GpuRecord } from './fleet.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { judgeWindow, type WindowFigures, type WindowVerdict, windowFigures } from './uptime.ts';
import { sumCounts, sumWindow, type WindowCounts, windowCounts } from './window.ts';

/** Counts by window of one capability, over the GPUs that serve it. */
export interface Totals {
  readonly fleet: readonly WindowCounts[];
  readonly nodes: ReadonlyMap<string, readonly WindowCounts[]>;
  /** GPUs that serve the capability. */
  readonly gpus: number;
}

export function sumTotals(plan: Plan, gpus: Iterable<GpuRecord>, capability: PlannedCapability): Totals {
  const served = [...gpus].filter((gpu) => capability.serves(gpu));
  const nodes = new Map<string, readonly WindowCounts[]>();
  for (const [node, records] of Map.groupBy(served, (record) => record.node)) {
    nodes.set(node, groupCounts(plan, capability, records));
  }
  const fleet = [...nodes.values()].reduce<readonly WindowCounts[]>((a, b) => (a.length === 0 ? b : addAll(a, b)), []);
  return { fleet, nodes, gpus: served.length };
}

function groupCounts(
  plan: Plan,
  { profile }: PlannedCapability,
  records: readonly GpuRecord[],
): readonly WindowCounts[] {
  const timelines = records.flatMap(({ tracks }) => tracks[profile]?.timeline ?? []);
  const windows = plan.profiles[profile]?.windows ?? [];
  return windows.map((_, w) => sumWindow(timelines, w));
}

/** Counts of every window of one GPU under a capability. */
export function gpuCounts(plan: Plan, { profile }: PlannedCapability, record: GpuRecord): readonly WindowCounts[] {
  const timeline = record.tracks[profile]?.timeline;
  const windows = plan.profiles[profile]?.windows ?? [];
  return timeline === undefined ? [] : windows.map((_, w) => windowCounts(timeline, w));
}

function addAll(a: readonly WindowCounts[], b: readonly WindowCounts[]): readonly WindowCounts[] {
  return a.map((counts, w) => sumCounts(counts, b[w] ?? counts));
}

/** Figures of each window, in the policy's order. */
export function figuresOf(
  plan: Plan,
  { profile }: PlannedCapability,
  counts: readonly WindowCounts[],
): readonly WindowFigures[] {
  const windows = plan.profiles[profile]?.windows ?? [];
  return windows.flatMap((window, w) => {
    const count = counts[w];
    return count === undefined ? [] : [windowFigures(plan.policy, window, count)];
  });
}

/** `low` when any window is low, `met` when all known ones are met. */
export function judgeWindows(
  plan: Plan,
  { profile }: PlannedCapability,
  counts: readonly WindowCounts[],
): WindowVerdict {
  const windows = plan.profiles[profile]?.windows ?? [];
  let overall: WindowVerdict = 'unknown';
  for (let w = 0; w < counts.length; w++) {
    const [window, count] = [windows[w], counts[w]];
    if (window === undefined || count === undefined) continue;
    const verdict = judgeWindow(plan.policy, window, count);
    if (verdict === 'low') return 'low';
    if (verdict === 'met') overall = 'met';
  }
  return overall;
}
