/** What firing alerts make of a subject's GPUs: how many may take work, and why not the others. */
import { type Action, isBlocking, rankOf } from './action.ts';
import { type ActionBook, actionOn, type BookedAction, byWeight } from './action-book.ts';
import { type FleetState, type GpuRecord, rosterOf } from './fleet.ts';
import type { PlannedCapability } from './plan.ts';
import { type Subject, subjectKey } from './subject.ts';

export interface Placement {
  /** GPUs of the subject that serve the capability, and how many of them each action governs. */
  readonly gpus: number;
  readonly throttled: number;
  readonly preempted: number;
  readonly quarantined: number;
  /** The mildest over the GPUs, since work needs only one of them: undefined when one of them is free of actions. */
  readonly action: Action | undefined;
  /** Alerts about the subject: those in effect first, then the strictest, then the oldest. */
  readonly alerts: readonly BookedAction[];
}

/** Undefined when no alert with an action concerns the subject. Costs its GPUs once per book, then a look-up. */
export function placementOf(
  state: FleetState,
  book: ActionBook,
  capability: PlannedCapability,
  subject: Subject,
): Placement | undefined {
  if (book.all.length === 0 || !isTouched(state, book, subject)) return undefined;
  const key = subjectKey(capability.name, subject);
  const known = book.placements.get(key);
  if (known !== undefined) return known;
  const placement = assess(state, book, capability, subject);
  book.placements.set(key, placement);
  return placement;
}

function isTouched(state: FleetState, { touchedNodes }: ActionBook, subject: Subject): boolean {
  if (subject.level === 'fleet') return true;
  if (subject.level === 'node') return touchedNodes.has(subject.id);
  const record = state.gpus.get(subject.id);
  return record !== undefined && touchedNodes.has(record.node);
}

/** GPUs beyond those of touched nodes are free of actions, so only their number matters. */
function assess(state: FleetState, book: ActionBook, capability: PlannedCapability, subject: Subject): Placement {
  const touched = touchedGpus(state, book, subject).filter((gpu) => capability.serves(gpu));
  const actions = touched.map((gpu) => actionOn(book, gpu));
  const gpus = subject.level === 'fleet' ? (state.totals.get(capability.name)?.gpus ?? 0) : touched.length;
  const count = (wanted: Action) => actions.filter((action) => action === wanted).length;
  return {
    gpus,
    throttled: count('throttle'),
    preempted: count('preempt'),
    quarantined: count('quarantine'),
    action: gpus > touched.length ? undefined : mildest(actions),
    alerts: alertsAbout(book, subject, touched),
  };
}

function touchedGpus(state: FleetState, { touchedNodes }: ActionBook, subject: Subject): readonly GpuRecord[] {
  if (subject.level === 'gpu') return [state.gpus.get(subject.id) ?? []].flat();
  const { byNode } = rosterOf(state);
  if (subject.level === 'node') return byNode.get(subject.id) ?? [];
  return [...touchedNodes].flatMap((node) => byNode.get(node) ?? []);
}

function mildest(actions: readonly (Action | undefined)[]): Action | undefined {
  return actions.reduce((a, b) => (rankOf(b) < rankOf(a) ? b : a), actions[0]);
}

/** The fleet also shows alerts about GPUs and nodes that nobody knows. */
function alertsAbout(book: ActionBook, subject: Subject, gpus: readonly GpuRecord[]): readonly BookedAction[] {
  const nodes = new Set(gpus.map(({ node }) => node));
  const about = [
    ...gpus.flatMap(({ gpu }) => book.byGpu.get(gpu) ?? []),
    ...[...nodes].flatMap((node) => book.byNode.get(node) ?? []),
  ];
  if (subject.level === 'fleet') about.push(...book.all.filter(({ isKnown }) => !isKnown));
  return about.sort(byWeight);
}

export type BlockedPlacement = Placement & { readonly action: 'preempt' | 'quarantine' };

/** Whether alerts keep work from every GPU of the subject. */
export function isBlocked(placement: Placement | undefined): placement is BlockedPlacement {
  return placement !== undefined && isBlocking(placement.action);
}
