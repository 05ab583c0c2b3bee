import { afterEach, describe, expect, it } from 'vitest';
import { Notifier } from '../../../engine/alertmanager/notifier.ts';
import { renderAlerts } from '../../../engine/metrics/alerts.ts';
import { WriteError } from '../../../engine/prometheus/series-writer.ts';
import { HOT, hot, ruleEngine, stopAll, until } from '../rules/rule-engine.ts';

afterEach(stopAll);

function valuesOf(text: string, name: string): readonly string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('renderAlerts', () => {
  it('counts what the store and Prometheus did not take, from zero on', async () => {
    const engine = ruleEngine();
    const ports = {
      now: engine.clock.now,
      sleep: engine.clock.sleep,
      random: Math.random,
      onProblem: () => {},
    };
    const notifier = new Notifier({ externalUrl: 'http://engine:8000' }, ports);
    const render = () => {
      const text = renderAlerts(engine.evaluator, notifier);
      return ['gpu_uptime_alert_saves_failed_total', 'gpu_uptime_rule_write_failures_total'].flatMap((name) =>
        valuesOf(text, name),
      );
    };
    expect(render()).toEqual([
      'gpu_uptime_alert_saves_failed_total 0',
      'gpu_uptime_rule_write_failures_total{kind="no_receiver"} 0',
      'gpu_uptime_rule_write_failures_total{kind="refused"} 0',
      'gpu_uptime_rule_write_failures_total{kind="duplicate"} 0',
      'gpu_uptime_rule_write_failures_total{kind="failed"} 0',
    ]);
    engine.prometheus.answers.set('temperature > 85', () => hot());
    await engine.evaluator.start(HOT);
    engine.store.failure = new Error('disk full');
    if (engine.writer) engine.writer.failure = new WriteError('duplicate', 'taken');
    await until(engine, 5);
    expect(render().filter((line) => !line.endsWith(' 0'))).toEqual([
      'gpu_uptime_alert_saves_failed_total 2',
      'gpu_uptime_rule_write_failures_total{kind="duplicate"} 2',
    ]);
  });
});
