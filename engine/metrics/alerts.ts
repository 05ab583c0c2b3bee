/** Series about alert rules and their delivery. */
import type { Notifier } from '../alertmanager/notifier.ts';
import type { RuleEvaluator } from '../rules/evaluator.ts';
import { type Line, renderFamily } from './exposition.ts';

export function renderAlerts(evaluator: RuleEvaluator, notifier: Notifier): string {
  const rules = evaluator.rules();
  const peers = notifier.stats();
  const firing = rules.map(({ rule, group, firing: count }): Line => [{ group, alertname: rule.name }, count]);
  const failing = rules.map(
    ({ rule, group, health }): Line => [{ group, alertname: rule.name }, health.kind === 'err' ? 1 : 0],
  );
  const byPeer = (get: (peer: (typeof peers)[number]) => number) =>
    peers.map((peer): Line => [{ alertmanager: peer.url }, get(peer)]);
  return [
    renderFamily({ name: 'gpu_uptime_alerts_firing', type: 'gauge', help: 'Firing alerts by rule.' }, firing),
    renderFamily(
      { name: 'gpu_uptime_rule_failing', type: 'gauge', help: '1 while the newest evaluation of the rule failed.' },
      failing,
    ),
    renderFamily(
      { name: 'gpu_uptime_notifications_queued', type: 'gauge', help: 'Alerts waiting for an Alertmanager.' },
      byPeer(({ queueLength }) => queueLength),
    ),
    renderFamily(
      { name: 'gpu_uptime_notifications_sent_total', type: 'counter', help: 'Alerts an Alertmanager has accepted.' },
      byPeer(({ sent }) => sent),
    ),
    renderFamily(
      { name: 'gpu_uptime_notifications_failed_total', type: 'counter', help: 'Posts to an Alertmanager that failed.' },
      byPeer(({ failed }) => failed),
    ),
  ].join('');
}
