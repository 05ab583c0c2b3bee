/** What a reply amounts to: nothing yet, or an outcome with its effect and its reason. */
import type { Effect } from './escalation.ts';
import { uptimeAtBest, weighEvidence } from './evidence.ts';
import type { AgentAnswer, PingEvidence, PingOutcome, PingReply, UptimeClaim } from './outcome.ts';
import type { PingPolicy } from './policy.ts';
import { durationText, excerpt, type Failing, failureReason, unknownReason, uptimeReason } from './reason.ts';
import type { PingState } from './state.ts';

/** One attempt, as whoever made it saw it. */
export interface PingObservation {
  readonly agentId: string;
  /** When the attempt began and when its result was known, by the engine's clock. */
  readonly atMs: number;
  readonly endedAtMs: number;
  readonly reply: PingReply;
  /** What Prometheus saw of the span of this ping (`spanOf`); undefined when it was not asked or could not say. */
  readonly observed: UptimeClaim | undefined;
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
  const evidence = span && { claimed: answer.claimed, observed: observation.observed, ...span };
  if (answer.isGpuAvailable === false) {
    const effect = isFree(policy, state) ? 'keeps' : 'escalates';
    return decided('no_gpu', effect, `no GPU: ${excerpt(answer.reason ?? '')}`, { evidence });
  }
  return evidence === undefined ? judgeExistence(answer) : judgeSpan(policy, state, { observation, answer, evidence });
}

function judgeExistence({ isGpuAvailable, reason }: AgentAnswer): Decision {
  if (isGpuAvailable) return decided('good', 'keeps', 'first answer: the GPU is there');
  return decided('unobserved', 'keeps', `the agent cannot say whether there is a GPU: ${excerpt(reason ?? '')}`);
}

interface Answered {
  readonly observation: PingObservation;
  readonly answer: AgentAnswer;
  readonly evidence: PingEvidence;
}

function judgeSpan(policy: PingPolicy, state: PingState, answered: Answered): Decision {
  const { evidence } = answered;
  const { uptime } = weighEvidence(policy, evidence);
  if (uptime === undefined) return judgeSilence(policy, state, answered);
  if (!isBelow(policy, uptime)) {
    return decided('good', 'eases', uptimeReason(policy, evidence, uptime, '≥'), { evidence, uptime });
  }
  return judgeLow(policy, state, answered, uptime);
}

function judgeLow(policy: PingPolicy, state: PingState, answered: Answered, uptime: number): Decision {
  const { evidence, observation } = answered;
  const { outageMs } = observation;
  const reason = uptimeReason(policy, evidence, uptime, '<');
  const atBest = uptimeAtBest(uptime, evidence.toMs - evidence.fromMs, outageMs);
  if (atBest === undefined || !isBelow(policy, atBest)) {
    const excuse = `${reason}; the engine itself was away for ${durationText(outageMs)} of it, so it does not count`;
    return decided('unobserved', 'keeps', excuse, { evidence, uptime });
  }
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
  return `${what}: the GPU is there, which is enough once in ${durationText(policy.graceIntervalMs)}`;
}

/** Shares that were percentages on their way may be off by the last bit. */
const ROUNDING = 1e-12;

function isBelow({ uptimeThreshold }: PingPolicy, uptime: number): boolean {
  return uptime < uptimeThreshold - ROUNDING;
}
