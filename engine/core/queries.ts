/** The PromQL a policy asks per tick. Every query aggregates to the identity labels, so label churn never makes a new GPU. */
import { ACTION_LABEL } from './action.ts';
import { targetLabels } from './action-target.ts';
import type { Check, Policy } from './policy.ts';

/** Instant of the newest observer heartbeat, in seconds. */
export function observerQuery(policy: Policy): string {
  return `max(timestamp(${policy.presence.observer}))`;
}

/** Label that tells a node's targets apart: its GPUs must not go down with another exporter on the same node. */
export const JOB = 'job';

/** Scrape health per target, which is a job on a node. */
export function targetQuery(policy: Policy): string {
  return `min by (${policy.identity.node}, ${JOB}) (${policy.presence.target})`;
}

/** Key of a target in an observation. */
export function targetKey(node: string, job: string): string {
  return `${job} ${node}`;
}

/** Instant of the newest sample per GPU, in seconds, with its node and descriptive labels. */
export function presenceQuery(policy: Policy): string {
  return `max by (${presenceLabels(policy)}) (timestamp(${policy.presence.selector}))`;
}

/** The check's value per GPU; of several series for one GPU, the worst. */
export function checkQuery(policy: Policy, check: Check): string {
  const over = (aggregation: string) => `${aggregation} by (${policy.identity.gpu}) (${check.expr})`;
  if (check.bound.kind === 'equals') return `${over('max')} != ${check.bound.value} or ${over('min')}`;
  return over(check.bound.kind);
}

/** Each check query once, whichever capabilities use it. */
export function checkQueries(policy: Policy): readonly string[] {
  const checks = policy.capabilities.flatMap((capability) => capability.checks);
  return [...new Set(checks.map((check) => checkQuery(policy, check)))];
}

/**
 * Which GPUs were alive during the `remember` span before a cold start, as the instant of their newest sample.
 * The subquery's step equals Prometheus' default lookback, so no sample falls between two steps.
 */
export function rememberQuery(policy: Policy): string {
  const span = Math.max(300, Math.round(policy.presence.rememberMs / 1000));
  return `max by (${presenceLabels(policy)}) (max_over_time(timestamp(${policy.presence.selector})[${span}s:5m]))`;
}

/**
 * Instant of the newest sample of each alert that fires with an action, in seconds. Whoever evaluates the rules writes
 * the series: Prometheus and vmalert do, unmodified.
 */
export function actionQuery(policy: Policy): string {
  const labels = [...new Set(['alertname', ACTION_LABEL, 'severity', ...targetLabels(policy)])];
  return `max by (${labels.join(', ')}) (timestamp(${FIRING_ACTIONS}))`;
}

/** `notify` changes nothing, so nobody needs to ask for it. */
const FIRING_ACTIONS = `ALERTS{alertstate="firing",${ACTION_LABEL}=~"throttle|preempt|quarantine"}`;

function presenceLabels({ identity }: Policy): string {
  return [identity.gpu, identity.node, JOB, ...identity.labels.filter((label) => label !== JOB)].join(', ');
}
