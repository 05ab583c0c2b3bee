/** The series the engine derives: uptime, coverage, status and delays per GPU, node and fleet. */
import { countsFor, decide, delayFigures, type Question } from '../core/decision.ts';
import type { GpuRecord, Judged } from '../core/fleet.ts';
import type { Hold } from '../core/hold.ts';
import type { PlannedCapability } from '../core/plan.ts';
import { FLEET, type Level, type Subject } from '../core/subject.ts';
import { tickStateName } from '../core/tick.ts';
import { figuresOf } from '../core/totals.ts';
import { type Status, statusOf, type WindowFigures } from '../core/uptime.ts';
import { type Family, type Line, renderFamily, renderPairs } from './exposition.ts';

/** Level in metric names: `gpu_uptime_ratio`, `gpu_uptime_node_ratio`, `gpu_uptime_fleet_ratio`. */
const INFIX: Record<Level, string> = { gpu: '', node: 'node_', fleet: 'fleet_' };
const OF: Record<Level, string> = {
  gpu: 'of a GPU',
  node: 'of a node, over the ticks of its GPUs',
  fleet: 'of the fleet, over the ticks of its GPUs',
};
const STATUSES: readonly Status[] = ['healthy', 'degraded', 'unhealthy', 'unknown'];

interface Row {
  /** Rendered pairs: every family repeats them, and there may be ten thousand rows. */
  readonly labels: string;
  readonly figures: readonly WindowFigures[];
  readonly multiplier: number;
  readonly waitSeconds: number;
  readonly failures: number;
}

interface RowFamily {
  readonly suffix: string;
  readonly help: string;
  readonly lines: (row: Row) => readonly Line[];
}

const FAMILIES: readonly RowFamily[] = [
  { suffix: 'ratio', help: 'Uptime by window, 0 to 1,', lines: (row) => windowLines(row, ({ uptime }) => uptime) },
  {
    suffix: 'coverage_ratio',
    help: 'Observed share of each window, 0 to 1,',
    lines: (row) => windowLines(row, ({ coverage }) => coverage),
  },
  {
    suffix: 'samples',
    help: 'Observed ticks in each window',
    lines: (row) => windowLines(row, ({ samples }) => samples),
  },
  { suffix: 'status', help: 'Status over all windows, 1 for the present one,', lines: statusLines },
  {
    suffix: 'delay_multiplier',
    help: 'Multiplier of the running delay, 0 without one,',
    lines: (row) => [[row.labels, row.multiplier]],
  },
  {
    suffix: 'delay_remaining_seconds',
    help: 'Seconds until the running delay ends',
    lines: (row) => [[row.labels, row.waitSeconds]],
  },
  {
    suffix: 'consecutive_failures',
    help: 'Failures in the running episode, 0 without one,',
    lines: (row) => [[row.labels, row.failures]],
  },
];

function windowLines({ labels, figures }: Row, get: (figures: WindowFigures) => number | undefined): readonly Line[] {
  return figures.flatMap((window): Line[] => {
    const value = get(window);
    return value === undefined ? [] : [[`${labels},${renderPairs({ window: window.window.name })}`, value]];
  });
}

function statusLines({ labels, figures }: Row): readonly Line[] {
  const present = statusOf(figures.map(({ verdict }) => verdict));
  return STATUSES.map((status) => [`${labels},${renderPairs({ status })}`, status === present ? 1 : 0]);
}

/**
 * Renders every derived family. GPU series exist for the `default` capability only, node and fleet series for each:
 * ten thousand GPUs times every capability would be a scrape nobody wants.
 */
export function renderDerived(judged: Judged, holds: readonly Hold[], nowMs: number): string {
  const { plan, state } = judged;
  const row = (capability: PlannedCapability, subject: Subject, labels: Record<string, string>) =>
    rowOf(
      judged,
      { name: capability.name, capability, subject, nowMs, holds },
      renderPairs({ ...labels, capability: capability.name }),
    );
  const [first] = plan.capabilities;
  const gpus = [...state.gpus.values()].filter(({ labels }) => first.serves(labels));
  const rows: Record<Level, readonly Row[]> = {
    gpu: gpus.map((gpu) => row(first, { level: 'gpu', id: gpu.gpu }, gpuLabels(gpu))),
    node: plan.capabilities.flatMap((capability) =>
      [...(state.totals.get(capability.name)?.nodes.keys() ?? [])].map((node) =>
        row(capability, { level: 'node', id: node }, { node }),
      ),
    ),
    fleet: plan.capabilities.map((capability) => row(capability, FLEET, {})),
  };
  const levels: readonly Level[] = ['gpu', 'node', 'fleet'];
  return (
    levels.map((level) => FAMILIES.map((family) => renderRows(level, family, rows[level])).join('')).join('') +
    renderPolicy(judged)
  );
}

function renderRows(level: Level, { suffix, help, lines }: RowFamily, rows: readonly Row[]): string {
  const family: Family = { name: `gpu_uptime_${INFIX[level]}${suffix}`, type: 'gauge', help: `${help} ${OF[level]}.` };
  return renderFamily(family, rows.flatMap(lines));
}

function gpuLabels({ gpu, node, labels }: GpuRecord): Record<string, string> {
  return { uuid: gpu, ...labels, node };
}

function rowOf({ plan, state }: Judged, question: Question, labels: string): Row {
  const { capability, subject } = question;
  const outcome = decide(plan, state, question);
  const figures = figuresOf(plan, capability, countsFor(plan, state, capability, subject));
  const { multiplier } = delayFigures(plan, outcome.episode);
  const failures = outcome.episode?.failures ?? 0;
  return { labels, figures, multiplier, failures, waitSeconds: outcome.canProcess ? 0 : outcome.waitMs / 1000 };
}

/** Thresholds the shipped alert rules join with, so that a policy change needs no rule change; and GPUs by state. */
function renderPolicy({ plan, state }: Judged): string {
  const { uptimeBelow, consecutiveFailures } = plan.policy.alerts;
  const counts = new Map<string, number>();
  for (const { tracks } of state.gpus.values()) {
    const name = tickStateName(tracks[plan.capabilities[0].profile]?.verdict.state ?? 0);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const byState = ['up', 'busy', 'down', 'unobserved'].map((name): Line => [{ state: name }, counts.get(name) ?? 0]);
  return [
    renderFamily(
      { name: 'gpu_uptime_alert_uptime_below_ratio', type: 'gauge', help: 'Uptime below which GpuUptimeLow fires.' },
      [[{}, uptimeBelow]],
    ),
    renderFamily(
      {
        name: 'gpu_uptime_alert_consecutive_failures',
        type: 'gauge',
        help: 'Failures from which GpuConsecutiveFailures fires.',
      },
      [[{}, consecutiveFailures]],
    ),
    renderFamily(
      { name: 'gpu_uptime_gpus', type: 'gauge', help: 'Known GPUs by the state of their newest tick.' },
      byState,
    ),
    renderFamily(
      {
        name: 'gpu_uptime_guard_frozen',
        type: 'gauge',
        help: '1 while new escalations are frozen because most nodes turned low together.',
      },
      [[{}, state.guard.frozenSinceMs === undefined ? 0 : 1]],
    ),
  ].join('');
}
