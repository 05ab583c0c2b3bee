/** The whole answer: the decision, its reason, the evidence per window and per GPU, and when it would clear. */
import { blockedReason, placementNote } from './action-reason.ts';
import { type Basis, countsFor, decide, delayFigures, gpusOf, type Outcome, type Question } from './decision.ts';
import type { FleetState, GpuRecord } from './fleet.ts';
import { ticksToRecovery } from './forecast.ts';
import { isoSecond } from './instant.ts';
import { maintenanceLeft } from './maintained.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import { lowUptimeReason, verdictReason } from './reason.ts';
import { type Subject, subjectKey, subjectName } from './subject.ts';
import { TICK, tickStateName } from './tick.ts';
import { figuresOf } from './totals.ts';
import { type Status, statusOf, type WindowFigures } from './uptime.ts';

/** A GPU that is not up, and why. */
export interface Cause {
  readonly gpu: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly reason: string;
  readonly sinceMs: number;
}

export interface Explanation {
  readonly id: string;
  readonly outcome: Outcome;
  readonly status: Status;
  readonly reason: string;
  readonly multiplier: number;
  readonly delayMs: number;
  readonly figures: readonly WindowFigures[];
  /** GPUs that are not up at the newest tick, longest first, at most `MAX_CAUSES`. */
  readonly causes: readonly Cause[];
  /** GPUs that are not up, including those beyond `MAX_CAUSES`. */
  readonly affectedGpus: number;
  readonly gpus: number;
}

const MAX_CAUSES = 10;

/** Decides and explains. Costs a walk over the subject's windows; gates use `decide` alone. */
export function explain(plan: Plan, state: FleetState, question: Question): Explanation {
  const { capability, subject } = question;
  const outcome = decide(plan, state, question);
  const figures = figuresOf(plan, capability, countsFor(plan, state, capability, subject));
  const gpus = gpusOf(state, capability, subject);
  const causes = causesOf(capability, gpus);
  return {
    id: decisionId(plan, state, question, outcome.basis),
    outcome,
    status: statusOf(figures.map(({ verdict }) => verdict)),
    reason: withNote(question, outcome, reasonOf(plan, question, outcome.basis, figures)),
    ...delayFigures(plan, outcome.episode),
    figures,
    causes: causes.slice(0, MAX_CAUSES),
    affectedGpus: causes.length,
    gpus: gpus.length,
  };
}

/**
 * Tick from which on no window would be low any more if every tick from now on is up, and the recovery hold over;
 * undefined without an episode. Walks over every tick of every GPU, so whoever asks often keeps the answer for the tick.
 */
export function clearsAtIfHealthy(plan: Plan, state: FleetState, question: Question): number | undefined {
  const { capability, subject } = question;
  const episode = state.episodes.get(subjectKey(capability.name, subject))?.episode;
  if (episode === undefined || state.tickMs === undefined) return undefined;
  const { intervalMs, delay } = plan.policy;
  const gpus = gpusOf(state, capability, subject);
  const ticks = ticksToRecovery(plan, capability, gpus, maintenanceLeft(plan, state, gpus));
  const recoveredAtMs = ticks === 0 ? episode.recoveringSinceMs : undefined;
  return (recoveredAtMs ?? state.tickMs + Math.max(1, ticks) * intervalMs) + delay.recoveryHoldMs;
}

/** Names the inputs, not the request: equal ids are equal decisions, on every replica. */
export function decisionId(plan: Plan, state: FleetState, { capability, subject }: Question, basis: Basis): string {
  const tick = state.tickMs === undefined ? 'none' : state.tickMs / 1000;
  return `${plan.policy.revision}.${tick}.${capability.name}.${subjectPath(subject)}${outranked(basis)}`;
}

/** What outranks history is part of a decision's name. */
function outranked(basis: Basis): string {
  if (basis.kind === 'hold') return `.hold-${basis.hold.id}`;
  if (basis.kind === 'preempted' || basis.kind === 'quarantined') {
    const governing = basis.placement.alerts.find(({ action }) => action === basis.placement.action);
    return `.${basis.kind}-${encodeURIComponent(governing?.alert ?? '')}`;
  }
  return basis.kind === 'stale' || basis.kind === 'maintenance' ? `.${basis.kind}` : '';
}

function subjectPath(subject: Subject): string {
  return subject.level === 'fleet' ? 'fleet' : `${subject.level}.${encodeURIComponent(subject.id)}`;
}

function causesOf({ profile }: PlannedCapability, gpus: readonly GpuRecord[]): readonly Cause[] {
  return gpus.flatMap((gpu) => causeOf(gpu, profile) ?? []).sort((a, b) => a.sinceMs - b.sinceMs);
}

function causeOf({ gpu, node, labels, tracks }: GpuRecord, profile: number): Cause | undefined {
  const track = tracks[profile];
  if (track === undefined || track.verdict.state === TICK.up) return undefined;
  const reason = verdictReason(track.verdict) ?? '';
  return { gpu, node, labels, state: tickStateName(track.verdict.state), reason, sinceMs: track.sinceMs };
}

/** A subject that may process hears what alerts ask of it; one that may not hears why. */
function withNote({ subject }: Question, { canProcess, basis, placement }: Outcome, reason: string): string {
  const isJudged = canProcess && basis.kind !== 'hold' && basis.kind !== 'stale';
  const note = isJudged && placement !== undefined ? placementNote(subject, placement) : undefined;
  return note === undefined ? reason : `${reason}; ${note}`;
}

function reasonOf(plan: Plan, { name, subject }: Question, basis: Basis, figures: readonly WindowFigures[]): string {
  if (basis.kind === 'not_served') return `No GPU of ${subjectName(subject)} may serve ${name}`;
  if (basis.kind === 'hold') return `Held by ${basis.hold.owner}: ${basis.hold.reason}`;
  if (basis.kind === 'stale') return staleReason(plan, basis.ageMs);
  if (basis.kind === 'maintenance') return `In planned maintenance until ${isoSecond(basis.untilMs)}`;
  if (basis.kind === 'preempted' || basis.kind === 'quarantined') return blockedReason(subject, basis.placement);
  const isLow = figures.some(({ verdict }) => verdict === 'low');
  if (basis.kind === 'frozen')
    return `${lowUptimeReason(figures)}; not delayed: most nodes turned low together, so the observer is suspected`;
  if (isLow) return lowUptimeReason(figures);
  if (basis.kind === 'clear') return clearReason(plan, figures);
  return 'Low uptime detected earlier; too little has been observed since to call it recovered';
}

function clearReason(plan: Plan, figures: readonly WindowFigures[]): string {
  if (figures.some(({ verdict }) => verdict === 'met')) return 'Every window with enough data meets its threshold';
  const share = Math.round(plan.policy.minCoverage * 100);
  const best = Math.max(0, ...figures.map(({ coverage }) => coverage));
  return `Not enough data yet: no window has ${share}% of its ticks observed, the best has ${Math.floor(best * 100)}%`;
}

function staleReason(plan: Plan, ageMs: number | undefined): string {
  const { onStale, maxStalenessMs } = plan.policy.stale;
  const age =
    ageMs === undefined ? 'No tick has been judged yet' : `The newest judged tick is ${Math.round(ageMs / 1000)} s old`;
  return `${age} (limit ${maxStalenessMs / 1000} s); on_stale: ${onStale}`;
}
