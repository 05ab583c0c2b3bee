/** The state of every GPU as decisions see it: one series per GPU, and how many GPUs have each state. */
import { type ActionBook, actionOn } from '../core/action-book.ts';
import type { GpuRecord, Judged } from '../core/fleet.ts';
import { TICK, type TickState, tickStateName } from '../core/tick.ts';
import { type Family, type Line, renderFamily, renderHead, renderLines, renderPairs } from './exposition.ts';

/** Every state a GPU can be in, the best first. */
export const GPU_STATES = [
  'up',
  'busy',
  'throttled',
  'preempted',
  'quarantined',
  'down',
  'unobserved',
  'maintenance',
] as const;

type GpuState = (typeof GPU_STATES)[number];

const OF_GPU: Family = {
  name: 'gpu_uptime_gpu_state',
  type: 'gauge',
  help: '1, with the state of the GPU as label: that of its newest tick, unless an alert asks for more.',
};

const OF_FLEET: Family = {
  name: 'gpu_uptime_gpu_states',
  type: 'gauge',
  help: 'Known GPUs by the state that gpu_uptime_gpu_state gives them.',
};

const ASKED = { throttle: 'throttled', preempt: 'preempted', quarantine: 'quarantined' } as const;

/**
 * What keeps work away names the state: planned maintenance first, then what an alert asks for, then the tick. Load
 * needs lowering only where there can be some, so `throttled` yields to `down` and `unobserved`.
 */
export function gpuStateOf(book: ActionBook, record: GpuRecord, tick: TickState): GpuState {
  if (tick === TICK.maintenance) return 'maintenance';
  const action = actionOn(book, record);
  if (action === undefined || action === 'notify') return tickStateName(tick);
  const isAway = tick === TICK.down || tick === TICK.unobserved;
  return action === 'throttle' && isAway ? tickStateName(tick) : ASKED[action];
}

/** Rows per piece: small enough that a gateway hardly waits behind one. */
const PIECE = 1000;

/** Renders both families, piece by piece: a page of ten thousand GPUs is never held as a whole. */
export function* renderGpuStates({ plan, state }: Judged, book: ActionBook): Generator<string> {
  const { profile } = plan.capabilities[0];
  const counts = new Map<GpuState, number>(GPU_STATES.map((name) => [name, 0]));
  let lines: Line[] = [];
  if (state.gpus.size > 0) yield renderHead(OF_GPU);
  for (const record of state.gpus.values()) {
    const name = gpuStateOf(book, record, record.tracks[profile]?.verdict.state ?? TICK.unobserved);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    lines.push([renderPairs(labelsOf(record, name)), 1]);
    if (lines.length < PIECE) continue;
    yield renderLines(OF_GPU, lines);
    lines = [];
  }
  yield renderLines(OF_GPU, lines);
  yield renderFamily(
    OF_FLEET,
    [...counts].map(([name, count]): Line => [{ state: name }, count]),
  );
  yield renderActions(book);
}

function labelsOf({ gpu, node, labels }: GpuRecord, state: GpuState): Record<string, string> {
  return { uuid: gpu, ...(labels.gpu === undefined ? {} : { gpu: labels.gpu }), node, state };
}

/** An alert that names no known GPU or node must not go unnoticed: somebody counts on its action. */
function renderActions({ all }: ActionBook): string {
  const asked = Object.keys(ASKED).map((action): Line => {
    const count = all.filter((one) => one.action === action && one.ignored === undefined).length;
    return [{ action }, count];
  });
  const ignored = ['policy', 'guard', 'unknown'].map((reason): Line => {
    return [{ reason }, all.filter((one) => one.ignored === reason && one.action !== 'notify').length];
  });
  return [
    renderFamily(
      { name: 'gpu_uptime_actions', type: 'gauge', help: 'Firing alerts whose action is in effect.' },
      asked,
    ),
    renderFamily(
      {
        name: 'gpu_uptime_actions_ignored',
        type: 'gauge',
        help: 'Firing alerts whose action changes nothing: off by policy, held by the guard, or about no known GPU or node.',
      },
      ignored,
    ),
  ].join('');
}
