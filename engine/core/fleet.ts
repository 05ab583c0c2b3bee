/** The engine's whole state as one fold: step(plan, state, observation). Live, replay, restart and tests all run it. */
import { type ActionBook, NO_ACTIONS } from './action-book.ts';
import { quarantineVerdict, stepActions } from './action-state.ts';
import { forgetEpisodes, type RunningEpisode, stepEpisodes } from './episodes.ts';
import { GUARD_CLEAR, type GuardState, stepGuard } from './guard.ts';
import type { MaintenanceCalendar } from './maintenance.ts';
import type { Observation, Sighting } from './observation.ts';
import type { Plan, Profile } from './plan.ts';
import {
  absenceCounts,
  type BoundCheck,
  DOWN,
  freshSightings,
  judgeChecks,
  MAINTENANCE,
  type ObserverState,
  stepObserver,
  UNOBSERVED,
  type Verdict,
} from './presence.ts';
import { judgeWindows, sumTotals, type Totals } from './totals.ts';
import { createTimeline, pushTick, type Timeline } from './window.ts';

/** One GPU under one profile: its timeline and the outcome of its latest tick. */
interface Track {
  readonly timeline: Timeline;
  verdict: Verdict;
  /** Since when the GPU has been in its present state. */
  sinceMs: number;
}

export interface GpuRecord {
  readonly gpu: string;
  node: string;
  /** The target that last exposed it. */
  target: string;
  labels: Readonly<Record<string, string>>;
  /** Latest tick with a fresh sample; planned maintenance does not let it grow older. */
  lastSeenMs: number;
  /** One per profile of the plan. */
  readonly tracks: readonly Track[];
}

export interface FleetState {
  /** Latest judged tick; undefined before the first. */
  tickMs: number | undefined;
  observer: ObserverState;
  guard: GuardState;
  /** Actions of alerts that fire at the latest tick. */
  actions: ActionBook;
  readonly gpus: Map<string, GpuRecord>;
  /** Running episodes by subject key; a subject without one is clear. */
  readonly episodes: Map<string, RunningEpisode>;
  /** Totals of the latest tick by capability name. */
  readonly totals: Map<string, Totals>;
  /** Planned maintenance as of the latest tick; undefined where the policy grants none. */
  maintenance: MaintenanceCalendar | undefined;
  /** Gathered by the first question after a tick that needs it (`rosterOf`). */
  roster: Roster | undefined;
}

/** The GPUs of one tick by where they are, so that a question need not look at every GPU. */
interface Roster {
  readonly tickMs: number | undefined;
  readonly byNode: ReadonlyMap<string, readonly GpuRecord[]>;
  readonly byIndex: ReadonlyMap<string | undefined, readonly GpuRecord[]>;
}

/** A plan and the state it has judged so far: what decisions are made from. */
export interface Judged {
  readonly plan: Plan;
  readonly state: FleetState;
}

export type FleetEvent =
  | {
      readonly kind: 'gpu_state';
      readonly atMs: number;
      readonly gpu: string;
      readonly from: Verdict;
      readonly to: Verdict;
    }
  | { readonly kind: 'gpu_forgotten'; readonly atMs: number; readonly gpu: string }
  | { readonly kind: 'delay'; readonly atMs: number; readonly running: RunningEpisode }
  | { readonly kind: 'recovered'; readonly atMs: number; readonly was: RunningEpisode }
  | { readonly kind: 'guard'; readonly atMs: number; readonly isFrozen: boolean };

export function createFleet(): FleetState {
  return {
    tickMs: undefined,
    observer: { watchingSinceMs: undefined },
    guard: GUARD_CLEAR,
    actions: NO_ACTIONS,
    gpus: new Map(),
    episodes: new Map(),
    totals: new Map(),
    maintenance: undefined,
    roster: undefined,
  };
}

/** GPUs by node and by their `gpu` label, as of the latest tick. */
export function rosterOf(state: FleetState): Roster {
  if (state.roster !== undefined && state.roster.tickMs === state.tickMs) return state.roster;
  const gpus = [...state.gpus.values()];
  const byNode = Map.groupBy(gpus, ({ node }) => node);
  const byIndex = Map.groupBy(gpus, ({ labels }) => labels.gpu);
  state.roster = { tickMs: state.tickMs, byNode, byIndex };
  return state.roster;
}

/** Registers a GPU that was alive before the replayed history starts, so that its absence counts as down. */
export function rememberGpu(plan: Plan, state: FleetState, sighting: Sighting): void {
  const known = state.gpus.get(sighting.gpu);
  if (known !== undefined && known.lastSeenMs >= sighting.sampledAtMs) return;
  state.gpus.set(sighting.gpu, createRecord(plan, sighting, sighting.sampledAtMs));
}

/**
 * Judges one tick: updates `state` in place and returns what happened. Ticks must be consecutive (one that nobody can
 * judge is stepped with an observation without a heartbeat); throws RangeError when one is left out.
 */
export function stepFleet(plan: Plan, state: FleetState, observation: Observation): readonly FleetEvent[] {
  const events: FleetEvent[] = [];
  const { presence, intervalMs } = plan.policy;
  if (state.tickMs !== undefined && observation.atMs !== state.tickMs + intervalMs) {
    throw new RangeError(`tick ${observation.atMs} does not follow ${state.tickMs}`);
  }
  state.tickMs = observation.atMs;
  state.observer = stepObserver(presence, state.observer, observation);
  state.maintenance = observation.maintenance;
  judgeGpus(plan, state, observation, events);
  for (const capability of plan.capabilities) {
    state.totals.set(capability.name, sumTotals(plan, state.gpus.values(), capability));
  }
  stepGuardOnNodes(plan, state, events);
  for (const capability of plan.capabilities) stepEpisodes(plan, state, capability, events);
  return events;
}

function createRecord(plan: Plan, sighting: Sighting, atMs: number): GpuRecord {
  const tracks = plan.profiles.map(({ lengths }) => ({
    timeline: createTimeline(lengths),
    verdict: UNOBSERVED,
    sinceMs: atMs,
  }));
  const { gpu, node, target, labels } = sighting;
  return { gpu, node, target, labels, lastSeenMs: atMs, tracks };
}

function judgeGpus(plan: Plan, state: FleetState, observation: Observation, events: FleetEvent[]): void {
  const sightings = freshSightings(plan.policy.presence, observation);
  const isWatching = state.observer.watchingSinceMs !== undefined;
  if (isWatching) for (const sighting of sightings.values()) see(plan, state, sighting, observation.atMs);
  state.actions = stepActions(plan, state, observation);
  const checks = plan.profiles.map((profile) => bindChecks(profile, observation));
  const plannedFor = state.maintenance?.at(observation.atMs);
  for (const record of state.gpus.values()) {
    const isPlanned = plannedFor?.(record)?.kind === 'excluded';
    if (isPlanned) keepExpecting(plan, record, observation.atMs);
    if (observation.atMs - record.lastSeenMs > plan.policy.presence.rememberMs) {
      forget(plan, state, record, events);
      continue;
    }
    const presence = outcomeOf(plan, state, observation, record, sightings.has(record.gpu));
    const outcome = isPlanned ? MAINTENANCE : (quarantineVerdict(state.actions, record, presence) ?? presence);
    for (const [profile, track] of record.tracks.entries()) {
      recordTick(record, track, outcome ?? judgeChecks(checks[profile] ?? [], record.gpu), observation.atMs, events);
    }
  }
}

/** Planned absence ages no memory: a GPU that is not back afterwards is missed from then on. */
function keepExpecting({ policy }: Plan, record: GpuRecord, atMs: number): void {
  record.lastSeenMs = Math.min(atMs, record.lastSeenMs + policy.intervalMs);
}

function see(plan: Plan, state: FleetState, sighting: Sighting, atMs: number): void {
  const record = state.gpus.get(sighting.gpu);
  if (record === undefined) {
    state.gpus.set(sighting.gpu, createRecord(plan, sighting, atMs));
    return;
  }
  record.node = sighting.node;
  record.target = sighting.target;
  record.labels = sighting.labels;
  record.lastSeenMs = atMs;
}

function bindChecks(profile: Profile, observation: Observation): readonly BoundCheck[] {
  return profile.checks.map(({ check, query }) => ({ check, readings: observation.readings.get(query) }));
}

/** The verdict that presence alone decides, or undefined when the checks have to. */
function outcomeOf(
  plan: Plan,
  state: FleetState,
  observation: Observation,
  record: GpuRecord,
  isSeen: boolean,
): Verdict | undefined {
  if (state.observer.watchingSinceMs === undefined) return UNOBSERVED;
  if (isSeen && observation.targets.get(record.target) !== 0) return undefined;
  return absenceCounts(plan.policy.presence, state.observer, observation.atMs) ? DOWN : UNOBSERVED;
}

function recordTick(record: GpuRecord, track: Track, verdict: Verdict, atMs: number, events: FleetEvent[]): void {
  if (track.verdict.state !== verdict.state) {
    if (track === record.tracks[0])
      events.push({ kind: 'gpu_state', atMs, gpu: record.gpu, from: track.verdict, to: verdict });
    track.sinceMs = atMs;
  }
  track.verdict = verdict;
  pushTick(track.timeline, verdict.state);
}

function forget(plan: Plan, state: FleetState, record: GpuRecord, events: FleetEvent[]): void {
  state.gpus.delete(record.gpu);
  forgetEpisodes(plan, state, { level: 'gpu', id: record.gpu });
  events.push({ kind: 'gpu_forgotten', atMs: state.tickMs ?? 0, gpu: record.gpu });
}

function stepGuardOnNodes(plan: Plan, state: FleetState, events: FleetEvent[]): void {
  const capability = plan.capabilities[0];
  const nodes = [...(state.totals.get(capability.name)?.nodes ?? [])];
  const low = nodes.filter(([, counts]) => judgeWindows(plan, capability, counts) === 'low');
  const wasFrozen = state.guard.frozenSinceMs !== undefined;
  const atMs = state.tickMs ?? 0;
  const lowNodes = new Set(low.map(([node]) => node));
  state.guard = stepGuard(plan.policy.guard, state.guard, { atMs, lowNodes, knownNodes: nodes.length });
  const isFrozen = state.guard.frozenSinceMs !== undefined;
  if (isFrozen !== wasFrozen) events.push({ kind: 'guard', atMs, isFrozen });
}
