/** When most agents fail at once, the engine suspects its own network: a fold over what recent pings came to. */
import type { SuspectPolicy } from './policy.ts';

interface RecentPing {
  readonly atMs: number;
  readonly isFailure: boolean;
}

/** What pings came to within the window, the oldest first. Plain data. */
export type RecentPings = readonly RecentPing[];

/** Enough for a share that means something; a large fleet fills it within seconds. */
const MOST_KEPT = 1000;

/** Two dead agents that happen to be due one after the other are most of three, but no outage. */
const LEAST_AT_ONCE = 10;

/**
 * Adds how the first attempt of a ping ended: retries of one dead agent are not many agents. A failure is whatever is no
 * answer, except that the engine did not ask. What is older than the window, or in the future of a clock that was set back,
 * is dropped.
 */
export function stepSuspicion(policy: SuspectPolicy, recent: RecentPings, ping: RecentPing): RecentPings {
  const isAhead = (recent.at(-1)?.atMs ?? 0) > ping.atMs;
  const past = isAhead ? recent.filter(({ atMs }) => atMs <= ping.atMs) : recent;
  const fromMs = ping.atMs - policy.windowMs;
  // They are in order: the first that is young enough is near, because each ping drops what has become too old since the last.
  const young = past.findIndex(({ atMs }) => atMs > fromMs);
  const kept = past.slice(Math.max(young < 0 ? past.length : young, past.length + 1 - MOST_KEPT));
  kept.push(ping);
  return kept;
}

/**
 * Whether a failure at `nowMs` says more about the engine than about the agent: more than the share failed within the
 * window, or since the agent's own first failed attempt (`sinceMs`), which shows an outage before the window does.
 */
export function isSuspect(
  policy: SuspectPolicy,
  recent: RecentPings,
  { sinceMs, nowMs }: { readonly sinceMs: number | undefined; readonly nowMs: number },
): boolean {
  const windowFromMs = nowMs - policy.windowMs;
  if (mostFailed(policy, recent, windowFromMs, nowMs)) return true;
  if (sinceMs === undefined || sinceMs <= windowFromMs) return false;
  const minAgents = Math.max(policy.minAgents, LEAST_AT_ONCE);
  return mostFailed({ ...policy, minAgents }, recent, sinceMs - 1, nowMs);
}

function mostFailed(policy: SuspectPolicy, recent: RecentPings, fromMs: number, nowMs: number): boolean {
  let [pings, failures] = [0, 0];
  for (const { atMs, isFailure } of recent) {
    if (atMs <= fromMs || atMs > nowMs) continue;
    pings += 1;
    if (isFailure) failures += 1;
  }
  return pings >= policy.minAgents && failures > policy.maxShare * pings;
}
