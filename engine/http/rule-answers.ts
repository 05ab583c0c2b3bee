/** Rules and alerts as Prometheus' API shows them, with what only this engine knows under keys of its own. */
import type { ActiveAlert, GroupStatus, ResolvedAlert, RuleStatus } from '../rules/status.ts';

/** What an answer repeats of a rule group; `rules` are those that were asked for. */
export function groupEntry(group: GroupStatus, rules: readonly Record<string, unknown>[]): Record<string, unknown> {
  return {
    name: group.name,
    file: group.file,
    rules,
    interval: group.intervalMs / 1000,
    limit: group.limit,
    evaluationTime: (group.lastDurationMs ?? 0) / 1000,
    lastEvaluation: timestamp(group.lastAt),
    queryOffset: group.queryOffsetMs / 1000,
    evaluations: group.evaluations,
    missed: group.missed,
  };
}

/** One rule; `alerts` is left out when the asker does not want them. */
export function ruleEntry(status: RuleStatus, withAlerts: boolean): Record<string, unknown> {
  const { rule } = status;
  if (rule.kind === 'recording') {
    return { name: rule.name, query: rule.expr, labels: rule.labels, ...healthEntry(status), type: 'recording' };
  }
  return {
    state: stateOf(status),
    name: rule.name,
    query: rule.expr,
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    labels: rule.written.labels,
    annotations: rule.written.annotations,
    alerts: withAlerts ? status.alerts.map(alertEntry) : null,
    ...healthEntry(status),
    type: 'alerting',
  };
}

function healthEntry({ rule, health, lastError, evaluations: [last] }: RuleStatus): Record<string, unknown> {
  return {
    id: rule.id,
    health,
    ...(lastError === undefined ? {} : { lastError }),
    evaluationTime: (last?.durationMs ?? 0) / 1000,
    lastEvaluation: timestamp(last?.at),
  };
}

function stateOf({ alerts }: RuleStatus): 'firing' | 'pending' | 'inactive' {
  if (alerts.some(({ state }) => state === 'firing')) return 'firing';
  return alerts.length > 0 ? 'pending' : 'inactive';
}

export function alertEntry(alert: ActiveAlert | ResolvedAlert): Record<string, unknown> {
  const { labels, annotations, state, activeAt, value, fingerprint } = alert;
  return {
    labels,
    annotations,
    state,
    activeAt: timestamp(activeAt),
    ...endEntry(alert),
    value: formatValue(value),
    fingerprint,
  };
}

function endEntry(alert: ActiveAlert | ResolvedAlert): Record<string, string> {
  if (alert.state === 'resolved') return { resolvedAt: timestamp(alert.resolvedAt) };
  return alert.missingSince === undefined ? {} : { keepFiringSince: timestamp(alert.missingSince) };
}

/** Go's zero time, which Prometheus shows before the first evaluation. */
const NEVER = '0001-01-01T00:00:00Z';

export function timestamp(ms: number | undefined): string {
  return ms === undefined ? NEVER : new Date(ms).toISOString();
}

/** `1.5e+01`: strconv's form `e` with the fewest digits, as in Prometheus' answers. */
function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const digits = Object.is(value, -0) ? '-0e+0' : value.toExponential();
  return digits.replace(/e([+-])(\d)$/, 'e$10$2');
}
