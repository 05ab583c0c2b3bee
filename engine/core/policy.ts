/** Policy: everything a decision depends on besides Prometheus history. Durations are milliseconds, ratios 0..1. */

/** What a failed check makes of the tick: lost service, occupied service, or only a warning. */
type OnFail = 'down' | 'busy' | 'warn';

/** The bound a check's value must respect, in the check's own unit. */
export type Bound =
  | { readonly kind: 'min'; readonly value: number }
  | { readonly kind: 'max'; readonly value: number }
  | { readonly kind: 'equals'; readonly value: number };

/** One health check: a PromQL expression that yields a value per GPU, and the bound that value must respect. */
export interface Check {
  readonly name: string;
  readonly expr: string;
  readonly bound: Bound;
  /** Shown after the value in reasons: `temperature 91 °C > 85 °C`. Empty for plain numbers. */
  readonly unit: string;
  /** What a missing value means. `ignore`: the check holds (a card without the sensor); `down`: it fails. */
  readonly absent: 'ignore' | 'down';
  readonly onFail: OnFail;
}

/** One uptime window. `rangeMs` is a whole number of intervals; `threshold` is the ratio uptime must reach. */
export interface UptimeWindow {
  readonly name: string;
  readonly rangeMs: number;
  readonly threshold: number;
}

/** Escalation of delays: baseDuration x min(first x escalation^(n-1), max) for failure n. */
export interface DelayPolicy {
  readonly baseDurationMs: number;
  readonly firstMultiplier: number;
  readonly escalationFactor: number;
  readonly maxMultiplier: number;
  /** How long every known window must meet its threshold before an episode ends. */
  readonly recoveryHoldMs: number;
}

/** Freezes new escalations when so many nodes turn low together that the observer is the likelier culprit. */
export interface GuardPolicy {
  readonly maxShare: number;
  readonly windowMs: number;
  /** Fleets smaller than this are never frozen: one node of one is not a mass event. */
  readonly minNodes: number;
}

type OnStale = 'allow' | 'last' | 'deny';

/** What a gateway may ask about. Checks and windows are already merged with the policy's defaults. */
export interface Capability {
  readonly name: string;
  readonly checks: readonly Check[];
  readonly windows: readonly UptimeWindow[];
  /** Label -> RE2 pattern (fully anchored); a GPU serves the capability when every pattern matches. */
  readonly gpus: Readonly<Record<string, string>>;
}

export interface PresencePolicy {
  /** Plain selector that has a series for every GPU that is present. */
  readonly selector: string;
  /** Plain selector of the observer's own heartbeat. */
  readonly observer: string;
  /** Selector of the scrape health of GPU targets, 0 or 1. */
  readonly target: string;
  /** A sample older than this is missing; two scrape intervals. */
  readonly freshMs: number;
  /** How long a vanished GPU is still expected back, and therefore down. */
  readonly rememberMs: number;
}

/** Label names that identify a GPU, place it on a node, and describe it. */
interface IdentityPolicy {
  readonly gpu: string;
  readonly node: string;
  readonly labels: readonly string[];
}

interface PingPolicy {
  readonly baseIntervalMs: number;
  readonly uptimeThreshold: number;
  readonly escalationMultiplier: number;
  readonly maxIntervalMs: number;
  readonly recoveryThresholdPings: number;
  readonly firstPingGracePeriod: boolean;
  readonly responseTimeoutMs: number;
  readonly maxConcurrentAgents: number;
}

/** The self-monitor inside a GPU container, which answers pings. */
interface AgentPolicy {
  /** Run as an agent instead of a monitoring server. */
  readonly mode: boolean;
  /** Unique name this agent registers under; the host name when unset. */
  readonly id?: string;
  readonly checkIntervalMs: number;
  readonly maxHistorySize: number;
  /** Samples between two checkpoints. */
  readonly checkpointInterval: number;
}

export interface Policy {
  /** Short hash of the effective policy: equal revisions judge alike. */
  readonly revision: string;
  readonly intervalMs: number;
  readonly settleMs: number;
  /** How much history a cold start replays: at least the longest window. */
  readonly backfillMs: number;
  readonly identity: IdentityPolicy;
  readonly presence: PresencePolicy;
  readonly checks: readonly Check[];
  readonly windows: readonly UptimeWindow[];
  /** Whether a busy tick counts as up or as down. */
  readonly busyCountsAs: 'up' | 'down';
  /** Share of a window's ticks that must have been observed before the window can penalise. */
  readonly minCoverage: number;
  readonly judge: 'threshold' | 'wilson';
  readonly delay: DelayPolicy;
  readonly guard: GuardPolicy;
  readonly stale: { readonly maxStalenessMs: number; readonly onStale: OnStale };
  /** Never empty; the first is `default`, which also answers for names the policy does not list. */
  readonly capabilities: readonly [Capability, ...Capability[]];
  readonly alerts: { readonly consecutiveFailures: number; readonly uptimeBelow: number };
  readonly report: { readonly intervalMs: number; readonly detailed: boolean };
  readonly ping: PingPolicy;
  readonly agent: AgentPolicy;
  /** Path of the engine's own store; `data/engine.db` when unset. */
  readonly persistenceFile?: string;
}
