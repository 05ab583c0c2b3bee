/** Agents as pages and metrics show them: each in another state, and one whose texts try to be more than text. */
import type { PingPolicy } from '../../../engine/core/ping/policy.ts';
import type { RegisteredAgent } from '../../../engine/ping/agent-index.ts';
import type { PingStats } from '../../../engine/ping/pings.ts';
import {
  type Attempt,
  claim,
  confirmed,
  FORBIDDEN,
  NO_GPU,
  POOR,
  pingPolicy,
  play,
  times,
  UNREACHABLE,
  UP,
} from '../core/ping/fixtures.ts';
import { anAgent } from '../store/ping-fixtures.ts';

/** Where markup, labels and terminals would break. */
export const EVIL = `"><img src=x onerror="alert('in')"><script>alert('in')</script>\\`;

/** An agent whose pings went as written. */
export function pinged(id: string, attempts: readonly Attempt[], policy: PingPolicy = pingPolicy()): RegisteredAgent {
  return { agent: anAgent(id), state: play(policy, attempts).state };
}

function skewed(clockSkewMs: number, { agent, state }: RegisteredAgent): RegisteredAgent {
  return { agent, state: { ...state, clockSkewMs } };
}

const HOSTILE = pinged('agent-evil', [UP, ...confirmed({ kind: 'invalid', reason: EVIL })]);

export const AGENTS: readonly RegisteredAgent[] = [
  skewed(-250, pinged('agent-good', [UP, { reply: UP, observed: claim(0.998) }])),
  pinged('agent-lying', [UP, { reply: UP, observed: claim(0.85) }]),
  skewed(90_000, pinged('agent-gone', [UP, UP, ...confirmed(UNREACHABLE)])),
  pinged('agent-bare', [UP, NO_GPU]),
  pinged('agent-poor', [UP, ...times(8, POOR)]),
  pinged('agent-not-asked', [UP, FORBIDDEN]),
  pinged('agent-new', []),
  { ...HOSTILE, agent: anAgent('agent-evil', { node: EVIL, metadata: { gpu_model: EVIL, rack: 12 } }) },
];

/** Of an engine that has pinged for a while. */
export function pingStats(change: Partial<PingStats> = {}): PingStats {
  return {
    isScheduling: true,
    inFlight: 3,
    waiting: 12,
    lagMs: 40,
    worstLagMs: 1250,
    lagBuckets: [
      { leMs: 100, count: 1000 },
      { leMs: 2500, count: 1200 },
      { leMs: Number.POSITIVE_INFINITY, count: 1201 },
    ],
    lagSumMs: 61_500,
    attempts: { answered: 1200, unreachable: 34, refused: 5, invalid: 6, forbidden: 7 },
    decided: { good: 1100, poor: 90, no_gpu: 10, unreachable: 8, refused: 1, invalid: 2, unobserved: 0 },
    isSuspect: false,
    suspectSinceMs: undefined,
    withoutEvidence: 4,
    saveFailures: 1,
    ...change,
  };
}
