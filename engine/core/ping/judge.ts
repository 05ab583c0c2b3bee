/** What a reply amounts to: nothing yet, or an outcome with its effect and its reason. */
import type { Effect } from './escalation.ts';
import { uptimeAtBest, wasSeen, weighEvidence } from './evidence.ts';
import type { AgentAnswer, PingEvidence, PingOutcome, PingReply, Sighting } from './outcome.ts';
import type { PingPolicy } from './policy.ts';
import {
  durationText,
  excerpt,
  type Failing,
  failureReason,
  outageReason,
  unknownReason,
  unseenReason,
  uptimeReason,
} from './reason.ts';
import type { PingState } from './state.ts';

/** One attempt, as whoever made it saw it. */
export interface PingObservation {
  readonly agentId: string;
  /** When the attempt began and when its result was known, by the engine's clock. */
  readonly atMs: number;
  readonly endedAtMs: number;
  readonly reply: PingReply;
  /** What Prometheus saw of the span of this ping (`spanOf`); undefined when it was not asked or could not say. */
  readonly observed: Sighting | undefined;
  /** The engine doubts itself (`isSuspect`), or was suspended while it waited: a failure says nothing of the agent. */
  readonly isSuspect: boolean;
  /** For how much of the span the engine itself was away (`outageMsIn`). */
  readonly outageMs: number;
}

export type Verdict =
  /** To be confirmed: ask again at `retryAtMs`. */
  | { readonly kind: 'failing'; readonly reason: string; readonly retryAtMs: number }
  | {
      readonly kind: 'decided';
      readonly outcome: PingOutcome;
      readonly effect: Effect;
      readonly reason: string;
      readonly evidence: PingEvidence | undefined;
      /** The uptime that was judged. */
      readonly uptime: number | undefined;
      /** A restarted agent was let off, which it is not again for a while. */
      readonly isGrace: boolean;
    };

type Decision = Extract<Verdict, { readonly kind: 'decided' }>;

/** The span that the next ping is about: what Prometheus has to be asked for. Undefined while there is nothing to judge. */
export function spanOf(
  { firstPingGracePeriod }: PingPolicy,
  { spanFromMs, sinceMs }: PingState,
  atMs: number,
): { readonly fromMs: number; readonly toMs: number } | undefined {
  const fromMs = spanFromMs ?? (firstPingGracePeriod ? undefined : sinceMs);
  return fromMs === undefined || fromMs >= atMs ? undefined : { fromMs, toMs: atMs };
}

/** Judges one attempt. Failures are confirmed first; only evidence escalates. */
export function judgePing(policy: PingPolicy, state: PingState, observation: PingObservation): Verdict {
  const { reply } = observation;
  if (reply.kind === 'answered') return judgeAnswer(policy, state, observation, reply.answer);
  if (reply.kind === 'forbidden') return decided('unobserved', 'keeps', `not asked: ${excerpt(reply.reason)}`);
  return judgeFailure(policy, state, observation, reply);
}

function decided(outcome: PingOutcome, effect: Effect, reason: string, more: Partial<Decision> = {}): Decision {
  return { kind: 'decided', outcome, effect, reason, evidence: undefined, uptime: undefined, isGrace: false, ...more };
}

/** The very first ping has no span, and costs nothing whatever it finds. */
function isFree({ firstPingGracePeriod }: PingPolicy, { pings }: PingState): boolean {
  return firstPingGracePeriod && pings === 0;
}

function judgeFailure(
  policy: PingPolicy,
  state: PingState,
  observation: PingObservation,
  reply: Failing['reply'],
): Verdict {
  const { atMs, endedAtMs, isSuspect } = observation;
  const sinceMs = state.failingSinceMs ?? atMs;
  const reason = failureReason({ reply, asked: state.attempts + 1, sinceMs, atMs });
  if (isSuspect) return decided('unobserved', 'keeps', `${reason}; the engine suspects itself, so it does not count`);
  const waitMs = policy.confirmMs[state.attempts];
  if (waitMs !== undefined) {
    const retryAtMs = endedAtMs + Math.max(waitMs, retryAfterMs(policy, reply));
    return { kind: 'failing', reason, retryAtMs };
  }
  return decided(reply.kind, isFree(policy, state) ? 'keeps' : 'escalates', reason);
}

function retryAfterMs({ maxRetryAfterMs }: PingPolicy, reply: Failing['reply']): number {
  return reply.kind === 'refused' ? Math.min(reply.retryAfterMs ?? 0, maxRetryAfterMs) : 0;
}

function judgeAnswer(
  policy: PingPolicy,
  state: PingState,
  observation: PingObservation,
  answer: AgentAnswer,
): Decision {
  const span = spanOf(policy, state, observation.atMs);
  if (span === undefined) return judgeExistence(policy, state, answer);
  const answered = { observation, answer, evidence: { ...sidesOf(observation, answer), ...span } };
  return answer.isGpuAvailable === false ? judgeAbsence(policy, state, answered) : judgeSpan(policy, state, answered);
}

function sidesOf({ observed }: PingObservation, { claimed }: AgentAnswer) {
  return { claimed, observed: observed && { uptime: observed.uptime, coverage: observed.coverage } };
}

function judgeExistence(policy: PingPolicy, state: PingState, { isGpuAvailable, reason }: AgentAnswer): Decision {
  if (isGpuAvailable) return decided('good', 'keeps', 'first answer: the GPU is there');
  if (isGpuAvailable === false) {
    return decided('no_gpu', isFree(policy, state) ? 'keeps' : 'escalates', `no GPU: ${excerpt(reason ?? '')}`);
  }
  return decided('unobserved', 'keeps', `the agent cannot say whether there is a GPU: ${excerpt(reason ?? '')}`);
}

interface Answered {
  readonly observation: PingObservation;
  readonly answer: AgentAnswer;
  readonly evidence: PingEvidence;
}

/**
 * There is no GPU at the instant of the ping, which is one look at it: whether that costs anything is up to the uptime of the
 * whole span, or one bad read would cost as much as an outage. Unknown is as good as low here, because the agent admits it.
 */
function judgeAbsence(policy: PingPolicy, state: PingState, answered: Answered): Decision {
  const { evidence, observation, answer } = answered;
  const { outageMs } = observation;
  const said = excerpt(answer.reason ?? '');
  const { uptime } = weighEvidence(policy, evidence);
  const doubtful = uptime === undefined ? unknownReason(policy, evidence) : hearsayOf(policy, state, answered, uptime);
  if (uptime === undefined || doubtful !== undefined) {
    const reason = `no GPU: ${said}; ${doubtful}`;
    if (outageMs > 0) return decided('no_gpu', 'keeps', `${reason}; ${outageReason(outageMs)}`, { evidence });
    return decided('no_gpu', 'escalates', reason, { evidence });
  }
  if (!isBelow(policy, uptime)) {
    const reason = `no GPU now: ${said}; ${uptimeReason(policy, evidence, uptime, '≥')}, so the interval stays`;
    return decided('no_gpu', 'keeps', reason, { evidence, uptime });
  }
  const reason = `no GPU: ${said}; ${uptimeReason(policy, evidence, uptime, '<')}`;
  const excuse = excuseOf(policy, answered, uptime);
  if (excuse !== undefined) return decided('no_gpu', 'keeps', `${reason}; ${excuse}`, { evidence, uptime });
  return decided('no_gpu', 'escalates', reason, { evidence, uptime });
}

function judgeSpan(policy: PingPolicy, state: PingState, answered: Answered): Decision {
  const { evidence } = answered;
  const { uptime } = weighEvidence(policy, evidence);
  if (uptime === undefined) return judgeSilence(policy, state, answered);
  if (isBelow(policy, uptime)) return judgeLow(policy, state, answered, uptime);
  const reason = uptimeReason(policy, evidence, uptime, '≥');
  const hearsay = hearsayOf(policy, state, answered, uptime);
  if (hearsay !== undefined) return decided('unobserved', 'keeps', `${reason}; ${hearsay}`, { evidence });
  return decided('good', 'eases', reason, { evidence, uptime });
}

/**
 * Why a good uptime is nobody's but the agent's own word, which does not count once Prometheus has known its GPUs and was
 * there to see them: to be forgotten must not be worth more than to be seen. Undefined when the uptime counts. An agent that
 * was never seen may be out of reach of Prometheus, and is believed.
 */
function hearsayOf(policy: PingPolicy, { seenAtMs }: PingState, { observation }: Answered, uptime: number) {
  if (policy.evidence !== 'both' || seenAtMs === undefined || isBelow(policy, uptime)) return undefined;
  const isUnseen = wasSeen(policy, observation.observed) === false;
  return isUnseen ? unseenReason(seenAtMs, observation.atMs) : undefined;
}

/** Why a low uptime is not held against the agent, in words; undefined when it is. */
function excuseOf(policy: PingPolicy, { evidence, observation }: Answered, uptime: number): string | undefined {
  const { outageMs } = observation;
  const atBest = uptimeAtBest(uptime, evidence.toMs - evidence.fromMs, outageMs);
  return atBest === undefined || !isBelow(policy, atBest) ? outageReason(outageMs) : undefined;
}

function judgeLow(policy: PingPolicy, state: PingState, answered: Answered, uptime: number): Decision {
  const { evidence } = answered;
  const reason = uptimeReason(policy, evidence, uptime, '<');
  const excuse = excuseOf(policy, answered, uptime);
  if (excuse !== undefined) return decided('unobserved', 'keeps', `${reason}; ${excuse}`, { evidence, uptime });
  const grace = graceOf(policy, state, answered);
  if (grace !== undefined) return decided('good', 'keeps', `${grace}; ${reason}`, { evidence, isGrace: true });
  return decided('poor', 'escalates', reason, { evidence, uptime });
}

/**
 * Nobody knows anything of the span, which is no fault of an agent that kept its history. One that loses it has its grace;
 * after that forgetting is poor, or it would be the cheapest answer of all.
 */
function judgeSilence(policy: PingPolicy, state: PingState, answered: Answered): Decision {
  const { answer, evidence, observation } = answered;
  const reason = unknownReason(policy, evidence);
  const grace = graceOf(policy, state, answered);
  if (grace !== undefined) return decided('good', 'keeps', `${grace}; ${reason}`, { evidence, isGrace: true });
  const isOurs = policy.evidence === 'prometheus' || observation.outageMs > 0;
  if (answer.continuity === 'complete' || isOurs) {
    return decided('unobserved', 'keeps', reason, { evidence });
  }
  return decided('poor', 'escalates', `history lost again; ${reason}`, { evidence });
}

/** What lets a restarted agent off, in words; undefined when it did not restart, or was let off too recently. */
function graceOf(policy: PingPolicy, state: PingState, { observation, answer }: Answered): string | undefined {
  const isRestarted = state.cursor !== undefined && state.cursor.bootId !== answer.bootId;
  const isForgetful = answer.continuity !== 'complete';
  if (!isRestarted && !isForgetful) return undefined;
  const isUsed = state.graceAtMs !== undefined && observation.atMs - state.graceAtMs < policy.graceIntervalMs;
  if (isUsed || answer.isGpuAvailable !== true) return undefined;
  const what = isRestarted ? 'restarted' : 'history lost';
  return `${what}: the GPU is there, which is enough once in ${durationText(policy.graceIntervalMs)}, so it is let off; the interval stays`;
}

/** Shares that were percentages on their way may be off by the last bit. */
const ROUNDING = 1e-12;

function isBelow({ uptimeThreshold }: PingPolicy, uptime: number): boolean {
  return uptime < uptimeThreshold - ROUNDING;
}
