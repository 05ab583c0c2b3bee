/** Uptime per window, and what the windows together say about a GPU, a node or the fleet. */
import type { Policy, UptimeWindow } from './policy.ts';
import type { WindowCounts } from './window.ts';

export type WindowVerdict = 'met' | 'low' | 'unknown';
export type Status = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

/** The figures of one window. Ratios are 0..1; `uptime` is undefined while nothing was observed. */
export interface WindowFigures {
  readonly window: UptimeWindow;
  readonly counts: WindowCounts;
  readonly uptime: number | undefined;
  /** Observed ticks over expected ticks; those of planned maintenance are neither. */
  readonly coverage: number;
  /** Observed ticks. */
  readonly samples: number;
  /** The subject has been known for at least the window's range. */
  readonly isFull: boolean;
  readonly verdict: WindowVerdict;
}

/** uptime = up / (up + down), with busy ticks on the side that the policy names. */
export function windowFigures(policy: Policy, window: UptimeWindow, counts: WindowCounts): WindowFigures {
  const samples = samplesOf(counts);
  const coverage = coverageOf(counts);
  const isFull = counts.length > 0 && counts.span >= counts.length;
  const uptime = samples === 0 ? undefined : goodOf(policy, counts) / samples;
  const verdict = judgeWindow(policy, window, counts);
  return { window, counts, uptime, coverage, samples, isFull, verdict };
}

function samplesOf({ up, busy, down }: WindowCounts): number {
  return up + busy + down;
}

function goodOf({ busyCountsAs }: Policy, { up, busy }: WindowCounts): number {
  return up + (busyCountsAs === 'up' ? busy : 0);
}

function coverageOf(counts: WindowCounts): number {
  const expected = outsideMaintenance(counts);
  return expected === 0 ? 0 : samplesOf(counts) / expected;
}

function outsideMaintenance({ expected, maintenance }: WindowCounts): number {
  return expected - maintenance;
}

/** What planned maintenance leaves of a window must be at least this share of it: one tick is no verdict on two hours. */
const MIN_OUTSIDE = 0.1;

/**
 * A window with too little coverage is unknown, full or not: nobody pays for what was not observed. So is one that
 * planned maintenance fills but for a tenth: it neither penalises nor heals.
 */
export function judgeWindow(policy: Policy, window: UptimeWindow, counts: WindowCounts): WindowVerdict {
  const samples = samplesOf(counts);
  if (samples === 0 || coverageOf(counts) < policy.minCoverage) return 'unknown';
  if (outsideMaintenance(counts) < MIN_OUTSIDE * counts.expected) return 'unknown';
  const good = goodOf(policy, counts);
  const reached = policy.judge === 'wilson' ? wilsonUpperBound(good, samples) : good / samples;
  return reached < window.threshold ? 'low' : 'met';
}

/** Standard normal quantile of a two-sided 95 % interval. */
const Z95 = 1.959963984540054;

/**
 * Upper end of the Wilson score interval (95 %) for `good` of `total` trials.
 * Source: E. B. Wilson, JASA 22 (1927).
 */
export function wilsonUpperBound(good: number, total: number): number {
  const p = good / total;
  const z2 = Z95 * Z95;
  const centre = p + z2 / (2 * total);
  const margin = Z95 * Math.sqrt((p * (1 - p)) / total + z2 / (4 * total * total));
  return Math.min(1, (centre + margin) / (1 + z2 / total));
}

/** HEALTHY: no window low; DEGRADED: exactly one; UNHEALTHY: two or more; UNKNOWN: no window has enough data. */
export function statusOf(verdicts: readonly WindowVerdict[]): Status {
  const low = verdicts.filter((verdict) => verdict === 'low').length;
  if (low >= 2) return 'unhealthy';
  if (low === 1) return 'degraded';
  return verdicts.includes('met') ? 'healthy' : 'unknown';
}
