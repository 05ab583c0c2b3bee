import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import { NO_ALERTING, withUrls } from '../../../engine/alertmanager/alerting.ts';
import { Notifier } from '../../../engine/alertmanager/notifier.ts';
import { startReceiver } from '../../../engine/alertmanager/receiver.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { startAlertmanager } from '../../servers/alertmanager.ts';
import { requireTool } from '../../servers/require-tool.ts';
import { FakePrometheus } from '../rules/fake-prometheus.ts';
import { MemoryStore } from '../rules/memory-store.ts';

const RULES = `
groups:
  - name: hot
    interval: 200ms
    rules:
      - alert: Hot
        expr: temperature > 85
        for: 400ms
        labels: { severity: critical }
        annotations: { summary: 'gpu {{ $labels.gpu }}: {{ $value }} °C > 85 °C' }
`;

const config = (port: number) => `
route: { receiver: webhook, group_wait: 100ms, group_interval: 200ms }
receivers:
  - name: webhook
    webhook_configs: [{ url: 'http://127.0.0.1:${port}/notifications', send_resolved: true }]
`;

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const sleep = async (ms: number, signal: AbortSignal) => {
  await delay(ms, undefined, { signal }).catch(() => undefined);
};
const ports = { now: Date.now, sleep, random: Math.random, onProblem: (problem: string) => console.warn(problem) };

async function startChain(context: TestContext) {
  const tool = await requireTool(context, 'alertmanager');
  const lines: string[] = [];
  const receiver = await startReceiver({ host: '127.0.0.1', port: 0, onLine: (line) => lines.push(line) });
  endings.push(receiver.close);
  const alertmanager = await startAlertmanager({ tool, config: config(receiver.port) });
  endings.push(alertmanager.stop);
  const notifier = new Notifier({ externalUrl: 'http://127.0.0.1:8000' }, ports);
  endings.push(() => notifier.close(1000));
  notifier.use(withUrls(NO_ALERTING, [alertmanager.url]));
  const prometheus = new FakePrometheus();
  const evaluator = new RuleEvaluator({
    ...ports,
    query: prometheus,
    store: new MemoryStore(),
    sink: notifier,
    writer: undefined,
  });
  endings.push(() => evaluator.stop());
  return { lines, alertmanager, prometheus, evaluator };
}

describe('from the rule to the person, through a real Alertmanager', () => {
  it('shows the alert while it fires, and its end when it is over', async (context) => {
    const { lines, alertmanager, prometheus, evaluator } = await startChain(context);
    let celsius = 92;
    prometheus.answers.set('temperature > 85', () => (celsius > 85 ? [{ labels: { gpu: '3' }, value: celsius }] : []));
    await evaluator.start(loadRules([{ file: 'hot.yml', text: RULES }]).groups);

    await expect.poll(() => lines, { timeout: 10_000 }).toHaveLength(1);
    expect(lines[0]).toMatch(/^FIRING critical Hot gpu 3: 92 °C > 85 °C since \d\d:\d\d:\d\d$/);
    const held = await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json();
    const [firing] = evaluator.activeAlerts();
    expect(held).toEqual([
      expect.objectContaining({
        labels: { alertname: 'Hot', gpu: '3', severity: 'critical' },
        annotations: { summary: 'gpu 3: 92 °C > 85 °C' },
        startsAt: new Date(firing?.firedAt ?? 0).toISOString(),
        fingerprint: firing?.fingerprint,
        generatorURL: `http://127.0.0.1:8000/alerts/${firing?.fingerprint}`,
        status: expect.objectContaining({ state: 'active' }),
      }),
    ]);

    celsius = 70;
    await expect.poll(() => lines, { timeout: 10_000 }).toHaveLength(2);
    expect(lines[1]).toMatch(/^RESOLVED critical Hot gpu 3: 92 °C > 85 °C since \S+ until \d\d:\d\d:\d\d$/);
    expect(await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()).toEqual([]);
  });
});
