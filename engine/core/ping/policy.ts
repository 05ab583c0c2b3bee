/** What pings are judged and scheduled by. Durations are milliseconds, ratios 0..1. */

/** When most agents fail at once, the engine is the likelier culprit. */
export interface SuspectPolicy {
  /** More than this share of the pings within the window found an agent lost that had answered before. */
  readonly maxShare: number;
  readonly windowMs: number;
  /** Fewer pings within the window say nothing: one agent of one is not a mass event. */
  readonly minAgents: number;
  /** Failing agents are left alone this many times as long meanwhile. */
  readonly stretch: number;
}

/** Whom agents may be. */
interface TargetPolicy {
  /** Of http and https. */
  readonly allowSchemes: readonly string[];
  /** Empty: 80, 443 and those from 1024 on, below which mail and remote shells listen. */
  readonly allowPorts: readonly number[];
  /** Networks in CIDR notation. When there are any, no other address is asked; empty: every one that nothing else refuses. */
  readonly allowNetworks: readonly string[];
  /** Networks in CIDR notation that are never asked, whatever else is allowed. */
  readonly denyNetworks: readonly string[];
  /** Loopback addresses, also without being named in `allowNetworks`. */
  readonly allowLoopback: boolean;
  /** Private addresses, also without being named in `allowNetworks`. */
  readonly allowPrivate: boolean;
}

export interface PingPolicy {
  /** Short hash of all the rest: equal revisions judge alike. */
  readonly revision: string;
  readonly baseIntervalMs: number;
  readonly uptimeThreshold: number;
  readonly escalationMultiplier: number;
  readonly maxIntervalMs: number;
  readonly recoveryThresholdPings: number;
  readonly firstPingGracePeriod: boolean;
  readonly responseTimeoutMs: number;
  readonly maxConcurrentAgents: number;
  /** How many may be registered. */
  readonly maxAgents: number;
  /** How long decided pings are kept. */
  readonly historyMs: number;
  /** Whose word on the uptime counts; of both, the lower one. */
  readonly evidence: 'agent' | 'prometheus' | 'both';
  /** When Prometheus watched less of the span it knows nothing. What an agent did not watch counts against its claim already. */
  readonly minCoverage: number;
  /** How often agents are looked at: when their interval runs out, or at the base interval whatever they are paid at. */
  readonly observe: 'pay' | 'base';
  /** An agent that fails is asked again after each of these, before the failure counts. */
  readonly confirmMs: readonly number[];
  /** An agent that asks to be left alone is left alone at most this long. */
  readonly maxRetryAfterMs: number;
  /** A restarted agent is let off at most once in this time. */
  readonly graceIntervalMs: number;
  /** Pings that fell due while the engine was down are spread over this time. */
  readonly catchUpMs: number;
  readonly suspect: SuspectPolicy;
  readonly targets: TargetPolicy;
}
