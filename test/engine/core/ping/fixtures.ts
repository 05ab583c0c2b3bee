/** Agents that answer or fail as written, and the pings they get at the instants they are due. */
import type { PingObservation } from '../../../../engine/core/ping/judge.ts';
import type { AgentAnswer, PingReply, UptimeClaim } from '../../../../engine/core/ping/outcome.ts';
import type { PingPolicy } from '../../../../engine/core/ping/policy.ts';
import type { PingState } from '../../../../engine/core/ping/state.ts';
import { initialPingState, type PingStep, stepPing } from '../../../../engine/core/ping/step.ts';
import { MINUTE, policy } from '../fixtures.ts';

export const HOUR = 60 * MINUTE;
/** 2023-11-14T12:00:00Z. */
export const NOON_MS = 1_699_963_200_000;
export const AGENT = 'agent-001';

export function pingPolicy(change: Partial<PingPolicy> = {}): PingPolicy {
  return { ...policy().ping, ...change };
}

export function claim(uptime: number | undefined, coverage = uptime === undefined ? 0 : 1): UptimeClaim {
  return { uptime, coverage };
}

export function answered(change: Partial<AgentAnswer> = {}): PingReply {
  const answer: AgentAnswer = {
    bootId: 'boot-a',
    seq: 180,
    isGpuAvailable: true,
    reason: undefined,
    claimed: claim(1),
    continuity: 'complete',
    ...change,
  };
  return { kind: 'answered', answer, roundTripMs: 12 };
}

export const UP = answered();
export const POOR = answered({ claimed: claim(0.9) });
export const NO_GPU = answered({ isGpuAvailable: false, reason: 'GPU 0 fell off the bus', claimed: claim(0.9) });
export const UNREACHABLE: PingReply = { kind: 'unreachable', reason: 'connection refused' };
export const INVALID: PingReply = { kind: 'invalid', reason: 'not JSON' };
export const FORBIDDEN: PingReply = { kind: 'forbidden', reason: 'a link-local address' };

export function refused(retryAfterMs?: number): PingReply {
  return { kind: 'refused', reason: 'HTTP 503', retryAfterMs };
}

export type Attempt = PingReply | (Partial<PingObservation> & { readonly reply: PingReply });

export function observe(state: PingState, attempt: Attempt): PingObservation {
  const { nextDueAtMs: atMs } = state;
  const about = 'reply' in attempt ? attempt : { reply: attempt };
  const base = { agentId: AGENT, atMs, observed: undefined, isSuspect: false, outageMs: 0 };
  return { ...base, endedAtMs: about.atMs ?? atMs, ...about };
}

export interface Played {
  readonly state: PingState;
  readonly steps: readonly PingStep[];
}

/** Makes each attempt when it is due, unless it says when. */
export function play(ping: PingPolicy, attempts: readonly Attempt[], from = initialPingState(ping, NOON_MS)): Played {
  let state = from;
  const steps = attempts.map((attempt) => {
    const step = stepPing(ping, state, observe(state, attempt));
    state = step.state;
    return step;
  });
  return { state, steps };
}

/** A failing agent is asked this often before its failure counts. */
export function confirmed(reply: PingReply, asked = 4): readonly PingReply[] {
  return Array.from({ length: asked }, () => reply);
}

export function times<Value>(count: number, value: Value): readonly Value[] {
  return Array.from({ length: count }, () => value);
}
