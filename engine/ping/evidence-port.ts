/** How pings learn what Prometheus saw. */
import type { Agent } from '../core/ping/agent.ts';
import type { Sighting } from '../core/ping/outcome.ts';

/** Instants in milliseconds since the epoch. */
export interface PingSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The uptime of what the agent speaks for, over the span, and how much of it Prometheus watched at all; undefined when the
 * signal ended it. What had not settled by the end of the span belongs to the one that follows. Rejects with QueryError when
 * Prometheus does not answer.
 */
export type ObserveUptime = (span: PingSpan, agent: Agent, signal: AbortSignal) => Promise<Sighting | undefined>;
