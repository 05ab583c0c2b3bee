/** Policy: everything a decision depends on besides Prometheus history. Durations are milliseconds, ratios 0..1. */

import type { PingPolicy } from './ping/policy.ts';

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

/** Which actions of firing alerts take effect; those that do not are shown as evidence all the same. */
interface ActionPolicy {
  readonly throttle: boolean;
  readonly preempt: boolean;
  readonly quarantine: boolean;
  /** An alert whose newest sample is older has ended unseen. */
  readonly freshMs: number;
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

/** A label matcher of a silence, as Alertmanager keeps it. Patterns match the whole value. */
export interface SilenceMatcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  /** False for `!=` and `!~`. */
  readonly isEqual: boolean;
}

/** Which silences are planned maintenance, and how much of it a node may have. */
export interface MaintenancePolicy {
  /** Per calendar month (UTC) and GPU; ticks beyond it count as they would without the silence. Always positive. */
  readonly budgetMs: number;
  /** A comment that starts with this declares maintenance; empty when comments declare nothing. */
  readonly commentPrefix: string;
  /** A silence with this matcher declares maintenance too. */
  readonly matcher?: SilenceMatcher;
  /** Only silences of these creators declare maintenance; anybody's when empty. */
  readonly creators: readonly string[];
  /** A change to a silence takes effect this long after it was made, so that every engine has heard of it by then. */
  readonly noticeMs: number;
  /** What a gateway hears of a node in maintenance. */
  readonly gate: 'allow' | 'deny';
}

/** What becomes of a rule's alerts when its query says nothing. Prometheus does `keep` on an error and `ok` without data. */
export interface RuleReaction {
  /** The query failed. keep: alerts stay as they are; alert: one more is raised; ok: as if nothing were wrong. */
  readonly onError: 'keep' | 'alert' | 'ok';
  /** The query found nothing, and none of the series that it reads exists. */
  readonly onNoData: 'keep' | 'alert' | 'ok';
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
  readonly actions: ActionPolicy;
  readonly stale: { readonly maxStalenessMs: number; readonly onStale: OnStale };
  /** Absent while nothing may be excluded. */
  readonly maintenance?: MaintenancePolicy;
  /** Never empty; the first is `default`, which also answers for names the policy does not list. */
  readonly capabilities: readonly [Capability, ...Capability[]];
  /** By name of the alert; rules that are not named do as Prometheus does. */
  readonly rules: Readonly<Record<string, RuleReaction>>;
  readonly alerts: { readonly consecutiveFailures: number; readonly uptimeBelow: number };
  readonly report: { readonly intervalMs: number; readonly detailed: boolean };
  readonly ping: PingPolicy;
  readonly agent: AgentPolicy;
  /** Path of the engine's own store; `data/engine.db` when unset. */
  readonly persistenceFile?: string;
}
