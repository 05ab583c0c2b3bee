/** The section rate_limit: a token bucket before all requests. */

import { duration, note, type Reader, readFields, wholeNumber } from './fields.ts';

export interface RateLimit {
  /** A token comes back this often. */
  readonly intervalMs: number;
  /** So many tokens there are at most, and at first. */
  readonly burst: number;
}

/** Undefined without an interval: requests are then not limited. */
export const rateLimitSection: Reader<RateLimit> = (node, spot) => {
  const keys = { interval: duration, burst: wholeNumber(0) };
  const { interval, burst } = readFields<{ interval: number; burst: number }>(node, spot, keys);
  if (interval === undefined || interval.value === 0) return undefined;
  if (!burst?.value)
    note(spot, {
      place: burst?.place ?? node.place,
      message: `${spot.path}.burst is 0: every request would be refused`,
      fix: 'give 1 or more',
    });
  return { intervalMs: interval.value, burst: burst?.value ?? 0 };
};

/** Whether one more request may pass now; asking takes the token. */
export type TokenBucket = () => boolean;

/** A bucket that starts full. `now` is in milliseconds and may start anywhere. */
export function createTokenBucket({ intervalMs, burst }: RateLimit, now: () => number): TokenBucket {
  let tokens = burst;
  let filledAtMs = now();
  return () => {
    const atMs = now();
    tokens = Math.min(burst, tokens + Math.max(0, atMs - filledAtMs) / intervalMs);
    filledAtMs = atMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
