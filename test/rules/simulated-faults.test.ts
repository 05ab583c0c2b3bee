/**
 * A real Prometheus with its own rule manager evaluates the shipped rules over a simulated fleet with every hardware fault the
 * simulation knows, each on a GPU or node of its own. Every rule has to see its fault in what the exporter really publishes, and
 * no rule any other. Rules with a long `for` are only pending within the time of the test.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { startExporter } from '../servers/exporter.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { requireTool } from '../servers/require-tool.ts';
import type { RunningServer } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { ROOT, RULE_FILES } from './rule-files.ts';

/** Everything happens at once, when the test says so. */
const TIMELINE = `
fleet: { nodes: 6, gpus_per_node: 4, profile: a100 }
scenarios:
  everything:
    what: every fault on a GPU or node of its own
    events:
      - { at: 0s, for: 10m, node: node-0, gpu: 0, fault: thermal-ramp, to: 82, per_minute: 600 }
      - { at: 0s, for: 10m, node: node-0, gpu: 1, fault: hot }
      - { at: 0s, for: 10m, node: node-0, gpu: 2, fault: power }
      - { at: 0s, for: 10m, node: node-0, gpu: 3, fault: busy }
      - { at: 0s, for: 10m, node: node-1, gpu: 0, fault: ecc }
      - { at: 0s, for: 10m, node: node-1, gpu: 1, fault: ecc-storm, correctable_per_minute: 1200 }
      - { at: 0s, node: node-1, gpu: 2, fault: xid, code: 31 }
      - { at: 0s, node: node-1, gpu: 3, fault: xid, code: 119 }
      - { at: 0s, for: 10m, node: node-2, gpu: 0, fault: off-the-bus }
      - { at: 0s, for: 10m, node: node-2, gpu: 1, fault: sensor-blank, sensors: gpu-temperature }
      - { at: 0s, for: 10m, node: node-3, fault: node-down }
      - { at: 0s, for: 10m, node: node-4, fault: driver-reload }
`;
const GPUS = 24;
/** What GpuLost looks back at: a GPU that went between two steps of it was never seen. */
const SEEN = 'count(max_over_time(timestamp(DCGM_FI_DEV_GPU_TEMP)[10m:15s]))';

/** By node and GPU; whole nodes have no GPU. node-5 is healthy. */
const EXPECTED = [
  'node-0/0 GpuThermalWarning pending',
  'node-0/1 GpuClockSlowdownShare pending',
  'node-0/1 GpuThermalCritical firing',
  'node-0/1 GpuThermalWarning pending',
  'node-0/1 GpuThrottling firing',
  'node-0/2 GpuPowerCritical firing',
  'node-0/2 GpuPowerSpike pending',
  'node-0/3 GpuMemoryPressure pending',
  'node-1/0 GpuEccUncorrectable firing',
  'node-1/0 GpuRowRemapPending pending',
  'node-1/0 GpuXidHardDown firing',
  'node-1/1 GpuEccErrorsSpike pending',
  'node-1/2 GpuXidApplication firing',
  'node-1/3 GpuXidHardDown firing',
  'node-2/0 GpuLost pending',
  'node-2/0 GpuXidHardDown firing',
  'node-3 GpuNodeDown pending',
  'node-4 GpuExporterWedged pending',
];

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
}

async function ask<T>({ url }: RunningServer, path: string): Promise<T> {
  const { data } = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T };
  return data;
}

interface Running {
  readonly exporter: RunningServer;
  readonly prometheus: RunningServer;
}

async function start(context: TestContext): Promise<Running> {
  const tool = await requireTool(context, 'prometheus');
  const timeline = join(temporaryDirectory(), 'timeline.yml');
  writeFileSync(timeline, TIMELINE);
  const exporter = await startExporter({
    env: {
      MOCK_TIMELINE: timeline,
      EXPORTER_COLLECT_INTERVAL_MS: '500',
      EXPORTER_COUNTERS_FILE: join(ROOT, 'rules/counters.csv'),
      EXPORTER_PROFILE: 'dcgm,native',
    },
  });
  onTestFinished(() => exporter.stop());
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    rule_files: RULE_FILES.map((file) => join(ROOT, file)),
    scrape_configs: [{ job_name: 'gpu', http_sd_configs: [{ url: `${exporter.url}/api/v1/http-sd` }] }],
  };
  const prometheus = await startPrometheus({ tool, config: JSON.stringify(config) });
  onTestFinished(() => prometheus.stop());
  return { exporter, prometheus };
}

async function query(prometheus: RunningServer, expr: string): Promise<number | undefined> {
  const { result } = await ask<{ result: readonly { value: readonly [number, string] }[] }>(
    prometheus,
    `query?query=${encodeURIComponent(expr)}`,
  );
  return result[0] && Number(result[0].value[1]);
}

async function strike({ exporter, prometheus }: Running): Promise<void> {
  await expect.poll(() => query(prometheus, SEEN), { timeout: 60_000, interval: 500 }).toBe(GPUS);
  expect(await alertsOf(prometheus), 'a healthy fleet is silent').toEqual([]);
  const response = await fetch(`${exporter.url}/api/v1/simulate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: 'everything' }),
  });
  expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
}

async function alertsOf(prometheus: RunningServer): Promise<readonly Alert[]> {
  return (await ask<{ alerts: readonly Alert[] }>(prometheus, 'alerts')).alerts;
}

function placed({ labels: { instance, gpu, alertname }, state }: Alert): string {
  return `${gpu === undefined ? instance : `${instance}/${gpu}`} ${alertname} ${state}`;
}

/** A state that was reached stays reached: what was pending may fire by the time the last one comes. */
function reached(seen: Set<string>, alerts: readonly Alert[]): Set<string> {
  for (const alert of alerts) seen.add(placed(alert));
  return seen;
}

it('every fault of the simulation is seen by its rules, and by no other', { timeout: 200_000 }, async (context) => {
  const running = await start(context);
  const { prometheus } = running;
  await strike(running);
  const seen = new Set<string>();
  await vi.waitFor(
    async () => {
      reached(seen, await alertsOf(prometheus));
      expect(EXPECTED.filter((alert) => !seen.has(alert))).toEqual([]);
    },
    { timeout: 120_000, interval: 500 },
  );
  const subjects = (states: Iterable<string>) =>
    [...new Set([...states].map((one) => one.replace(/ \w+$/, '')))].sort();
  expect(subjects(seen)).toEqual(subjects(EXPECTED));
});
