/** What a real Prometheus takes from agents that rules/prometheus.yml lets it find: each target once, and only their own series. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { localPrometheusConfig } from '../../engine/stack/configs.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { requireTool } from '../servers/require-tool.ts';
import { ROOT } from './rule-files.ts';

/** Nothing listens there, and nobody is to ask. */
const EXPORTER_PORT = 9;

const PAGE = `DCGM_FI_DEV_GPU_TEMP{UUID="GPU-1",gpu="0"} 61
gpu_exporter_up 1
gpu_uptime_ratio{uuid="GPU-1",window="short"} 1
ALERTS{alertname="GpuLost",UUID="GPU-2",alertstate="firing"} 1
up{job="prometheus"} 1
process_cpu_seconds_total 3
`;

/** The service discovery of an engine, and an agent, on one port. */
async function serveAgents(): Promise<{ readonly port: number; readonly asked: ReadonlySet<string> }> {
  const asked = new Set<string>();
  const server = createServer((req, res) => {
    const { port } = server.address() as AddressInfo;
    asked.add(req.url ?? '');
    if (req.url === '/metrics') return res.end(PAGE);
    if (req.url === '/elsewhere/metrics') return res.writeHead(302, { location: '/secret' }).end();
    if (req.url !== '/sd/agents') return res.writeHead(404).end();
    const targets = [`127.0.0.1:${port}`, `127.0.0.1:${EXPORTER_PORT}`, `localhost:${EXPORTER_PORT}`];
    const groups = targets.map((target, n) => ({ targets: [target], labels: { agent_id: `agent-${n}` } }));
    const labels = { agent_id: 'elsewhere', instance: 'elsewhere', __metrics_path__: '/elsewhere/metrics' };
    groups.push({ targets: [`127.0.0.1:${port}`], labels });
    return res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(groups));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

function agentsJob(port: number): string {
  const ports = { exporter: EXPORTER_PORT, prometheus: 1, alertmanager: 1, engine: port, notifications: 1 };
  const text = localPrometheusConfig(readFileSync(join(ROOT, 'rules/prometheus.yml'), 'utf8'), ROOT, ports);
  const Config = z.looseObject({ scrape_configs: z.array(z.looseObject({ job_name: z.string() })) });
  const { scrape_configs } = Config.parse(load(text));
  return dump({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: scrape_configs.filter(({ job_name }) => job_name === 'agents'),
  });
}

const Answer = z.object({ data: z.array(z.record(z.string(), z.string())) });

it('finds agents, leaves out what the job gpu has, takes no series that is not theirs, and follows no redirect', {
  timeout: 60_000,
}, async (context) => {
  const tool = await requireTool(context, 'prometheus');
  const { port, asked } = await serveAgents();
  const prometheus = await startPrometheus({ tool, config: agentsJob(port) });
  onTestFinished(() => prometheus.stop());
  const series = async () => {
    const response = await fetch(`${prometheus.url}/api/v1/series?match[]=${encodeURIComponent('{job="agents"}')}`);
    return Answer.parse(await response.json()).data.filter(({ __name__ }) => !__name__?.startsWith('scrape_'));
  };
  const about = { job: 'agents', agent_id: 'agent-0', instance: `127.0.0.1:${port}` };
  await expect.poll(async () => (await series()).length, { timeout: 30_000 }).toBeGreaterThan(3);
  expect(await series()).toEqual(
    expect.arrayContaining([
      { __name__: 'up', ...about },
      { __name__: 'DCGM_FI_DEV_GPU_TEMP', UUID: 'GPU-1', gpu: '0', ...about },
      { __name__: 'gpu_exporter_up', ...about },
    ]),
  );
  expect(await series()).toContainEqual({
    __name__: 'up',
    job: 'agents',
    agent_id: 'elsewhere',
    instance: 'elsewhere',
  });
  expect(await series()).toHaveLength(4);
  expect([...asked].toSorted()).toEqual(['/elsewhere/metrics', '/metrics', '/sd/agents']);
});
