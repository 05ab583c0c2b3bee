import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { type AddressPolicy, addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import { uptimeObserver } from '../../../engine/ping/observed-uptime.ts';
import { AgentRegistry } from '../../../engine/ping/registry.ts';
import { createPromClient } from '../../../engine/prometheus/client.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { startExporter } from '../../servers/exporter.ts';
import { freePort } from '../../servers/free-port.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import type { RunningServer } from '../../servers/server.ts';
import { planOf, play, policy, times } from '../core/fixtures.ts';
import { UP } from '../core/ping/fixtures.ts';
import { WIDEST } from '../ping/open-policy.ts';
import { registered } from '../ping/registry-fixtures.ts';
import { anAgent } from '../store/ping-fixtures.ts';
import { fakePings } from './fake-pings.ts';
import { type Answer, ask as askAt, servePings } from './ping-serving.ts';
import { serve } from './serving.ts';

async function labelsOf(ask: (request: string) => Promise<Answer>): Promise<readonly Record<string, string>[]> {
  const { body } = await ask('GET /sd/agents');
  return (body as readonly { readonly labels: Record<string, string> }[]).map(({ labels }) => labels);
}

describe('GET /sd/agents', () => {
  it('lists agents as Prometheus takes them', async () => {
    const { ask, registry } = await servePings();
    await registered(registry, {
      agent_id: 'plain',
      agent_url: 'http://agent-host:8001',
      capabilities: [],
      metadata: {},
    });
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
          instance: 'agent-host:8001',
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
          instance: 'agents.example.org:443/gpu-7',
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
          instance: '[2001:4860::1]:8001',
          agent_id: 'six',
          __meta_gpu_uptime_url: 'http://[2001:4860::1]:8001',
          __meta_gpu_uptime_node: '[2001:4860::1]:8001',
          __meta_gpu_uptime_capabilities: ',x,',
        },
      },
    ]);
  });

  it('names nobody by the host and port of another whose scheme alone differs', async () => {
    const { ask, registry, fake, clock } = await servePings();
    const victim = 'victim.example.org:8001';
    await registered(registry, { agent_id: 'early', agent_url: `https://${victim}`, metadata: {} });
    clock.nowMs += 1;
    await registered(registry, { agent_id: 'later', agent_url: `http://${victim}`, metadata: {} });
    expect(await labelsOf(ask)).toMatchObject([
      { agent_id: 'early', instance: victim },
      { agent_id: 'later', instance: `http://${victim}` },
    ]);
    // Whoever came early, and cannot answer there, gives way to who does.
    fake.answer = UP;
    clock.nowMs += 60_000;
    await fake.pingNow('later', new AbortController().signal);
    expect(registry.get('later')?.state.isReachable).toBe(true);
    expect(await labelsOf(ask)).toMatchObject([
      { agent_id: 'early', instance: `https://${victim}` },
      { agent_id: 'later', instance: victim },
    ]);
  });

  it('leaves out agents at addresses that the policy has come to refuse', async () => {
    const { url, registry, targets } = await serveLocal();
    await registered(registry, { agent_id: 'local', agent_url: 'http://127.0.0.1:8001' });
    await registered(registry, { agent_id: 'public', agent_url: 'http://8.8.8.8:8001' });
    const asking = (request: string) => askAt(url, request);
    expect(await labelsOf(asking)).toMatchObject([{ agent_id: 'local' }, { agent_id: 'public' }]);
    targets.current = { ...WIDEST, allowLoopback: false };
    expect(await labelsOf(asking)).toMatchObject([{ agent_id: 'public' }]);
  });

  it('keeps the first of metadata that become one label', async () => {
    const { ask, registry } = await servePings();
    const metadata = { 'a.b': 'first', a_b: 'second', 'a-b': 'third', c: 'other' };
    await registered(registry, { agent_id: 'plain', metadata });
    const [labels = {}] = await labelsOf(ask);
    const names = Object.entries(labels).filter(([name]) => name.startsWith('__meta_gpu_uptime_metadata_'));
    expect(Object.fromEntries(names)).toEqual({
      __meta_gpu_uptime_metadata_a_b: 'first',
      __meta_gpu_uptime_metadata_c: 'other',
    });
  });

  it('is an empty list where nobody is registered, and takes no parameters', async () => {
    const { ask } = await servePings();
    expect((await ask('GET /sd/agents')).body).toEqual([]);
    expect(await ask('GET /sd/agents?all=1')).toMatchObject({ status: 400 });
  });
});

const FLEET = play(planOf(), times(1, { 'a/0': 'up' }));
const { ping } = policy();

interface LocalServing {
  readonly url: string;
  readonly registry: AgentRegistry;
  /** In force. */
  readonly targets: { current: AddressPolicy };
}

/** The HTTP side with a registry that takes agents on this machine. */
async function serveLocal(): Promise<LocalServing> {
  const opened = openSqliteStore(':memory:');
  const targets = { current: WIDEST };
  const judgeUrl = (text: string) => readAgentUrl(text, addressGuard(targets.current));
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
  return { url, registry, targets };
}

/** Answers scrapes below a path, and nowhere else: its base URL. */
async function serveBelowAPath(): Promise<string> {
  const origin = await servePages({ '/gpu-7/metrics': 'below_a_path 7\n' });
  return `${origin}/gpu-7`;
}

async function servePages(pages: Readonly<Record<string, string>>): Promise<string> {
  const server: Server = createServer((req, res) => {
    const page = pages[req.url ?? ''];
    res.writeHead(page === undefined ? 503 : 200, { 'content-type': 'text/plain; version=0.0.4' });
    res.end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
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
    const waiting = { timeout: 20_000, interval: 250 };
    await expect
      .poll(() => query(prometheus, 'up'), waiting)
      .toEqual(
        expect.arrayContaining([
          { ...up, instance: `${new URL(below).host}/gpu-7`, agent_id: 'below', fit: 'yes' },
          { ...up, instance: new URL(exporter.url).host, agent_id: 'exporter', model: model.gpu_model },
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

  it('blames no agent for others at its port', { timeout: 90_000 }, async (context: TestContext) => {
    const tool = await requireTool(context, 'prometheus');
    const { url, registry } = await serveLocal();
    const origin = await servePages({ '/gpu-7/metrics': 'DCGM_FI_DEV_GPU_TEMP{UUID="GPU-7",gpu="7"} 61\n' });
    await registered(registry, { agent_id: 'gpu-7', agent_url: `${origin}/gpu-7`, metadata: {} });
    await registered(registry, { agent_id: 'gpu-8', agent_url: `${origin}/gpu-8`, metadata: {} });
    await registered(registry, { agent_id: 'attacker', agent_url: `${origin}/nothing`, metadata: {} });
    await registered(registry, {
      agent_id: 'other',
      agent_url: `${origin.replace('http', 'https')}/gpu-7`,
      metadata: {},
    });
    const port = await freePort();
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [
        { job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
        { job_name: 'agents', http_sd_configs: [{ url: `${url}/sd/agents`, refresh_interval: '1s' }] },
      ],
    };
    const prometheus = await startPrometheus({ tool, port, config: JSON.stringify(config) });
    onTestFinished(() => prometheus.stop());
    const waiting = { timeout: 40_000, interval: 500 };
    await expect
      .poll(() => query(prometheus, 'count_over_time(DCGM_FI_DEV_GPU_TEMP[1m]) >= 12'), waiting)
      .toHaveLength(1);
    expect(await query(prometheus, 'up{job="agents"} == 0')).toHaveLength(3);
    const prom = createPromClient({ url: prometheus.url, timeoutMs: 5000, concurrency: 2 });
    onTestFinished(() => prom.close());
    const judged = policy({ intervalMs: 1000, settleMs: 500, presence: { ...policy().presence, freshMs: 2000 } });
    const observe = uptimeObserver({ prom, policy: () => judged });
    const toMs = Date.now();
    const agent = registry.get('gpu-7')?.agent ?? anAgent('missing');
    const seen = await observe({ fromMs: toMs - 8000, toMs }, agent, AbortSignal.timeout(10_000));
    expect(seen).toMatchObject({ uptime: 1, coverage: expect.closeTo(1, 0) });
  });
});
