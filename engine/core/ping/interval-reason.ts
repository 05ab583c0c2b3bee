/** Why an agent's interval is what it is, in one line with the figures. */
import { intervalMsOf } from './escalation.ts';
import type { PingPolicy } from './policy.ts';
import { durationText, excerpt } from './reason.ts';
import { waitMsOf } from './schedule.ts';
import type { PingState } from './state.ts';

/** `3 consecutive poor pings: 15m x 2^3 = 2h; last ping: uptime 95.2% < 99% since 12:00:00Z (claimed 95.2%)`. */
export function intervalReason(policy: PingPolicy, state: PingState): string {
  const parts = [standingText(policy, state), observingText(policy, state), confirmingText(state), lastText(state)];
  return parts.filter((part) => part !== '').join('; ');
}

function standingText(policy: PingPolicy, { consecutivePoor, pings }: PingState): string {
  const base = durationText(policy.baseIntervalMs);
  if (consecutivePoor > 0) {
    const count = consecutivePoor === 1 ? '1 poor ping' : `${consecutivePoor} consecutive poor pings`;
    return `${count}: ${base} x ${policy.escalationMultiplier}^${consecutivePoor} ${resultText(policy, consecutivePoor)}`;
  }
  if (pings > 0) return `base interval of ${base}`;
  return policy.firstPingGracePeriod ? 'never pinged: the first ping asks only whether there is a GPU' : 'never pinged';
}

function resultText(policy: PingPolicy, consecutivePoor: number): string {
  const { baseIntervalMs, escalationMultiplier, maxIntervalMs } = policy;
  const isCapped = baseIntervalMs * escalationMultiplier ** consecutivePoor > maxIntervalMs;
  return isCapped
    ? `is capped at ${durationText(maxIntervalMs)}`
    : `= ${durationText(intervalMsOf(policy, consecutivePoor))}`;
}

function observingText(policy: PingPolicy, { intervalMs }: PingState): string {
  const waitMs = waitMsOf(policy, intervalMs);
  return waitMs === intervalMs ? '' : `looked at every ${durationText(waitMs)} meanwhile`;
}

function confirmingText({ attempts }: PingState): string {
  if (attempts === 0) return '';
  return `a failure is being confirmed, asked ${attempts === 1 ? 'once' : `${attempts} times`} so far`;
}

function lastText({ lastReason }: PingState): string {
  return lastReason === undefined ? '' : `last ping: ${excerpt(lastReason)}`;
}
