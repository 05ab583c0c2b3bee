/** Those who evaluate the rules of a bench: the real engine and a real vmalert, each with what it says of its cycles. */
import { join } from 'node:path';
import { startEngine } from '../servers/engine.ts';
import { freePort } from '../servers/free-port.ts';
import { type RunningServer, serverDirectory, startServer } from '../servers/server.ts';

interface Surroundings {
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  readonly ruleFile: string;
}

export interface Evaluator {
  readonly name: 'engine' | 'vmalert';
  start(surroundings: Surroundings): Promise<RunningServer>;
  /** Cycles since its start, as a scrape states them. */
  cycles(metrics: string): number;
  /** Duration of one cycle, from the scrapes before and after it. */
  cycleMs(before: string, after: string): number;
}

const POLICY_FILE = join(import.meta.dirname, 'rules-policy.yml');

export const ENGINE: Evaluator = {
  name: 'engine',
  start: ({ prometheusUrl, alertmanagerUrl, ruleFile }) =>
    startEngine({
      env: {
        PROMETHEUS_URL: prometheusUrl,
        ALERTMANAGER_URLS: alertmanagerUrl,
        RULE_FILES: ruleFile,
        POLICY_FILE,
        LOG_LEVEL: 'warn',
      },
    }),
  cycles: (metrics) => figureOf(metrics, 'gpu_uptime_rule_group_evaluations_total') ?? 0,
  cycleMs: (_, after) => (figureOf(after, 'gpu_uptime_rule_group_last_duration_seconds') ?? Number.NaN) * 1000,
};

/** Its resend delay is that of the engine and of Prometheus; by itself it sends every alert at every cycle. */
export const VMALERT: Evaluator = {
  name: 'vmalert',
  start: async ({ prometheusUrl, alertmanagerUrl, ruleFile }) => {
    const port = await freePort();
    const args = [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-datasource.url=${prometheusUrl}`,
      `-remoteWrite.url=${prometheusUrl}`,
      `-notifier.url=${alertmanagerUrl}`,
      `-rule=${ruleFile}`,
      '-rule.resendDelay=1m',
      '-disableAlertgroupLabel',
      '-loggerLevel=WARN',
    ];
    const directory = serverDirectory('vmalert');
    return startServer({ name: 'vmalert', program: 'vmalert', args, port, readyPath: '/health', directory });
  },
  cycles: (metrics) => figureOf(metrics, 'vmalert_iteration_duration_seconds_count') ?? 0,
  cycleMs: (before, after) => {
    const [from = 0, to = Number.NaN] = [before, after].map((metrics) =>
      figureOf(metrics, 'vmalert_iteration_duration_seconds_sum'),
    );
    return (to - from) * 1000;
  },
};

/** Value of the only series of that name; undefined when there is none. */
function figureOf(metrics: string, name: string): number | undefined {
  const [, value] = new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(metrics) ?? [];
  return value === undefined ? undefined : Number(value);
}
