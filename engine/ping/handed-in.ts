/** What somebody else's ping is worth, before it is judged as one of our own. */
import type { PingReply } from '../core/ping/outcome.ts';
import type { PingState } from '../core/ping/state.ts';
import { decodeAgentAnswer } from './agent-answer.ts';
import type { RegisteredAgent } from './agent-index.ts';
import type { HandedIn } from './pings.ts';

/** How far the clock of whoever pinged may be from ours. */
const MAX_SKEW_MS = 5000;

/** Undefined when the result may be judged. */
export type Unfit =
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'late'; readonly newestAtMs: number }
  | { readonly kind: 'invalid'; readonly reason: string };

/** The agent's newest attempt decides what is new: an attempt is known by when it began. */
export function unfitness({ atMs, endedAtMs }: HandedIn, state: PingState, nowMs: number): Unfit | undefined {
  const reason = problemOf({ atMs, endedAtMs, sinceMs: state.sinceMs, nowMs });
  if (reason !== undefined) return { kind: 'invalid', reason };
  const { lastAttemptAtMs: newestAtMs } = state;
  if (newestAtMs === undefined || atMs > newestAtMs) return undefined;
  return atMs === newestAtMs ? { kind: 'duplicate' } : { kind: 'late', newestAtMs };
}

interface Instants {
  readonly atMs: number;
  readonly endedAtMs: number;
  readonly sinceMs: number;
  readonly nowMs: number;
}

function problemOf({ atMs, endedAtMs, sinceMs, nowMs }: Instants): string | undefined {
  const clocks = 'compare the clocks of pinger and engine';
  if (!(endedAtMs >= atMs)) return 'it ended before it began: send the instants in the order they came';
  if (!(endedAtMs <= nowMs + MAX_SKEW_MS)) return `it lies ${secondsText(endedAtMs - nowMs)} in the future: ${clocks}`;
  if (!(atMs >= sinceMs - MAX_SKEW_MS)) {
    return `it began ${secondsText(sinceMs - atMs)} before the agent was registered: ${clocks}`;
  }
  return undefined;
}

function secondsText(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/**
 * What it brought, with an answer read as the engine's own pings read it: as the answer to the cursor of the state.
 * `isKnownSince` tells whether the clock has run evenly since then.
 */
export function handedInReply(
  { endedAtMs, brought }: HandedIn,
  { agent, state }: RegisteredAgent,
  isKnownSince: (ms: number) => boolean,
): PingReply {
  if (brought.kind !== 'answer') return brought;
  const { cursor, spanFromMs } = state;
  const isKnown = spanFromMs !== undefined && spanFromMs <= endedAtMs && isKnownSince(spanFromMs);
  const decoded = decodeAgentAnswer(brought.text, {
    agentId: agent.id,
    cursor,
    spanMs: isKnown ? endedAtMs - spanFromMs : undefined,
  });
  if (decoded.kind === 'invalid') return decoded;
  const { answer, sentAtMs } = decoded;
  const middleMs = endedAtMs - brought.roundTripMs / 2;
  const clockSkewMs = sentAtMs === undefined ? undefined : Math.round(sentAtMs - middleMs);
  return { kind: 'answered', answer, roundTripMs: brought.roundTripMs, clockSkewMs };
}
