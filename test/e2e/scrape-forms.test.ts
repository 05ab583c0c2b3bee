/** A real Prometheus scrapes the real exporter in every form it has, by path, by port and by service discovery. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startExporter } from '../servers/exporter.ts';
import { freePortRange } from '../servers/free-port.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { requireTool } from '../servers/require-tool.ts';
import { ROOT, type RunningServer } from '../servers/server.ts';

const timing = { scrape_interval: '500ms', scrape_timeout: '500ms' };

async function prometheusOver(context: Parameters<typeof requireTool>[0], scrape_configs: readonly object[]) {
  const tool = await requireTool(context, 'prometheus');
  const prometheus = await startPrometheus({ tool, config: JSON.stringify({ global: timing, scrape_configs }) });
  onTestFinished(() => prometheus.stop());
  return (query: string) => ask(prometheus, query);
}

async function ask(prometheus: RunningServer, query: string): Promise<Readonly<Record<string, number>>> {
  const response = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = (await response.json()) as { data: { result: { metric: object; value: [number, string] }[] } };
  const entries = data.result.map(({ metric, value }) => [Object.values(metric).join(' '), Number(value[1])]);
  return Object.fromEntries(entries);
}

const patience = { timeout: 20_000, interval: 250 };

it('both profiles of eight GPUs, in text and as OpenMetrics, with the same readings', async (context) => {
  const exporter = await startExporter({ env: { GPU_SOURCE: 'mock', EXPORTER_COLLECT_INTERVAL_MS: '200' } });
  onTestFinished(() => exporter.stop());
  const static_configs = [{ targets: [new URL(exporter.url).host] }];
  const job = (job_name: string, profile?: string) => ({
    job_name,
    static_configs,
    ...(profile && { params: { profile: [profile] } }),
  });
  const query = await prometheusOver(context, [
    job('dcgm'),
    job('native', 'native'),
    job('all', 'dcgm,native,platform'),
  ]);
  await expect.poll(() => query('sum by (job) (up)'), patience).toEqual({ dcgm: 1, native: 1, all: 1 });
  expect(await query('count by (job) (DCGM_FI_DEV_GPU_TEMP{Hostname!=""})')).toEqual({ dcgm: 8, all: 8 });
  expect(await query('count by (job) (gpu_up == 1)')).toEqual({ native: 8, all: 8 });
  expect(await query('count by (job) (gpu_memory_used_mb)')).toEqual({ all: 8 });
  // On one page the same reading has to be the same value under both of its names.
  expect(
    await query(
      'max(abs(label_replace(DCGM_FI_DEV_GPU_TEMP{job="all"}, "uuid", "$1", "UUID", "(.*)") - on (uuid) gpu_temperature_celsius{job="all"}))',
    ),
  ).toEqual({ '': 0 });
});

it('every node of a fleet by HTTP service discovery, by path and by port, each as an instance of its own', async (context) => {
  const nodePorts = await freePortRange(2);
  const byPath = await startExporter({ env: { GPU_SOURCE: 'mock', MOCK_NODES: '3', MOCK_GPUS: '6' } });
  onTestFinished(() => byPath.stop());
  const byPort = await startExporter({
    env: { GPU_SOURCE: 'mock', MOCK_NODES: '2', MOCK_GPUS: '4', MOCK_NODE_PORTS: String(nodePorts) },
  });
  onTestFinished(() => byPort.stop());
  const job = (job_name: string, { url }: RunningServer) => ({
    job_name,
    http_sd_configs: [{ url: `${url}/api/v1/http-sd` }],
  });
  const query = await prometheusOver(context, [job('path', byPath), job('port', byPort)]);
  await expect
    .poll(() => query('sum by (job, instance) (up)'), patience)
    .toEqual({ 'node-0 path': 1, 'node-1 path': 1, 'node-2 path': 1, 'node-0 port': 1, 'node-1 port': 1 });
  expect(await query('count by (job) (DCGM_FI_DEV_GPU_TEMP)')).toEqual({ path: 6, port: 4 });
  expect(await query('count by (job) (count by (job, UUID) (DCGM_FI_DEV_GPU_TEMP))')).toEqual({ path: 6, port: 4 });
});

it('a counters file written for dcgm-exporter, given by dcgm-exporter’s own variable', async (context) => {
  const exporter = await startExporter({
    env: {
      GPU_SOURCE: 'mock',
      DCGM_EXPORTER_COLLECTORS: join(ROOT, 'test/e2e/files/dcgm-counters.csv'),
      DCGM_EXPORTER_NO_HOSTNAME: 'true',
      DCGM_EXPORTER_INTERVAL: '200',
    },
  });
  onTestFinished(() => exporter.stop());
  const query = await prometheusOver(context, [
    { job_name: 'gpu', static_configs: [{ targets: [new URL(exporter.url).host] }] },
  ]);
  await expect
    .poll(() => query('count by (__name__) ({__name__=~"(DCGM|dcgm).*"})'), patience)
    .toEqual({
      DCGM_FI_DEV_GPU_TEMP: 8,
      dcgm_sm_clock: 8,
      DCGM_FI_DEV_BOARD_POWER_WATTS: 8,
      DCGM_EXP_XID_ERRORS_COUNT: 8,
    });
  expect(
    await query('count by (DCGM_FI_DEV_VBIOS_VERSION) (DCGM_FI_DEV_GPU_TEMP{Hostname="",hostname=""})'),
  ).not.toEqual({});
});
