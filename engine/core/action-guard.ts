/** The guard over actions: when most nodes lose their GPUs to alerts together, the observer is the likelier culprit. */
import type { GuardPolicy } from './policy.ts';

interface Onset {
  readonly node: string;
  readonly sinceMs: number;
}

/**
 * Nodes whose actions do not take effect. `onsets` has every node with a GPU under `preempt` or `quarantine`, and since
 * when. Once more than `maxShare` of the known nodes were affected within `windowMs`, those and all later ones are held
 * back; earlier ones stay in effect. Nothing is held once no more than that share is affected, or below `minNodes`.
 * A function of what fires now, so a restart or another replica holds back the same nodes.
 */
export function heldNodes(
  { maxShare, windowMs, minNodes }: GuardPolicy,
  onsets: ReadonlyMap<string, number>,
  knownNodes: number,
): ReadonlySet<string> {
  const limit = maxShare * knownNodes;
  if (knownNodes < minNodes || onsets.size <= limit) return new Set();
  const sorted = [...onsets].map(([node, sinceMs]): Onset => ({ node, sinceMs })).sort((a, b) => a.sinceMs - b.sinceMs);
  const frozenSinceMs = firstRush(sorted, windowMs, limit);
  return new Set(sorted.filter(({ sinceMs }) => sinceMs >= frozenSinceMs).map(({ node }) => node));
}

/** First instant that ends a span of `windowMs` with more than `limit` onsets; Infinity where there is none. */
function firstRush(sorted: readonly Onset[], windowMs: number, limit: number): number {
  let oldest = 0;
  for (const [newest, { sinceMs }] of sorted.entries()) {
    while ((sorted[oldest]?.sinceMs ?? sinceMs) <= sinceMs - windowMs) oldest++;
    if (newest - oldest + 1 > limit) return sinceMs;
  }
  return Infinity;
}
