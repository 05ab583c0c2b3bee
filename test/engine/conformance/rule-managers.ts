/** The same rule file at work twice, on the same samples: in a real Prometheus, and in the engine over another one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished, type TestContext } from 'vitest';
import { NO_ALERTING, withUrls } from '../../../engine/alertmanager/alerting.ts';
import { Notifier } from '../../../engine/alertmanager/notifier.ts';
import type { PostableAlert } from '../../../engine/alertmanager/payload.ts';
import { createPromClient } from '../../../engine/prometheus/client.ts';
import type { PromQuery } from '../../../engine/prometheus/query.ts';
import { createRemoteWriter } from '../../../engine/prometheus/remote-write.ts';
import type { SeriesWriter, WrittenSeries } from '../../../engine/prometheus/series-writer.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { FakeAlertmanager } from '../alertmanager/fake-alertmanager.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { serve } from '../http/serving.ts';
import { MemoryStore } from '../rules/memory-store.ts';

export const INTERVAL_MS = 1000;
const RESEND_MS = 2000;
const EXTERNAL_URL = 'http://prometheus.example:9090';
const EXTERNAL_LABELS = { cluster: 'west' };

const never = new AbortController().signal;

/** An alert as it was posted, and when; Prometheus leaves annotations out when there are none. */
export interface Received extends Omit<PostableAlert, 'annotations'> {
  readonly annotations?: PostableAlert['annotations'];
  readonly at: number;
}

export interface Side {
  /** Where /api/v1/rules is. */
  readonly url: string;
  /** The Prometheus that holds its series. */
  readonly query: PromQuery;
  readonly received: readonly Received[];
}

export interface Sides {
  readonly prometheus: Side;
  readonly engine: Side;
  /** Writes the same samples for both. */
  feed(series: readonly WrittenSeries[]): Promise<void>;
}

/** Everything ends with the running test. */
export async function openSides(context: TestContext, rules: string): Promise<Sides> {
  const tool = await requireTool(context, 'prometheus');
  const [first, second] = [await receiver(), await receiver()];
  const file = join(temporaryDirectory(), 'rules.yml');
  writeFileSync(file, rules);
  const one = await storage(startPrometheus({ tool, ...ruling(file, first.url) }));
  const two = await storage(startPrometheus({ tool }));
  const { url } = await startEngine(rules, { ...two, alertmanager: second.url });
  return {
    prometheus: { url: one.url, query: one.query, received: first.received },
    engine: { url, query: two.query, received: second.received },
    feed: async (series) => {
      await Promise.all([one.writer.write(series, never), two.writer.write(series, never)]);
    },
  };
}

/** Configuration and flags of a Prometheus that evaluates and sends as fast as the engine here. */
function ruling(file: string, alertmanager: string) {
  const config = JSON.stringify({
    global: { evaluation_interval: `${INTERVAL_MS}ms`, external_labels: EXTERNAL_LABELS },
    rule_files: [file],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
  });
  return { config, flags: [`--rules.alert.resend-delay=${RESEND_MS}ms`, `--web.external-url=${EXTERNAL_URL}`] };
}

async function receiver() {
  const server = new FakeAlertmanager();
  const received: Received[] = [];
  server.behave = (alerts) => {
    const at = Date.now();
    received.push(...alerts.map((alert) => ({ ...alert, at })));
    return 200;
  };
  const url = await server.listen();
  onTestFinished(() => server.close());
  return { url, received };
}

interface Storage {
  readonly url: string;
  readonly query: PromQuery;
  readonly writer: SeriesWriter;
}

async function storage(starting: ReturnType<typeof startPrometheus>): Promise<Storage> {
  const server = await starting;
  const query = createPromClient({ url: server.url, timeoutMs: 5000, concurrency: 4 });
  const writer = createRemoteWriter({ url: `${server.url}/api/v1/write`, timeoutMs: 5000, concurrency: 4 });
  onTestFinished(async () => {
    await Promise.all([query.close(), writer.close()]);
    await server.stop();
  });
  return { url: server.url, query, writer };
}

const sleep = async (ms: number, signal: AbortSignal) => {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
};

async function startEngine(
  rules: string,
  { query, writer, alertmanager }: Storage & { readonly alertmanager: string },
): Promise<{ readonly url: string }> {
  const onProblem = (problem: string) => {
    throw new Error(problem);
  };
  const ports = { now: Date.now, sleep, random: () => 1, onProblem };
  const notifier = new Notifier({ externalUrl: EXTERNAL_URL }, ports);
  notifier.use(withUrls({ ...NO_ALERTING, externalLabels: EXTERNAL_LABELS }, [alertmanager]));
  const store = new MemoryStore();
  const options = { resendDelayMs: RESEND_MS, externalUrl: EXTERNAL_URL };
  const evaluator = new RuleEvaluator({ ...ports, query, writer, store, sink: notifier }, options);
  const { groups } = loadRules([{ file: 'rules.yml', text: rules }], { intervalMs: INTERVAL_MS });
  const serving = await serve({
    fleet: play(planOf(), times(3, { 'a/0': 'up' })),
    get ruleGroups() {
      return evaluator.groups();
    },
  });
  onTestFinished(async () => {
    await evaluator.stop();
    await notifier.close(1000);
    await serving.close();
  });
  await evaluator.start(groups, { reactions: {}, externalLabels: EXTERNAL_LABELS });
  return serving;
}
