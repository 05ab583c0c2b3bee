/** The series the engine derives: uptime, coverage, status and delays per GPU, node and fleet. */
import { countsFor, decide, delayFigures, type Question } from '../core/decision.ts';
import { delayedUntilMs } from '../core/delay.ts';
import type { FleetState, GpuRecord, Judged } from '../core/fleet.ts';
import type { Hold } from '../core/hold.ts';
import type { PlannedCapability } from '../core/plan.ts';
import { FLEET, type Level, type Subject } from '../core/subject.ts';
import { tickStateName } from '../core/tick.ts';
import { figuresOf } from '../core/totals.ts';
import { type Status, statusOf, type WindowFigures } from '../core/uptime.ts';
import { type Family, type Line, renderFamily, renderHead, renderLines, renderPairs } from './exposition.ts';

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

/** Rows per piece: small enough that a gateway hardly waits behind one. */
const PIECE = 500;

/**
 * Renders every derived family, piece by piece, so that a page of ten thousand GPUs is never held as a whole and
 * gateways are answered in between. GPU series exist for the `default` capability only, node and fleet series for each:
 * every GPU times every capability would be a scrape nobody wants.
 */
export function* renderDerived(judged: Judged, holds: readonly Hold[], nowMs: number): Generator<string> {
  const { plan, state } = judged;
  const row = ({ capability, subject, labels }: Described) =>
    rowOf(
      judged,
      { name: capability.name, capability, subject, nowMs, holds },
      renderPairs({ ...labels, capability: capability.name }),
    );
  yield* renderLevel('gpu', describeGpus(judged), row);
  yield* renderLevel(
    'node',
    plan.capabilities.flatMap((capability) => describeNodes(state, capability)),
    row,
  );
  yield* renderLevel(
    'fleet',
    plan.capabilities.map((capability) => ({ capability, subject: FLEET, labels: {} })),
    row,
  );
  yield renderPolicy(judged);
}

interface Described {
  readonly capability: PlannedCapability;
  readonly subject: Subject;
  readonly labels: Readonly<Record<string, string>>;
}

function describeGpus({ plan, state }: Judged): readonly Described[] {
  const [capability] = plan.capabilities;
  return [...state.gpus.values()]
    .filter((gpu) => capability.serves(gpu))
    .map((gpu) => ({ capability, subject: { level: 'gpu', id: gpu.gpu }, labels: gpuLabels(gpu) }));
}

function describeNodes(state: FleetState, capability: PlannedCapability): readonly Described[] {
  const nodes = state.totals.get(capability.name)?.nodes.keys() ?? [];
  return [...nodes].map((node) => ({ capability, subject: { level: 'node', id: node }, labels: { node } }));
}

function* renderLevel(level: Level, subjects: readonly Described[], row: (about: Described) => Row): Generator<string> {
  const rows: Row[] = [];
  for (const piece of pieces(subjects)) {
    rows.push(...piece.map(row));
    yield '';
  }
  for (const { suffix, help, lines } of rows.length === 0 ? [] : FAMILIES) {
    const family: Family = {
      name: `gpu_uptime_${INFIX[level]}${suffix}`,
      type: 'gauge',
      help: `${help} ${OF[level]}.`,
    };
    yield renderHead(family);
    for (const piece of pieces(rows)) yield renderLines(family, piece.flatMap(lines));
  }
}

function* pieces<T>(whole: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < whole.length; start += PIECE) yield whole.slice(start, start + PIECE);
}

const OWN_LABELS = new Set(['uuid', 'node', 'capability', 'window', 'status']);

/** Descriptive labels in snake case, as Prometheus writes its own; the engine's labels keep their names to themselves. */
function gpuLabels({ gpu, node, labels }: GpuRecord): Record<string, string> {
  const described = Object.entries(labels)
    .map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value] as const)
    .filter(([name]) => !OWN_LABELS.has(name));
  return { uuid: gpu, ...Object.fromEntries(described), node };
}

function rowOf({ plan, state }: Judged, question: Question, labels: string): Row {
  const { capability, subject } = question;
  const outcome = decide(plan, state, question);
  const figures = figuresOf(plan, capability, countsFor(plan, state, capability, subject));
  const { multiplier } = delayFigures(plan, outcome.episode);
  const { episode } = outcome;
  const untilMs = episode === undefined ? question.nowMs : delayedUntilMs(plan.policy.delay, episode);
  const waitSeconds = Math.max(0, untilMs - question.nowMs) / 1000;
  return { labels, figures, multiplier, failures: episode?.failures ?? 0, waitSeconds };
}

/** Thresholds the shipped alert rules join with, so that a policy change needs no rule change; and GPUs by state. */
function renderPolicy({ plan, state }: Judged): string {
  const { uptimeBelow, consecutiveFailures } = plan.policy.alerts;
  const counts = new Map<string, number>();
  for (const { tracks } of state.gpus.values()) {
    const name = tickStateName(tracks[plan.capabilities[0].profile]?.verdict.state ?? 0);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const byState = ['up', 'busy', 'down', 'unobserved', 'maintenance'].map(
    (name): Line => [{ state: name }, counts.get(name) ?? 0],
  );
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
