/** Delay episodes of every subject of a capability, stepped once per tick. */
import { type Episode, stepDelay } from './delay.ts';
import type { FleetEvent, FleetState } from './fleet.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { FLEET, type Subject, subjectKey } from './subject.ts';
import { gpuCounts, judgeWindows } from './totals.ts';
import type { WindowCounts } from './window.ts';

export interface RunningEpisode {
  readonly capability: string;
  readonly subject: Subject;
  readonly episode: Episode;
}

export function stepEpisodes(plan: Plan, state: FleetState, capability: PlannedCapability, events: FleetEvent[]): void {
  const totals = state.totals.get(capability.name);
  if (totals === undefined) return;
  const step = (subject: Subject, counts: readonly WindowCounts[]) => {
    stepSubject(plan, state, { capability, subject, counts }, events);
  };
  step(FLEET, totals.fleet);
  for (const [id, counts] of totals.nodes) step({ level: 'node', id }, counts);
  for (const record of state.gpus.values()) {
    if (capability.serves(record.labels)) step({ level: 'gpu', id: record.gpu }, gpuCounts(plan, capability, record));
  }
  dropVanishedNodes(state, capability);
}

/** Ends the episodes of a subject that no longer exists. */
export function forgetEpisodes(plan: Plan, state: FleetState, subject: Subject): void {
  for (const { name } of plan.capabilities) state.episodes.delete(subjectKey(name, subject));
}

interface Stepped {
  readonly capability: PlannedCapability;
  readonly subject: Subject;
  readonly counts: readonly WindowCounts[];
}

function stepSubject(
  plan: Plan,
  state: FleetState,
  { capability, subject, counts }: Stepped,
  events: FleetEvent[],
): void {
  const key = subjectKey(capability.name, subject);
  const before = state.episodes.get(key);
  const verdict = judgeWindows(plan, capability, counts);
  if (before === undefined && verdict !== 'low') return;
  const atMs = state.tickMs ?? 0;
  const isFrozen = state.guard.frozenSinceMs !== undefined;
  const episode = stepDelay(plan.policy.delay, before?.episode, { atMs, verdict, isFrozen });
  if (episode !== undefined) {
    const running = { capability: capability.name, subject, episode };
    state.episodes.set(key, running);
    if (episode.failures !== before?.episode.failures) events.push({ kind: 'delay', atMs, running });
  } else if (before !== undefined) {
    state.episodes.delete(key);
    events.push({ kind: 'recovered', atMs, was: before });
  }
}

/** A node whose last GPU moved away or was forgotten has no windows left to recover by. */
function dropVanishedNodes(state: FleetState, { name }: PlannedCapability): void {
  const nodes = state.totals.get(name)?.nodes;
  for (const [key, { capability, subject }] of state.episodes) {
    if (capability === name && subject.level === 'node' && nodes?.has(subject.id) !== true) state.episodes.delete(key);
  }
}
