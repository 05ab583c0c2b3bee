/** Window counts of nodes and of the fleet: the ticks of their GPUs, summed. */
import type { GpuRecord } from './fleet.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { overallVerdict, type WindowFigures, type WindowVerdict, windowFigures } from './uptime.ts';
import { sumCounts, type WindowCounts, windowCounts } from './window.ts';

/** Counts by window of one capability, over the GPUs that serve it. */
export interface Totals {
  readonly fleet: readonly WindowCounts[];
  readonly nodes: ReadonlyMap<string, readonly WindowCounts[]>;
  /** GPUs that serve the capability. */
  readonly gpus: number;
}

export function sumTotals(plan: Plan, gpus: Iterable<GpuRecord>, capability: PlannedCapability): Totals {
  const nodes = new Map<string, readonly WindowCounts[]>();
  let served = 0;
  for (const record of gpus) {
    if (!capability.serves(record.labels)) continue;
    const counts = gpuCounts(plan, capability, record);
    const sofar = nodes.get(record.node);
    nodes.set(record.node, sofar === undefined ? counts : addAll(sofar, counts));
    served++;
  }
  const fleet = [...nodes.values()].reduce<readonly WindowCounts[]>((a, b) => (a.length === 0 ? b : addAll(a, b)), []);
  return { fleet, nodes, gpus: served };
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
  capability: PlannedCapability,
  counts: readonly WindowCounts[],
): WindowVerdict {
  return overallVerdict(figuresOf(plan, capability, counts).map((figures) => figures.verdict));
}
