/** How an agent fared at its last ping, in one word. */
import type { PingOutcome } from '../core/ping/outcome.ts';
import type { PingState } from '../core/ping/state.ts';

export type AgentStatus = PingOutcome | 'never_pinged';

/** The best first. */
export const AGENT_STATUSES = [
  'good',
  'unobserved',
  'never_pinged',
  'poor',
  'no_gpu',
  'refused',
  'invalid',
  'unreachable',
] as const satisfies readonly AgentStatus[];

export function statusOf({ lastOutcome }: PingState): AgentStatus {
  return lastOutcome ?? 'never_pinged';
}
