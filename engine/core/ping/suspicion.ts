/** When most agents are lost at once, the engine suspects its own network: a fold over what recent pings came to. */
import type { PingPolicy, SuspectPolicy } from './policy.ts';

/**
 * What the first attempt of a ping came to: retries of one dead agent are not many agents. `lost` is an agent that answered
 * before; `missing` one that never did. An agent that was failing already is no news when it fails again, and no such ping.
 */
type Finding = 'answered' | 'lost' | 'missing';

interface RecentPing {
  readonly atMs: number;
  readonly finding: Finding;
}

/** What pings came to within the window, the oldest first. Plain data. */
export type RecentPings = readonly RecentPing[];

/** Enough for a share that means something; a large fleet fills it within seconds. */
const MOST_KEPT = 1000;

/** Two dead agents that happen to be due one after the other are most of three, but no outage. */
const LEAST_AT_ONCE = 10;

/** Adds a ping. What is older than the window, or in the future of a clock that was set back, is dropped. */
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
 * Whether a failure at `nowMs` says more about the engine than about the agent: more than the share was lost within the
 * window, or since the agent's own first failed attempt (`sinceMs`), which shows an outage before the window does.
 */
export function isSuspect(
  policy: SuspectPolicy,
  recent: RecentPings,
  { sinceMs, nowMs }: { readonly sinceMs: number | undefined; readonly nowMs: number },
): boolean {
  const pings = telling(policy, recent, nowMs);
  if (mostFailed(policy, pings)) return true;
  if (sinceMs === undefined || sinceMs <= nowMs - policy.windowMs) return false;
  const minAgents = Math.max(policy.minAgents, LEAST_AT_ONCE);
  const since = pings.filter(({ atMs }) => atMs >= sinceMs);
  return mostFailed({ ...policy, minAgents }, since);
}

/** The oldest failure within the window since which most pings failed; `nowMs` when there is none. */
export function troubleSinceMs(policy: SuspectPolicy, recent: RecentPings, nowMs: number): number {
  let [pings, failures, sinceMs] = [0, 0, nowMs];
  for (const { atMs, finding } of telling(policy, recent, nowMs).toReversed()) {
    pings += 1;
    if (finding === 'answered') continue;
    failures += 1;
    if (failures > policy.maxShare * pings) sinceMs = atMs;
  }
  return sinceMs;
}

/**
 * The pings of the window that tell of the engine. Anybody may register URLs that never answer: they tell nothing, unless
 * nobody at all answers.
 */
function telling({ windowMs }: SuspectPolicy, recent: RecentPings, nowMs: number): RecentPings {
  const within = recent.filter(({ atMs }) => atMs > nowMs - windowMs && atMs <= nowMs);
  const isAnswered = within.some(({ finding }) => finding === 'answered');
  return isAnswered ? within.filter(({ finding }) => finding !== 'missing') : within;
}

function mostFailed({ maxShare, minAgents }: SuspectPolicy, pings: RecentPings): boolean {
  const failures = pings.reduce((sum, { finding }) => sum + Number(finding !== 'answered'), 0);
  return pings.length >= minAgents && failures > maxShare * pings.length;
}

/**
 * How long the engine doubts itself after it last had reason to (`isSuspect`), milliseconds: agents that answered since have
 * told that its network is there, and when there are none it gives up in the end.
 */
export function doubtMsOf(
  { suspect, maxIntervalMs }: Pick<PingPolicy, 'suspect' | 'maxIntervalMs'>,
  isAnswered: boolean,
): number {
  return isAnswered ? suspect.windowMs : Math.max(suspect.windowMs, maxIntervalMs);
}
