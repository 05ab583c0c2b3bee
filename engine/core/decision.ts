/** A decision: may this subject process this capability now, and if not, when? Reads state, never changes it. */
import type { Action } from './action.ts';
import type { ActionBook } from './action-book.ts';
import { delayedUntilMs, delayMsOf, type Episode, multiplierOf } from './delay.ts';
import { isServed } from './episodes.ts';
import { type FleetState, type GpuRecord, rosterOf } from './fleet.ts';
import { governingHold, type Hold, type Lineage } from './hold.ts';
import { maintainedUntilMs } from './maintained.ts';
import { type BlockedPlacement, isBlocked, type Placement, placementOf } from './placement.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { type Subject, subjectKey } from './subject.ts';
import { latestSettledTick } from './tick.ts';
import { gpuCounts, judgeWindows } from './totals.ts';
import type { WindowCounts } from './window.ts';

/** What a decision rests on. */
export type Basis =
  | { readonly kind: 'clear' }
  | { readonly kind: 'delayed'; readonly episode: Episode; readonly untilMs: number }
  | { readonly kind: 'delay_over'; readonly episode: Episode }
  | { readonly kind: 'frozen' }
  | { readonly kind: 'preempted' | 'quarantined'; readonly placement: BlockedPlacement }
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'maintenance'; readonly untilMs: number }
  | { readonly kind: 'stale'; readonly ageMs: number | undefined }
  | { readonly kind: 'not_served' };

export interface Outcome {
  readonly canProcess: boolean;
  /** Milliseconds until asking again makes sense; 0 when it may process now. */
  readonly waitMs: number;
  readonly basis: Basis;
  /** Present while an episode runs, also when a hold or staleness outranks it. */
  readonly episode: Episode | undefined;
  /** What firing alerts make of the subject's GPUs; undefined when none concerns it. */
  readonly placement: Placement | undefined;
  /** What schedulers are asked to do; undefined where nothing is asked, or a hold or staleness outranks it. */
  readonly action: Action | undefined;
  /** Age of the newest judged tick; undefined before the first. */
  readonly dataAgeMs: number | undefined;
  readonly isStale: boolean;
}

export interface Question {
  /** The capability as asked for; answers repeat it. */
  readonly name: string;
  /** The capability that answers: `default` for names the policy does not list. */
  readonly capability: PlannedCapability;
  readonly subject: Subject;
  readonly nowMs: number;
  readonly holds: readonly Hold[];
  /** Actions of the newest tick together with those of alerts that have fired since; the tick's own when absent. */
  readonly actions?: ActionBook;
}

/** Decides from the newest judged tick. Holds outrank maintenance, which outranks staleness, staleness outranks actions, and actions outrank delays. */
export function decide(plan: Plan, state: FleetState, question: Question): Outcome {
  const { capability, subject, nowMs, holds } = question;
  const age = ageOf(plan, state, nowMs);
  const episode = state.episodes.get(subjectKey(capability.name, subject))?.episode;
  const placement = placementOf(state, question.actions ?? state.actions, capability, subject);
  const evidence = { episode, placement, ...age };
  const names = [question.name, capability.name];
  const hold = holds.length === 0 ? undefined : governingHold(holds, names, lineageOf(state, subject), nowMs);
  if (hold !== undefined) return { ...byHold(hold, nowMs), action: undefined, ...evidence };
  const closed = byMaintenance(plan, state, question);
  if (closed !== undefined) return { ...closed, action: undefined, ...evidence };
  if (isTooOld(plan, age.dataAgeMs)) return { ...byStaleness(plan, age.dataAgeMs), action: undefined, ...evidence };
  return { ...byState(plan, state, question, evidence), action: placement?.action, ...evidence };
}

interface Age {
  readonly dataAgeMs: number | undefined;
  readonly isStale: boolean;
}

/** Data is stale once two ticks in a row could not be judged in time. */
function ageOf(plan: Plan, state: FleetState, nowMs: number): Age {
  if (state.tickMs === undefined) return { dataAgeMs: undefined, isStale: true };
  const dataAgeMs = Math.max(0, nowMs - state.tickMs);
  const { intervalMs, settleMs } = plan.policy;
  return { dataAgeMs, isStale: dataAgeMs > 3 * intervalMs + settleMs };
}

/** Beyond `max_staleness`, `on_stale: last` keeps answering from the newest judged tick. */
function isTooOld(plan: Plan, dataAgeMs: number | undefined): boolean {
  if (dataAgeMs === undefined) return true;
  return dataAgeMs > plan.policy.stale.maxStalenessMs && plan.policy.stale.onStale !== 'last';
}

type Evidence = Pick<Outcome, 'episode' | 'placement'>;

type Ruling = Pick<Outcome, 'canProcess' | 'waitMs' | 'basis'>;

function byHold(hold: Hold, nowMs: number): Ruling {
  const canProcess = hold.effect === 'allow';
  return { canProcess, waitMs: canProcess ? 0 : hold.expiresAtMs - nowMs, basis: { kind: 'hold', hold } };
}

/** Planned to be away until then, whatever was seen lately; only where the policy keeps gateways out. */
function byMaintenance(plan: Plan, state: FleetState, { capability, subject, nowMs }: Question): Ruling | undefined {
  if (plan.policy.maintenance?.gate !== 'deny') return undefined;
  const untilMs = maintainedUntilMs(state, gpusOf(state, capability, subject), nowMs);
  if (untilMs === undefined) return undefined;
  return { canProcess: false, waitMs: untilMs - nowMs, basis: { kind: 'maintenance', untilMs } };
}

function byStaleness(plan: Plan, ageMs: number | undefined): Ruling {
  const canProcess = plan.policy.stale.onStale !== 'deny';
  return { canProcess, waitMs: canProcess ? 0 : plan.policy.intervalMs, basis: { kind: 'stale', ageMs } };
}

/** A capability that none of the subject's GPUs may serve will not become possible by waiting for uptime. */
const NOT_SERVED: Ruling = { canProcess: false, waitMs: 60_000, basis: { kind: 'not_served' } };

function byState(plan: Plan, state: FleetState, question: Question, evidence: Evidence): Ruling {
  // Before any GPU is known, nothing is known of what they serve either.
  if (state.gpus.size > 0 && !isServed(state, question.capability, question.subject)) return NOT_SERVED;
  const delay = byDelay(plan, state, question, evidence.episode);
  const { placement } = evidence;
  return isBlocked(placement) ? byAction(plan, { nowMs: question.nowMs, placement, delay }) : delay;
}

interface Blocked {
  readonly nowMs: number;
  readonly placement: BlockedPlacement;
  /** What would be decided without the action. */
  readonly delay: Ruling;
}

/** Nobody knows when an alert ends, so asking again makes sense when the next tick has been judged, or the delay is over. */
function byAction({ policy }: Plan, { nowMs, placement, delay }: Blocked): Ruling {
  const { intervalMs, settleMs } = policy;
  const judgedAtMs = latestSettledTick(nowMs, intervalMs, settleMs) + intervalMs + settleMs;
  const waitMs = Math.max(1000, judgedAtMs - nowMs, delay.waitMs);
  const kind = placement.action === 'quarantine' ? 'quarantined' : 'preempted';
  return { canProcess: false, waitMs, basis: { kind, placement } };
}

function byDelay(plan: Plan, state: FleetState, question: Question, episode: Episode | undefined): Ruling {
  if (episode === undefined) return allowedWithoutEpisode(plan, state, question);
  const untilMs = delayedUntilMs(plan.policy.delay, episode);
  if (question.nowMs < untilMs) {
    return { canProcess: false, waitMs: untilMs - question.nowMs, basis: { kind: 'delayed', episode, untilMs } };
  }
  return afterDelay(plan, state, question, episode);
}

function allowedWithoutEpisode(plan: Plan, state: FleetState, question: Question): Ruling {
  const isFrozen = state.guard.frozenSinceMs !== undefined && isLow(plan, state, question);
  return { canProcess: true, waitMs: 0, basis: { kind: isFrozen ? 'frozen' : 'clear' } };
}

/**
 * The delay has run out. While uptime is still low the next failure starts at the next tick, so the gate stays shut
 * until that tick is judged; without evidence, in maintenance, or while the guard is frozen, it opens.
 */
function afterDelay(plan: Plan, state: FleetState, question: Question, episode: Episode): Ruling {
  const basis = { kind: 'delay_over', episode } as const;
  const isFrozen = state.guard.frozenSinceMs !== undefined || isMaintained(state, question);
  if (isFrozen || !isLow(plan, state, question)) return { canProcess: true, waitMs: 0, basis };
  const { intervalMs, settleMs } = plan.policy;
  const judgedAtMs = (state.tickMs ?? question.nowMs) + intervalMs + settleMs;
  return { canProcess: false, waitMs: Math.max(1000, judgedAtMs - question.nowMs), basis };
}

function isMaintained(state: FleetState, { capability, subject, nowMs }: Question): boolean {
  return maintainedUntilMs(state, gpusOf(state, capability, subject), state.tickMs ?? nowMs) !== undefined;
}

function isLow(plan: Plan, state: FleetState, { capability, subject }: Question): boolean {
  return judgeWindows(plan, capability, countsFor(plan, state, capability, subject)) === 'low';
}

/** Window counts of a subject under a capability; empty when the subject does not serve it. */
export function countsFor(
  plan: Plan,
  state: FleetState,
  capability: PlannedCapability,
  subject: Subject,
): readonly WindowCounts[] {
  const totals = state.totals.get(capability.name);
  if (subject.level === 'fleet') return totals?.fleet ?? [];
  if (subject.level === 'node') return totals?.nodes.get(subject.id) ?? [];
  const record = state.gpus.get(subject.id);
  return record !== undefined && capability.serves(record) ? gpuCounts(plan, capability, record) : [];
}

/** The GPUs a subject consists of, as far as they serve the capability. */
export function gpusOf(state: FleetState, capability: PlannedCapability, subject: Subject): readonly GpuRecord[] {
  return gpusUnder(state, subject).filter((gpu) => capability.serves(gpu));
}

function gpusUnder(state: FleetState, subject: Subject): readonly GpuRecord[] {
  if (subject.level === 'fleet') return [...state.gpus.values()];
  if (subject.level === 'node') return rosterOf(state).byNode.get(subject.id) ?? [];
  const record = state.gpus.get(subject.id);
  return record === undefined ? [] : [record];
}

function lineageOf(state: FleetState, subject: Subject): Lineage {
  if (subject.level === 'fleet') return {};
  if (subject.level === 'node') return { node: subject.id };
  const node = state.gpus.get(subject.id)?.node;
  return node === undefined ? { gpu: subject.id } : { gpu: subject.id, node };
}

/** Multiplier and length of an episode's current delay; zeros when there is none. */
export function delayFigures(plan: Plan, episode: Episode | undefined): { multiplier: number; delayMs: number } {
  if (episode === undefined) return { multiplier: 0, delayMs: 0 };
  const { delay } = plan.policy;
  return { multiplier: multiplierOf(delay, episode.failures), delayMs: delayMsOf(delay, episode.failures) };
}
