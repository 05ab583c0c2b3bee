/** When the engine itself was away: a fold over signs of life, kept with the agents so that a restart knows of it too. */

interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Plain data; instants are milliseconds since the epoch. */
export interface Watch {
  readonly lastMs: number | undefined;
  /** The oldest first. */
  readonly outages: readonly Outage[];
}

export const NEVER_WATCHED: Watch = { lastMs: undefined, outages: [] };

export interface WatchPolicy {
  /** Signs of life further apart mean that the engine was down or suspended in between. */
  readonly toleranceMs: number;
  /** How far back outages are remembered: the longest span a ping can be about. */
  readonly keepMs: number;
}

const MOST_KEPT = 100;

/** A sign of life. A clock that was set back ends no outage and makes none. */
export function stepWatch({ toleranceMs, keepMs }: WatchPolicy, { lastMs, outages }: Watch, nowMs: number): Watch {
  const isBack = lastMs !== undefined && nowMs - lastMs > toleranceMs;
  const known = outages.filter(({ untilMs }) => untilMs > nowMs - keepMs && untilMs <= nowMs);
  const all = isBack ? [...known, { fromMs: lastMs, untilMs: nowMs }] : known;
  return { lastMs: nowMs, outages: all.slice(-MOST_KEPT) };
}

/** For how much of a span the engine was away, milliseconds. */
export function outageMsIn({ outages }: Watch, fromMs: number, toMs: number): number {
  const shared = outages.map((outage) => Math.min(outage.untilMs, toMs) - Math.max(outage.fromMs, fromMs));
  return shared.reduce((sum, ms) => sum + Math.max(0, ms), 0);
}
