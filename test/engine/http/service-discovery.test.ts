import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import { AgentRegistry } from '../../../engine/ping/registry.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { startExporter } from '../../servers/exporter.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import type { RunningServer } from '../../servers/server.ts';
import { planOf, play, policy, times } from '../core/fixtures.ts';
import { WIDEST } from '../ping/open-policy.ts';
import { registered } from '../ping/registry-fixtures.ts';
import { fakePings } from './fake-pings.ts';
import { servePings } from './ping-serving.ts';
import { serve } from './serving.ts';

describe('GET /sd/agents', () => {
  it('lists agents as Prometheus takes them', async () => {
    const { ask, registry } = await servePings();
    await registered(registry, { agent_id: 'plain', capabilities: [], metadata: {} });
    await registered(registry, {
      agent_id: 'behind-a-path',
      agent_url: 'https://Agents.example.org/gpu-7/',
      capabilities: ['llm-70b', 'stabilityai/sdxl-turbo'],
      metadata: { 'gpu.model-name': 'RTX "4090"\\', spot: false, gpus: 2, node: 'n1', gpu_uuid: 'GPU-1' },
    });
    await registered(registry, {
      agent_id: 'six',
      agent_url: 'http://[2001:4860::1]:8001',
      capabilities: ['x'],
      metadata: {},
    });
    const { status, headers, body } = await ask('GET /sd/agents');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    const labels = {
      __metrics_path__: '/metrics',
      __meta_gpu_uptime_gpu: '',
      __meta_gpu_uptime_status: 'never_pinged',
    };
    expect(body).toEqual([
      {
        targets: ['agent-host:8001'],
        labels: {
          ...labels,
          __scheme__: 'http',
          agent_id: 'plain',
          __meta_gpu_uptime_url: 'http://agent-host:8001',
          __meta_gpu_uptime_node: 'agent-host:8001',
          __meta_gpu_uptime_capabilities: '',
        },
      },
      {
        targets: ['agents.example.org:443'],
        labels: {
          ...labels,
          __scheme__: 'https',
          __metrics_path__: '/gpu-7/metrics',
          agent_id: 'behind-a-path',
          __meta_gpu_uptime_url: 'https://agents.example.org/gpu-7',
          __meta_gpu_uptime_node: 'n1',
          __meta_gpu_uptime_gpu: 'GPU-1',
          __meta_gpu_uptime_capabilities: ',llm-70b,stabilityai/sdxl-turbo,',
          __meta_gpu_uptime_metadata_gpu_model_name: 'RTX "4090"\\',
          __meta_gpu_uptime_metadata_spot: 'false',
          __meta_gpu_uptime_metadata_gpus: '2',
          __meta_gpu_uptime_metadata_node: 'n1',
          __meta_gpu_uptime_metadata_gpu_uuid: 'GPU-1',
        },
      },
      {
        targets: ['[2001:4860::1]:8001'],
        labels: {
          ...labels,
          __scheme__: 'http',
          agent_id: 'six',
          __meta_gpu_uptime_url: 'http://[2001:4860::1]:8001',
          __meta_gpu_uptime_node: '[2001:4860::1]:8001',
          __meta_gpu_uptime_capabilities: ',x,',
        },
      },
    ]);
  });

  it('is an empty list where nobody is registered, and takes no parameters', async () => {
    const { ask } = await servePings();
    expect((await ask('GET /sd/agents')).body).toEqual([]);
    expect(await ask('GET /sd/agents?all=1')).toMatchObject({ status: 400 });
  });
});

const FLEET = play(planOf(), times(1, { 'a/0': 'up' }));
const { ping } = policy();

/** The HTTP side with a registry that takes agents on this machine. */
async function serveLocal(): Promise<{ readonly url: string; readonly registry: AgentRegistry }> {
  const opened = openSqliteStore(':memory:');
  const guard = addressGuard(WIDEST);
  const judgeUrl = (text: string) => readAgentUrl(text, guard);
  const registry = await AgentRegistry.open({
    ...opened,
    now: Date.now,
    judgeUrl,
    policy: () => ping,
    maxAgents: () => 100,
  });
  const pings = fakePings({ registry, pings: opened.pings, now: Date.now });
  const { url, close } = await serve({ fleet: FLEET, pings });
  onTestFinished(close);
  return { url, registry };
}

/** Answers scrapes below a path, and nowhere else. */
async function serveBelowAPath(): Promise<string> {
  const server: Server = createServer((req, res) => {
    const isThere = req.url === '/gpu-7/metrics';
    res.writeHead(isThere ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' });
    res.end(isThere ? 'below_a_path 7\n' : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/gpu-7`;
}

/** What Prometheus knows of the expression: labels and value of each series. */
async function query(prometheus: RunningServer, expr: string): Promise<readonly unknown[]> {
  const response = await fetch(`${prometheus.url}/api/v1/query?${new URLSearchParams({ query: expr })}`);
  const { data } = (await response.json()) as {
    readonly data: {
      readonly result: readonly { readonly metric: object; readonly value: readonly [number, string] }[];
    };
  };
  return data.result.map(({ metric, value: [, value] }) => ({ ...metric, value }));
}

describe('a real Prometheus', () => {
  it('scrapes whoever registers, and forgets who leaves', { timeout: 60_000 }, async (context: TestContext) => {
    const tool = await requireTool(context, 'prometheus');
    const [{ url, registry }, exporter, below] = await Promise.all([serveLocal(), startExporter(), serveBelowAPath()]);
    onTestFinished(() => exporter.stop());
    const scrape = {
      job_name: 'agents',
      scrape_interval: '1s',
      scrape_timeout: '1s',
      http_sd_configs: [{ url: `${url}/sd/agents`, refresh_interval: '1s' }],
      relabel_configs: [
        { source_labels: ['__meta_gpu_uptime_metadata_gpu_model'], target_label: 'model' },
        {
          source_labels: ['__meta_gpu_uptime_capabilities'],
          regex: '.*,y,.*',
          target_label: 'fit',
          replacement: 'yes',
        },
      ],
    };
    const prometheus = await startPrometheus({ tool, config: JSON.stringify({ scrape_configs: [scrape] }) });
    onTestFinished(() => prometheus.stop());
    const model = { gpu_model: 'RTX "4090" ü\\' };
    await registered(registry, { agent_id: 'exporter', agent_url: exporter.url, capabilities: ['x'], metadata: model });
    const token = await registered(registry, {
      agent_id: 'below',
      agent_url: below,
      capabilities: ['x', 'y'],
      metadata: {},
    });
    const up = { __name__: 'up', job: 'agents', value: '1' };
    const instance = (agentUrl: string) => new URL(agentUrl).host;
    const waiting = { timeout: 20_000, interval: 250 };
    await expect
      .poll(() => query(prometheus, 'up'), waiting)
      .toEqual(
        expect.arrayContaining([
          { ...up, instance: instance(below), agent_id: 'below', fit: 'yes' },
          { ...up, instance: instance(exporter.url), agent_id: 'exporter', model: model.gpu_model },
        ]),
      );
    await expect
      .poll(() => query(prometheus, 'below_a_path'), waiting)
      .toMatchObject([{ agent_id: 'below', value: '7' }]);
    await expect
      .poll(() => query(prometheus, 'count(DCGM_FI_DEV_GPU_TEMP{agent_id="exporter"}) > 0'), waiting)
      .toHaveLength(1);
    await registry.remove('below', { token });
    await expect.poll(() => query(prometheus, 'up'), waiting).toMatchObject([{ agent_id: 'exporter' }]);
  });
});
