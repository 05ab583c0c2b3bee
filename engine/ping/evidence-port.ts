/** How pings learn what Prometheus saw. */
import type { Agent } from '../core/ping/agent.ts';
import type { UptimeClaim } from '../core/ping/outcome.ts';

/** Instants in milliseconds since the epoch. */
export interface PingSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The uptime of what the agent speaks for, over exactly the span; undefined when Prometheus knows nothing of it. Rejects
 * with QueryError when Prometheus does not answer.
 */
export type ObserveUptime = (span: PingSpan, agent: Agent, signal: AbortSignal) => Promise<UptimeClaim | undefined>;
