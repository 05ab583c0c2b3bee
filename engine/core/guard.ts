/** The guard: when most nodes turn low together, the observer is the likelier culprit. */
import type { GuardPolicy } from './policy.ts';

export interface GuardState {
  /** Set while new escalations are frozen. */
  readonly frozenSinceMs: number | undefined;
  /** Nodes whose windows are low, with the tick at which each turned low. */
  readonly lowSince: ReadonlyMap<string, number>;
}

export const GUARD_CLEAR: GuardState = { frozenSinceMs: undefined, lowSince: new Map() };

export interface GuardInput {
  readonly atMs: number;
  readonly lowNodes: ReadonlySet<string>;
  readonly knownNodes: number;
}

/**
 * Freezes when more than `maxShare` of the known nodes turned low within `windowMs`; thaws when no more than that
 * share is low. Fleets below `minNodes` never freeze.
 */
export function stepGuard(policy: GuardPolicy, before: GuardState, input: GuardInput): GuardState {
  const lowSince = new Map([...input.lowNodes].map((node) => [node, before.lowSince.get(node) ?? input.atMs]));
  if (input.knownNodes < policy.minNodes) return { frozenSinceMs: undefined, lowSince };
  const limit = policy.maxShare * input.knownNodes;
  const isFrozen =
    before.frozenSinceMs === undefined ? recentOnsets(policy, lowSince, input.atMs) > limit : lowSince.size > limit;
  return { frozenSinceMs: isFrozen ? (before.frozenSinceMs ?? input.atMs) : undefined, lowSince };
}

function recentOnsets(policy: GuardPolicy, lowSince: ReadonlyMap<string, number>, atMs: number): number {
  return [...lowSince.values()].filter((since) => atMs - since < policy.windowMs).length;
}
