/** What the pings need of the rest of the engine. */
import type { PingReply } from '../core/ping/outcome.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import type { HttpClientSettings } from '../http-client/settings.ts';
import type { PingStore } from '../store/ping-store.ts';
import type { Store } from '../store/store.ts';
import type { PingMeans, PingQuestion } from './client.ts';
import type { ObserveUptime } from './evidence-port.ts';
import type { LookUp } from './name-lookup.ts';
import type { AgentRegistry } from './registry.ts';

export interface PingClock {
  /** Milliseconds since the epoch; may be set back and ahead. */
  readonly now: () => number;
  /** Milliseconds since whenever; never goes back. */
  readonly elapsed: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

type LogLine = (fields: Readonly<Record<string, unknown>>, text: string) => void;

export interface PingLog {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}

export interface PingPorts {
  readonly registry: AgentRegistry;
  readonly pings: PingStore;
  /** Remembers when this engine was there. */
  readonly store: Pick<Store, 'list' | 'write'>;
  /** Asks one agent: `pingAgent`. Undefined when the signal ended it. */
  readonly ask: (question: PingQuestion, means: PingMeans) => Promise<PingReply | undefined>;
  readonly observe: ObserveUptime;
  readonly lookUp: LookUp;
  /** What the agent at the URL wants shown: a token, a certificate. */
  readonly accessOf: (url: string) => HttpClientSettings | undefined;
  /** The same object until it changes. */
  readonly policy: () => PingPolicy;
  readonly clock: PingClock;
  readonly log: PingLog;
  /** Whether this engine pings by itself; otherwise it judges what is handed in. */
  readonly isScheduling: boolean;
  readonly timing?: Partial<PingTiming>;
}

/** Milliseconds. */
export interface PingTiming {
  /** Between two looks for agents that are due. */
  readonly pollMs: number;
  /** Results that come in within this time are written together. */
  readonly batchMs: number;
  /** What Prometheus has to say about a span. */
  readonly evidenceMs: number;
  /** Between two signs of life. */
  readonly beatMs: number;
  /** Between two signs of life that are stored. */
  readonly keepMs: number;
  /** Between two looks for history that is too old. */
  readonly trimMs: number;
}

const TIMING: PingTiming = {
  pollMs: 250,
  batchMs: 25,
  evidenceMs: 5000,
  beatMs: 1000,
  keepMs: 10_000,
  trimMs: 3_600_000,
};

export function timingOf({ timing }: Pick<PingPorts, 'timing'>): PingTiming {
  return { ...TIMING, ...timing };
}

/** Beyond the longest ping: what it may take to write its result. */
const LEASE_MARGIN_MS = 15_000;

/** How long a ping may be in flight before somebody else takes over. */
export function leaseMsOf(ports: Pick<PingPorts, 'timing' | 'policy'>): number {
  return ports.policy().responseTimeoutMs + timingOf(ports).evidenceMs + LEASE_MARGIN_MS;
}
