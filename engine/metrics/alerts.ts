/** Series about rules, their evaluation, and the delivery of their alerts. */
import type { Notifier } from '../alertmanager/notifier.ts';
import type { RuleEvaluator } from '../rules/evaluator.ts';
import type { GroupStatus, RuleStatus } from '../rules/status.ts';
import { renderDelivery } from './delivery.ts';
import { type Family, type Line, renderFamily, renderPairs } from './exposition.ts';

export function renderAlerts(evaluator: RuleEvaluator, notifier: Notifier): string {
  const groups = evaluator.groups();
  return [
    ...RULE_FAMILIES.map((family) => renderFamily(family, ruleLines(groups, family))),
    ...GROUP_FAMILIES.map((family) =>
      renderFamily(
        family,
        groups.flatMap((group) => groupLines(group, family)),
      ),
    ),
    renderWrites(evaluator),
    renderFamily(SAVES_FAILED, [['', evaluator.saves().failed]]),
    renderDelivery(notifier.stats()),
  ].join('');
}

interface RuleFamily extends Family {
  /** Undefined when the rule has no such figure. */
  readonly get: (rule: RuleStatus) => number | undefined;
}

const RULE_FAMILIES: readonly RuleFamily[] = [
  {
    name: 'gpu_uptime_alerts_firing',
    type: 'gauge',
    help: 'Firing alerts by rule.',
    get: ({ rule, alerts }) =>
      rule.kind === 'alerting' ? alerts.filter(({ state }) => state === 'firing').length : undefined,
  },
  {
    name: 'gpu_uptime_rule_failing',
    type: 'gauge',
    help: 'Rules of the name whose newest evaluation failed.',
    get: ({ health }) => (health === 'err' ? 1 : 0),
  },
];

/** Rules may share a name, and groups of two files too: what has the same labels is one figure. */
function ruleLines(groups: readonly GroupStatus[], { get }: RuleFamily): readonly Line[] {
  const figures = groups.flatMap(({ name: group, rules }) =>
    rules.map((status) => ({ labels: renderPairs({ group, alertname: status.rule.name }), value: get(status) })),
  );
  const sums = new Map<string, number>();
  for (const { labels, value } of figures) {
    if (value !== undefined) sums.set(labels, (sums.get(labels) ?? 0) + value);
  }
  return [...sums];
}

interface GroupFamily extends Family {
  readonly get: (group: GroupStatus) => number | undefined;
}

const GROUP_FAMILIES: readonly GroupFamily[] = [
  {
    name: 'gpu_uptime_rule_group_evaluations_total',
    type: 'counter',
    help: 'Evaluations of the whole group.',
    get: ({ evaluations }) => evaluations,
  },
  {
    name: 'gpu_uptime_rule_group_evaluations_missed_total',
    type: 'counter',
    help: 'Slots that passed while an earlier evaluation was still running.',
    get: ({ missed }) => missed,
  },
  {
    name: 'gpu_uptime_rule_evaluation_failures_total',
    type: 'counter',
    help: 'Evaluations of single rules that failed, writing their results included.',
    get: ({ failures }) => failures,
  },
  {
    name: 'gpu_uptime_rule_group_last_duration_seconds',
    type: 'gauge',
    help: 'How long the newest evaluation took.',
    get: ({ lastDurationMs }) => (lastDurationMs === undefined ? undefined : lastDurationMs / 1000),
  },
  {
    name: 'gpu_uptime_rule_group_last_evaluation_timestamp_seconds',
    type: 'gauge',
    help: 'Instant of the newest evaluation.',
    get: ({ lastAt }) => (lastAt === undefined ? undefined : lastAt / 1000),
  },
  {
    name: 'gpu_uptime_rule_group_last_evaluation_samples',
    type: 'gauge',
    help: 'Elements that the rules yielded in the newest evaluation.',
    get: ({ lastSamples }) => lastSamples,
  },
];

function groupLines(group: GroupStatus, { get }: GroupFamily): readonly Line[] {
  const value = get(group);
  return value === undefined ? [] : [[{ file: group.file, group: group.name }, value]];
}

const SAVES_FAILED: Family = {
  name: 'gpu_uptime_alert_saves_failed_total',
  type: 'counter',
  help: 'Writes of alerts to the store that failed; a restart may lose what they held.',
};

function renderWrites(evaluator: RuleEvaluator): string {
  const { samples, failures } = evaluator.written();
  const help = 'Writes of results of rules that failed, by kind.';
  return [
    renderFamily(
      {
        name: 'gpu_uptime_rule_samples_written_total',
        type: 'counter',
        help: 'Samples of rules written into Prometheus, stale markers included.',
      },
      [['', samples]],
    ),
    renderFamily(
      { name: 'gpu_uptime_rule_write_failures_total', type: 'counter', help },
      Object.entries(failures).map(([kind, count]) => [{ kind }, count]),
    ),
  ].join('');
}
