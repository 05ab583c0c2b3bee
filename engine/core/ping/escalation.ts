/** How far an agent's interval has climbed, and how it comes back. */
import type { PingPolicy } from './policy.ts';

type Ladder = Pick<PingPolicy, 'baseIntervalMs' | 'escalationMultiplier' | 'maxIntervalMs'>;

/** What a ping does to the interval. */
export type Effect = 'escalates' | 'eases' | 'keeps';

export interface Standing {
  readonly consecutivePoor: number;
  readonly goodInARow: number;
}

/** base x multiplier^n in milliseconds, never above the longest interval. */
export function intervalMsOf({ baseIntervalMs, escalationMultiplier, maxIntervalMs }: Ladder, poor: number): number {
  return Math.round(Math.min(maxIntervalMs, baseIntervalMs * escalationMultiplier ** poor));
}

/** The smallest n whose interval is the longest one: to count on would only make the way back longer. */
export function highestStep({ baseIntervalMs, escalationMultiplier, maxIntervalMs }: Ladder): number {
  if (maxIntervalMs <= baseIntervalMs) return 0;
  if (escalationMultiplier <= 1) return Number.POSITIVE_INFINITY;
  const reaches = (step: number) => baseIntervalMs * escalationMultiplier ** step >= maxIntervalMs;
  const estimate = Math.ceil(Math.log(maxIntervalMs / baseIntervalMs) / Math.log(escalationMultiplier));
  // Logarithms round: the estimate may be one off to either side.
  return [estimate - 1, estimate].find(reaches) ?? estimate + 1;
}

/** A poor ping is one step up, a good one a step down, and `recoveryThresholdPings` good ones in a row end it all. */
export function afterEffect(policy: PingPolicy, { consecutivePoor, goodInARow }: Standing, effect: Effect): Standing {
  if (effect === 'keeps') return { consecutivePoor, goodInARow };
  if (effect === 'escalates') {
    return { consecutivePoor: Math.min(consecutivePoor + 1, highestStep(policy)), goodInARow: 0 };
  }
  const streak = goodInARow + 1;
  const isRecovered = streak >= policy.recoveryThresholdPings;
  return { consecutivePoor: isRecovered ? 0 : Math.max(0, consecutivePoor - 1), goodInARow: streak };
}
