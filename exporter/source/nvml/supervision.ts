/**
 * When the driver process may start, and which GPUs it leaves alone: a fold over what happened to the processes. One wedged card
 * costs its own readings; the others go on in a new process at once, and the card is tried again alone, ever more rarely.
 */

import { idleStep, type Touching } from './protocol.ts';

type LossKind = 'wedged' | 'crashed';
type RestartReason = LossKind | 'driver_reloaded';

export interface SupervisionPolicy {
  /** How long a GPU is left out after it has cost a process; doubled each time, up to the longest. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** A GPU that has answered for this long starts with the first pause again. */
  readonly forgiveMs: number;
  /** How long to wait before the next process when the driver as a whole does not answer; doubled each time. */
  readonly firstRestartMs: number;
  readonly longestRestartMs: number;
  /** The longest wait while a process that cannot be killed is still there: another would most likely join it. */
  readonly longestStuckRestartMs: number;
  /** No process starts while so many killed ones have not ended. */
  readonly maxEnding: number;
}

/** A GPU that a process was lost on. */
export interface Suspect {
  readonly how: LossKind;
  /** What was being read of it. */
  readonly step: string;
  readonly times: number;
  readonly retryAtMs: number;
  /** The process that was lost on it. While that one is stuck, so is the driver call: trying again would only lose another. */
  readonly process: number;
  /** Since when it answers again; undefined while it is left out. */
  readonly answersSinceMs: number | undefined;
}

/** Why the driver as a whole is not asked at the moment. */
interface Outage {
  readonly message: string;
  readonly times: number;
  readonly retryAtMs: number;
}

export interface SupervisionState {
  /** By the reader's name of the GPU. */
  readonly suspects: Readonly<Record<string, Suspect>>;
  readonly outage: Outage | undefined;
  /** Processes that were killed and have not ended, by number; true for those that are no longer waited for. */
  readonly ending: Readonly<Record<number, boolean>>;
  readonly restarts: Readonly<Record<RestartReason, number>>;
}

export type SupervisionEvent =
  /** A round over all GPUs but those left out came back. */
  | { readonly kind: 'answered'; readonly atMs: number }
  /** A GPU that was left out has been read. */
  | { readonly kind: 'recovered'; readonly atMs: number; readonly gpu: string }
  /** A process was lost in a driver call: a wedged one was killed, a crashed one has ended. */
  | ({ readonly kind: 'lost'; readonly atMs: number } & Loss)
  /** The driver said that it cannot be used; the process was killed, the next one starts afresh. */
  | ({ readonly kind: 'unavailable'; readonly atMs: number } & Refusal)
  | { readonly kind: 'ended' | 'overdue'; readonly process: number };

interface Loss {
  readonly process: number;
  readonly how: LossKind;
  readonly touching: Touching;
  readonly message: string;
  /** Whether this process had read GPUs before. */
  readonly hadAnswered: boolean;
}

interface Refusal {
  readonly process: number;
  readonly message: string;
  /** Whether this process had read GPUs before: then the driver was reloaded or replaced under it. */
  readonly hadAnswered: boolean;
}

export const initialSupervision: SupervisionState = {
  suspects: {},
  outage: undefined,
  ending: {},
  restarts: { wedged: 0, crashed: 0, driver_reloaded: 0 },
};

/** The state after one more event. Times are milliseconds on one clock. */
export function step(policy: SupervisionPolicy, state: SupervisionState, event: SupervisionEvent): SupervisionState {
  switch (event.kind) {
    case 'answered':
      return { ...state, outage: undefined, suspects: withoutForgiven(policy, state.suspects, event.atMs) };
    case 'recovered':
      return { ...state, suspects: cleared(state.suspects, event.gpu, event.atMs) };
    case 'lost':
      return afterLoss(policy, state, event);
    case 'unavailable':
      return afterRefusal(policy, state, event);
    case 'ended':
      return { ...state, ending: without(state.ending, event.process) };
    case 'overdue':
      return afterOverdue(state, event.process);
  }
}

/** GPUs that must not be touched in a round, and why. */
export function suspectsLeftOut({ suspects }: SupervisionState): readonly (readonly [string, Suspect])[] {
  return Object.entries(suspects).filter(([, { answersSinceMs }]) => answersSinceMs === undefined);
}

/** Their names alone. */
export function leftOut(state: SupervisionState): readonly string[] {
  return suspectsLeftOut(state).map(([gpu]) => gpu);
}

/** The GPU that has waited longest past its pause; undefined when none is due. */
export function dueForRetry(state: SupervisionState, atMs: number): string | undefined {
  const due = suspectsLeftOut(state).filter(([, suspect]) => suspect.retryAtMs <= atMs && !isHeld(state, suspect));
  return due.sort(([, a], [, b]) => a.retryAtMs - b.retryAtMs)[0]?.[0];
}

/** How many processes are left behind because they cannot be killed. */
export function abandonedProcesses({ ending }: SupervisionState): number {
  return Object.values(ending).filter((isAbandoned) => isAbandoned).length;
}

/** Undefined when a process may start now, else why not. */
export function whyNoStart(policy: SupervisionPolicy, state: SupervisionState, atMs: number): string | undefined {
  const stuck = Object.keys(state.ending).length;
  if (stuck >= policy.maxEnding) return tooManyStuck(stuck);
  return state.outage !== undefined && atMs < state.outage.retryAtMs ? state.outage.message : undefined;
}

function tooManyStuck(stuck: number): string {
  return `${stuck} driver processes are stuck in the driver and cannot be killed, and no more are started: reset the GPUs or reboot the machine.`;
}

function afterLoss(policy: SupervisionPolicy, state: SupervisionState, event: Loss & { atMs: number }) {
  const counted = countRestart(withEnding(state, event), event.how);
  const { gpu } = event.touching;
  if (gpu === undefined) return mayGoOn(event) ? counted : withOutage(policy, counted, event);
  const known = counted.suspects[gpu];
  const suspect = suspectAfter(policy, known, event);
  const suspected = { ...counted, suspects: { ...counted.suspects, [gpu]: suspect } };
  // A GPU that is left out and was touched all the same would cost one process after the other without a pause.
  const wasTouchedEarly = known !== undefined && known.answersSinceMs === undefined && event.atMs < known.retryAtMs;
  return wasTouchedEarly ? withOutage(policy, suspected, event) : suspected;
}

// A process that did its work and was ended or stopped by something else: the next one has no reason to wait.
function mayGoOn({ how, hadAnswered, touching }: Loss): boolean {
  return hadAnswered && (how === 'crashed' || touching.step === idleStep);
}

function suspectAfter(
  policy: SupervisionPolicy,
  known: Suspect | undefined,
  { atMs, how, touching, process }: Loss & { atMs: number },
): Suspect {
  const times = (known?.times ?? 0) + 1;
  const retryAtMs = atMs + pauseAfter(times, policy.firstRetryMs, policy.longestRetryMs);
  return { how, step: touching.step, times, retryAtMs, process, answersSinceMs: undefined };
}

function afterRefusal(policy: SupervisionPolicy, state: SupervisionState, event: Refusal & { atMs: number }) {
  const ending = { ...state, ending: { ...state.ending, [event.process]: false } };
  return withOutage(policy, event.hadAnswered ? countRestart(ending, 'driver_reloaded') : ending, event);
}

function afterOverdue(state: SupervisionState, process: number): SupervisionState {
  if (state.ending[process] !== false) return state;
  return { ...state, ending: { ...state.ending, [process]: true } };
}

function withEnding(state: SupervisionState, { how, process }: Loss): SupervisionState {
  return how === 'wedged' ? { ...state, ending: { ...state.ending, [process]: false } } : state;
}

function withOutage(
  policy: SupervisionPolicy,
  state: SupervisionState,
  { atMs, message }: { readonly atMs: number; readonly message: string },
): SupervisionState {
  const times = (state.outage?.times ?? 0) + 1;
  const longest = abandonedProcesses(state) > 0 ? policy.longestStuckRestartMs : policy.longestRestartMs;
  const retryAtMs = atMs + pauseAfter(times, policy.firstRestartMs, longest);
  return { ...state, outage: { message, times, retryAtMs } };
}

function countRestart(state: SupervisionState, reason: RestartReason): SupervisionState {
  return { ...state, restarts: { ...state.restarts, [reason]: state.restarts[reason] + 1 } };
}

function pauseAfter(times: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** (times - 1));
}

function isHeld({ ending }: SupervisionState, { process }: Suspect): boolean {
  return ending[process] !== undefined;
}

type Suspects = SupervisionState['suspects'];

function cleared(suspects: Suspects, gpu: string, atMs: number): Suspects {
  const suspect = suspects[gpu];
  return suspect === undefined ? suspects : { ...suspects, [gpu]: { ...suspect, answersSinceMs: atMs } };
}

function withoutForgiven({ forgiveMs }: SupervisionPolicy, suspects: Suspects, atMs: number): Suspects {
  const isForgiven = ({ answersSinceMs }: Suspect) =>
    answersSinceMs !== undefined && atMs - answersSinceMs >= forgiveMs;
  return Object.fromEntries(Object.entries(suspects).filter(([, suspect]) => !isForgiven(suspect)));
}

function without<T>(record: Readonly<Record<number, T>>, key: number): Readonly<Record<number, T>> {
  const { [key]: _gone, ...rest } = record;
  return rest;
}
