/** A fleet state as JSON: what a restarted engine continues from. Timelines are run-length text. */
import { type BookedAction, rebook } from './action-book.ts';
import { restoreQuarantines } from './action-state.ts';
import type { RunningEpisode } from './episodes.ts';
import { createFleet, type FleetState, type GpuRecord } from './fleet.ts';
import type { Plan } from './plan.ts';
import { UNOBSERVED } from './presence.ts';
import { subjectKey } from './subject.ts';
import { sumTotals } from './totals.ts';
import { decodeTimeline, encodeTimeline, stateAgo } from './window.ts';

/** Grows whenever a checkpoint of an older engine could not be continued from. */
const VERSION = 3;

export interface Checkpoint {
  /** Format of this object; another version is not read. */
  readonly version: typeof VERSION;
  /** Only a policy of the same revision may continue from it. */
  readonly revision: string;
  readonly tickMs: number;
  readonly watchingSinceMs: number | undefined;
  readonly guard: {
    readonly frozenSinceMs: number | undefined;
    readonly lowSince: readonly (readonly [string, number])[];
  };
  readonly episodes: readonly RunningEpisode[];
  readonly actions: readonly BookedAction[];
  readonly gpus: readonly SavedGpu[];
}

interface SavedGpu {
  readonly gpu: string;
  readonly node: string;
  readonly target: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly lastSeenMs: number;
  readonly tracks: readonly SavedTrack[];
}

interface SavedTrack {
  readonly ticks: number;
  readonly states: string;
  readonly sinceMs: number;
}

/** Everything that later ticks depend on. Undefined before the first tick. */
export function saveFleet(plan: Plan, state: FleetState): Checkpoint | undefined {
  if (state.tickMs === undefined) return undefined;
  return {
    version: VERSION,
    revision: plan.policy.revision,
    tickMs: state.tickMs,
    watchingSinceMs: state.observer.watchingSinceMs,
    guard: { frozenSinceMs: state.guard.frozenSinceMs, lowSince: [...state.guard.lowSince] },
    episodes: [...state.episodes.values()],
    actions: state.actions.all,
    gpus: [...state.gpus.values()].map(saveGpu),
  };
}

function saveGpu({ gpu, node, target, labels, lastSeenMs, tracks }: GpuRecord): SavedGpu {
  const saved = tracks.map(({ timeline, sinceMs }) => ({
    ticks: timeline.ticks,
    states: encodeTimeline(timeline),
    sinceMs,
  }));
  return { gpu, node, target, labels, lastSeenMs, tracks: saved };
}

/**
 * Rebuilds the state that `saveFleet` saw, or undefined when the checkpoint belongs to another policy or format.
 * Only the failed check behind a GPU's present state is not kept: the next tick brings it again.
 */
export function restoreFleet(plan: Plan, saved: Checkpoint): FleetState | undefined {
  if (saved.version !== VERSION || saved.revision !== plan.policy.revision) return undefined;
  const state = createFleet();
  state.tickMs = saved.tickMs;
  state.observer = { watchingSinceMs: saved.watchingSinceMs };
  state.guard = { frozenSinceMs: saved.guard.frozenSinceMs, lowSince: new Map(saved.guard.lowSince) };
  for (const running of saved.episodes) state.episodes.set(subjectKey(running.capability, running.subject), running);
  state.actions = rebook(saved.actions);
  for (const gpu of saved.gpus) state.gpus.set(gpu.gpu, restoreGpu(plan, gpu));
  restoreQuarantines(state);
  for (const capability of plan.capabilities) {
    state.totals.set(capability.name, sumTotals(plan, state.gpus.values(), capability));
  }
  return state;
}

function restoreGpu(plan: Plan, { tracks, ...gpu }: SavedGpu): GpuRecord {
  const restored = plan.profiles.map(({ lengths }, profile) => {
    const { states = '', ticks = 0, sinceMs = 0 } = tracks[profile] ?? {};
    const timeline = decodeTimeline(lengths, states, ticks);
    return { timeline, verdict: { ...UNOBSERVED, state: stateAgo(timeline, 0) }, sinceMs };
  });
  return { ...gpu, tracks: restored };
}
