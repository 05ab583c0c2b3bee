/** The way back of a registered agent, as seen now. */
import { type RecoveryForecast, recoveryForecast } from '../core/ping/forecast.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import type { RegisteredAgent } from './agent-index.ts';

/** What it takes if every ping from now on is good; one that is overdue cannot be earlier than now. */
export function recoveryOf(policy: PingPolicy, { agent, state }: RegisteredAgent, nowMs: number): RecoveryForecast {
  const nextDueAtMs = Math.max(state.nextDueAtMs, nowMs);
  return recoveryForecast(policy, agent.id, { ...state, nextDueAtMs });
}
