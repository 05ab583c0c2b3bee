/** From the file's units and words to the engine's: durations to milliseconds, percentages to ratios. */
import type { Capability, Check, Policy, UptimeWindow } from '../core/policy.ts';
import { type CapabilityView, capabilityViews } from './capability-view.ts';
import { parseDuration } from './duration.ts';
import { policyRevision } from './revision.ts';
import type { CheckFile, PolicyFile, WindowFile } from './schema.ts';
import { parseMatcher } from './schema-maintenance.ts';

/** The policy of a consistent file. Derived defaults must be filled in; a missing one is a bug and throws. */
export function resolvePolicy(file: PolicyFile): Policy {
  const [base, ...named] = capabilityViews(file);
  const capabilities: Policy['capabilities'] = [resolveCapability(base), ...named.map(resolveCapability)];
  const { checks, windows } = capabilities[0];
  const judged = { ...resolveJudgement(file), checks, windows, capabilities };
  return { revision: policyRevision(judged), ...judged, ...resolveOperations(file) };
}

/** Everything decisions depend on, except what capabilities carry. */
function resolveJudgement(file: PolicyFile) {
  return {
    intervalMs: ms(file.interval),
    settleMs: ms(file.settle),
    backfillMs: ms(file.backfill),
    identity: file.identity,
    presence: resolvePresence(file.presence),
    busyCountsAs: file.busy_counts_as,
    minCoverage: ratio(file.min_coverage),
    judge: file.judge,
    delay: resolveDelay(file.delay),
    guard: {
      maxShare: ratio(file.guard.max_share),
      windowMs: ms(file.guard.window),
      minNodes: file.guard.min_nodes,
    },
    actions: resolveActions(file.actions),
    stale: { maxStalenessMs: ms(file.stale.max_staleness), onStale: file.stale.on_stale },
    ...resolveMaintenance(file.maintenance),
  };
}

/** Without a budget there is no maintenance, whatever else is written. */
function resolveMaintenance(file: PolicyFile['maintenance']): Pick<Policy, 'maintenance'> {
  const budgetMs = ms(file.budget);
  if (budgetMs === 0) return {};
  const { comment_prefix: commentPrefix, creators, gate } = file;
  const matcher = file.matcher === undefined ? {} : { matcher: defined(parseMatcher(file.matcher)) };
  return { maintenance: { budgetMs, commentPrefix, ...matcher, creators, noticeMs: ms(file.notice), gate } };
}

function resolvePresence({ selector, observer, target, fresh, remember }: PolicyFile['presence']) {
  return { selector, observer, target, freshMs: ms(fresh), rememberMs: ms(remember) };
}

function resolveActions({ fresh, ...enabled }: PolicyFile['actions']) {
  return { ...enabled, freshMs: ms(fresh) };
}

function resolveDelay(delay: PolicyFile['delay']) {
  return {
    baseDurationMs: ms(delay.base_duration),
    firstMultiplier: delay.first_multiplier,
    escalationFactor: delay.escalation_factor,
    maxMultiplier: delay.max_multiplier,
    recoveryHoldMs: ms(delay.recovery_hold),
  };
}

function resolveCapability({ name, checks, windows, gpus }: CapabilityView): Capability {
  return {
    name,
    checks: Object.entries(checks).map(([check, fields]) => resolveCheck(check, fields)),
    windows: Object.entries(windows).map(([window, fields]) => resolveWindow(window, fields)),
    gpus,
  };
}

function resolveCheck(name: string, check: CheckFile): Check {
  return {
    name,
    expr: defined(check.expr),
    bound: resolveBound(check),
    unit: check.unit ?? '',
    absent: check.absent ?? 'ignore',
    onFail: check.on_fail ?? 'down',
  };
}

function resolveBound({ min, max, equals }: CheckFile): Check['bound'] {
  if (min !== undefined) return { kind: 'min', value: min };
  if (max !== undefined) return { kind: 'max', value: max };
  return { kind: 'equals', value: defined(equals) };
}

function resolveWindow(name: string, window: WindowFile): UptimeWindow {
  return { name, rangeMs: ms(window.range), threshold: ratio(defined(window.threshold)) };
}

/** What the engine does besides deciding. */
function resolveOperations(
  file: PolicyFile,
): Pick<Policy, 'rules' | 'alerts' | 'report' | 'ping' | 'agent' | 'persistenceFile'> {
  return {
    rules: resolveRules(file.rules),
    alerts: {
      consecutiveFailures: file.alerts.consecutive_failures,
      uptimeBelow: ratio(file.alerts.uptime_below),
    },
    report: { intervalMs: ms(file.report.interval), detailed: file.report.detailed },
    ping: resolvePing(file.ping),
    agent: resolveAgent(file.agent),
    ...(file.persistence_file === undefined ? {} : { persistenceFile: file.persistence_file }),
  };
}

function resolveRules(rules: PolicyFile['rules']): Policy['rules'] {
  const reactions = Object.entries(rules).map(([name, { on_error: onError, on_no_data: onNoData }]) => {
    return [name, { onError, onNoData }] as const;
  });
  return Object.fromEntries(reactions);
}

function resolvePing(file: PolicyFile['ping']): Policy['ping'] {
  const ping = resolvePings(file);
  return { revision: policyRevision(ping), ...ping };
}

function resolvePings(ping: PolicyFile['ping']): Omit<Policy['ping'], 'revision'> {
  return {
    baseIntervalMs: ms(ping.base_interval),
    uptimeThreshold: ratio(ping.uptime_threshold),
    escalationMultiplier: ping.escalation_multiplier,
    maxIntervalMs: ms(ping.max_interval),
    recoveryThresholdPings: ping.recovery_threshold_pings,
    firstPingGracePeriod: ping.first_ping_grace_period,
    responseTimeoutMs: ms(ping.response_timeout),
    maxConcurrentAgents: ping.max_concurrent_agents,
    maxAgents: ping.max_agents,
    historyMs: ms(ping.history),
    evidence: ping.evidence,
    minCoverage: ratio(ping.min_coverage),
    observe: ping.observe,
    confirmMs: ping.confirm.map(ms),
    maxRetryAfterMs: ms(ping.max_retry_after),
    graceIntervalMs: ms(ping.grace_interval),
    catchUpMs: ms(ping.catch_up),
    suspect: resolveSuspect(ping.suspect),
    targets: resolveTargets(ping),
  };
}

function resolveSuspect({
  max_share: maxShare,
  window,
  min_agents: minAgents,
  stretch,
}: PolicyFile['ping']['suspect']) {
  return { maxShare: ratio(maxShare), windowMs: ms(window), minAgents, stretch };
}

function resolveTargets(ping: PolicyFile['ping']): Policy['ping']['targets'] {
  return {
    allowSchemes: ping.allow_schemes,
    allowPorts: ping.allow_ports,
    allowNetworks: ping.allow_networks,
    denyNetworks: ping.deny_networks,
    allowLoopback: ping.allow_loopback,
    allowPrivate: ping.allow_private,
  };
}

function resolveAgent(agent: PolicyFile['agent']): Policy['agent'] {
  return {
    mode: agent.mode,
    checkIntervalMs: ms(agent.check_interval),
    maxHistorySize: agent.max_history,
    checkpointInterval: agent.checkpoint_interval,
    ...(agent.id === undefined ? {} : { id: agent.id }),
  };
}

/** Milliseconds of a duration the schema has already accepted. */
function ms(text: string | undefined): number {
  return defined(text === undefined ? undefined : parseDuration(text));
}

/** 99.9 / 100 would be 0.9990000000000001; uptime ratios are compared with thresholds, so the nearest decimal matters. */
function ratio(percentage: number): number {
  return Number((percentage / 100).toPrecision(15));
}

function defined<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a value is missing that the policy checks guarantee');
  return value;
}
