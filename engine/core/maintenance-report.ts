/** Planned maintenance for whoever asks: spans, and per node what it excludes and what is left of its budget. */
import type { GpuRecord, Judged } from './fleet.ts';
import type { MaintenanceCalendar, Planned, PlannedSpan, Spent } from './maintenance.ts';
import type { MaintenanceSpan, Silence } from './maintenance-span.ts';
import type { UptimeWindow } from './policy.ts';
import { gpuCounts } from './totals.ts';

/** A silence that is meant as maintenance and is none. */
export interface RefusedSilence {
  readonly silence: Silence;
  readonly reason: string;
}

export interface PeerHealth {
  readonly url: string;
  readonly heardAtMs: number | undefined;
  /** Why its newest answer was of no use; undefined when it was. */
  readonly failure: string | undefined;
  /** Polls that failed since the start. */
  readonly failures: number;
}

export interface MaintenanceView {
  /** Undefined when the policy grants no maintenance. */
  readonly calendar: MaintenanceCalendar | undefined;
  readonly refused: readonly RefusedSilence[];
  readonly peers: readonly PeerHealth[];
}

export interface ReportedSpan {
  readonly span: MaintenanceSpan;
  readonly phase: 'upcoming' | 'active' | 'past';
  /** The known GPUs that it names. */
  readonly gpus: readonly GpuRecord[];
}

export interface ReportedNode {
  readonly node: string;
  /** The GPUs of the node that maintenance names now or has named this month. */
  readonly gpus: number;
  /** What it means now for the GPU that has spent the most. */
  readonly planned: Planned | undefined;
  /** Of the GPU that has spent the most. */
  readonly spent: Spent;
  readonly windows: readonly ExcludedTicks[];
}

/** Ticks of the node's GPUs that the window leaves out, of those it spans. */
export interface ExcludedTicks {
  readonly window: UptimeWindow;
  readonly excluded: number;
  readonly expected: number;
}

/** Spans in the order in which they begin. */
export function reportSpans({ state }: Judged, calendar: MaintenanceCalendar, nowMs: number): readonly ReportedSpan[] {
  const gpus = [...state.gpus.values()];
  return calendar.spans
    .map(({ span, covers }) => ({ span, phase: phaseOf(span, nowMs), gpus: gpus.filter(covers) }))
    .sort((a, b) => a.span.fromMs - b.span.fromMs);
}

function phaseOf({ fromMs, toMs }: MaintenanceSpan, nowMs: number): ReportedSpan['phase'] {
  if (nowMs < fromMs) return 'upcoming';
  return nowMs < toMs ? 'active' : 'past';
}

/** The nodes that any span names, by name. */
export function reportNodes(judged: Judged, calendar: MaintenanceCalendar, nowMs: number): readonly ReportedNode[] {
  const named = [...judged.state.gpus.values()].filter((gpu) => isNamed(calendar.spans, gpu));
  const byNode = [...Map.groupBy(named, ({ node }) => node)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byNode.map(([node, gpus]) => reportNode(judged, calendar, { node, gpus, nowMs }));
}

function isNamed(spans: readonly PlannedSpan[], gpu: GpuRecord): boolean {
  return spans.some(({ covers }) => covers(gpu));
}

interface NodeAt {
  readonly node: string;
  readonly gpus: readonly GpuRecord[];
  readonly nowMs: number;
}

function reportNode(judged: Judged, calendar: MaintenanceCalendar, { node, gpus, nowMs }: NodeAt): ReportedNode {
  const each = gpus.map((gpu) => ({ spent: calendar.spent(gpu, nowMs), planned: calendar.at(nowMs)?.(gpu) }));
  const total = ({ excludedMs, overMs }: Spent) => excludedMs + overMs;
  const most = each.reduce((a, b) => (total(b.spent) > total(a.spent) ? b : a));
  return { node, gpus: gpus.length, ...most, windows: excludedTicks(judged, gpus) };
}

/** Of the policy's own windows; capabilities exclude the same ticks. */
function excludedTicks({ plan }: Judged, gpus: readonly GpuRecord[]): readonly ExcludedTicks[] {
  const [capability] = plan.capabilities;
  const counts = gpus.map((gpu) => gpuCounts(plan, capability, gpu));
  return (plan.profiles[capability.profile]?.windows ?? []).map((window, w) => ({
    window,
    excluded: counts.reduce((sum, own) => sum + (own[w]?.maintenance ?? 0), 0),
    expected: counts.reduce((sum, own) => sum + (own[w]?.expected ?? 0), 0),
  }));
}
