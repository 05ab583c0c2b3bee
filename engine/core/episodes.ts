/** Delay episodes of every subject of a capability, stepped once per tick. */
import { type Episode, stepDelay } from './delay.ts';
import type { FleetEvent, FleetState } from './fleet.ts';
import { maintainedSubjects } from './maintained.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { FLEET, type Subject, subjectKey } from './subject.ts';
import { gpuCounts, judgeWindows } from './totals.ts';
import type { WindowVerdict } from './uptime.ts';
import type { WindowCounts } from './window.ts';

export interface RunningEpisode {
  readonly capability: string;
  readonly subject: Subject;
  readonly episode: Episode;
}

export function stepEpisodes(plan: Plan, state: FleetState, capability: PlannedCapability, events: FleetEvent[]): void {
  const totals = state.totals.get(capability.name);
  if (totals === undefined) return;
  const isMaintained = maintainedSubjects(state, capability);
  const step = (subject: Subject, counts: readonly WindowCounts[]) => {
    // Without a verdict an episode neither starts, nor escalates, nor is forgiven.
    const verdict = isMaintained(subject) ? 'unknown' : judgeWindows(plan, capability, counts);
    stepSubject(plan, state, { capability, subject, verdict }, events);
  };
  dropUnserved(state, capability);
  if (totals.gpus > 0) step(FLEET, totals.fleet);
  for (const [id, counts] of totals.nodes) step({ level: 'node', id }, counts);
  for (const record of state.gpus.values()) {
    if (capability.serves(record)) step({ level: 'gpu', id: record.gpu }, gpuCounts(plan, capability, record));
  }
}

/** Ends the episodes of a subject that no longer exists. */
export function forgetEpisodes(plan: Plan, state: FleetState, subject: Subject): void {
  for (const { name } of plan.capabilities) state.episodes.delete(subjectKey(name, subject));
}

interface Stepped {
  readonly capability: PlannedCapability;
  readonly subject: Subject;
  readonly verdict: WindowVerdict;
}

function stepSubject(
  plan: Plan,
  state: FleetState,
  { capability, subject, verdict }: Stepped,
  events: FleetEvent[],
): void {
  const key = subjectKey(capability.name, subject);
  const before = state.episodes.get(key);
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

/** Ends the episodes of subjects that no longer serve the capability: they have no windows left to recover by. */
function dropUnserved(state: FleetState, capability: PlannedCapability): void {
  for (const [key, { capability: name, subject }] of state.episodes) {
    if (name === capability.name && !isServed(state, capability, subject)) state.episodes.delete(key);
  }
}

/** Whether any GPU of the subject may serve the capability, as of the newest totals. */
export function isServed(state: FleetState, capability: PlannedCapability, subject: Subject): boolean {
  const totals = state.totals.get(capability.name);
  if (subject.level === 'fleet') return (totals?.gpus ?? 0) > 0;
  if (subject.level === 'node') return totals?.nodes.has(subject.id) ?? false;
  const record = state.gpus.get(subject.id);
  return record !== undefined && capability.serves(record);
}
