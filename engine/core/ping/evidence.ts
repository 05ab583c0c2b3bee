/** What the two sides say about the time between two pings, and whose word counts. */
import type { PingEvidence, Sighting, UptimeClaim } from './outcome.ts';
import type { PingPolicy } from './policy.ts';

type Weighing = Pick<PingPolicy, 'evidence' | 'minCoverage'>;

export interface Weighed {
  /** The uptime that counts, 0..1; undefined when nobody knows it. */
  readonly uptime: number | undefined;
  readonly claimed: number | undefined;
  readonly observed: number | undefined;
}

/**
 * The lower of what the sides that the policy hears know. Prometheus knows nothing when it watched too little of the span.
 * An agent's claim is what it can prove, so time in which it did not watch counts as down already: a least coverage on top
 * would make silence cheaper than an honest partial report.
 */
export function weighEvidence(policy: Weighing, { claimed, observed }: PingEvidence): Weighed {
  const sides = {
    claimed: policy.evidence === 'prometheus' ? undefined : uptimeOf(claimed),
    observed: policy.evidence === 'agent' ? undefined : seenUptime(policy, observed),
  };
  const known = [sides.claimed, sides.observed].filter((uptime) => uptime !== undefined);
  return { ...sides, uptime: known.length === 0 ? undefined : Math.min(...known) };
}

/**
 * Whether Prometheus knew the agent's GPUs in the span. False when it was there to see for enough of the span, and knew them
 * for too little of that; undefined when it was hardly there itself.
 */
export function wasSeen(
  { minCoverage }: Pick<Weighing, 'minCoverage'>,
  observed: Sighting | undefined,
): boolean | undefined {
  if (seenUptime({ minCoverage }, observed) !== undefined) return true;
  const { watched = 0, coverage } = observed ?? { coverage: 0 };
  if (watched <= 0 || watched < minCoverage) return undefined;
  return coverage <= 0 || coverage < minCoverage * watched ? false : undefined;
}

/**
 * Claimed minus observed uptime, -1..1, whosever word counts: positive when an agent claims more than was seen. Undefined
 * unless both sides know.
 */
export function divergenceOf(
  policy: Pick<Weighing, 'minCoverage'>,
  { claimed, observed }: PingEvidence,
): number | undefined {
  const [said, seen] = [uptimeOf(claimed), seenUptime(policy, observed)];
  return said === undefined || seen === undefined ? undefined : said - seen;
}

function seenUptime({ minCoverage }: Pick<Weighing, 'minCoverage'>, observed: UptimeClaim | undefined) {
  const coverage = observed?.coverage ?? 0;
  return coverage > 0 && coverage >= minCoverage ? uptimeOf(observed) : undefined;
}

function uptimeOf(side: UptimeClaim | undefined): number | undefined {
  const uptime = side?.uptime;
  // What is no number is no word either: NaN would be neither below nor above any threshold.
  return uptime === undefined || Number.isNaN(uptime) ? undefined : Math.max(0, Math.min(1, uptime));
}

/**
 * The highest uptime that the span allows when the engine itself was away for `outageMs` of it: whatever went wrong may have
 * gone wrong meanwhile, and that is not held against anybody. Undefined when the engine was away all the time.
 */
export function uptimeAtBest(uptime: number, spanMs: number, outageMs: number): number | undefined {
  if (outageMs <= 0) return uptime;
  return outageMs >= spanMs ? undefined : Math.min(1, (uptime * spanMs) / (spanMs - outageMs));
}
