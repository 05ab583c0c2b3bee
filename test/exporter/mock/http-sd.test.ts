import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { httpSdDocument } from '../../../exporter/source/mock/http-sd.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';

const targetsAt = (address: string) =>
  ['node-0', 'node-1', 'node-2'].map((name) => ({
    name,
    modelName: 'NVIDIA H200',
    address,
    metricsPath: `/nodes/${name}/metrics`,
  }));

describe('httpSdDocument', () => {
  it('has one group per node, with its address, path and name', () => {
    expect(httpSdDocument(targetsAt('10.0.0.7:9400')).slice(0, 1)).toEqual([
      {
        targets: ['10.0.0.7:9400'],
        labels: {
          instance: 'node-0',
          __metrics_path__: '/nodes/node-0/metrics',
          __meta_gpu_node: 'node-0',
          __meta_gpu_model: 'NVIDIA H200',
        },
      },
    ]);
  });

  it('is what a real Prometheus discovers and scrapes nodes by, each with series of its own', async (context) => {
    const tool = await requireTool(context, 'prometheus');
    let address = '';
    const server = createServer(({ url }, response) => {
      if (url === '/sd')
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify(httpSdDocument(targetsAt(address))));
      else response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(`test_page{path="${url}"} 1\n`);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close().closeAllConnections());
    await once(server, 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const config = JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [
        {
          job_name: 'fleet',
          http_sd_configs: [{ url: `http://${address}/sd`, refresh_interval: '1s' }],
          relabel_configs: [{ source_labels: ['__meta_gpu_model'], target_label: 'model' }],
        },
      ],
    });
    const prometheus = await startPrometheus({ tool, config });
    onTestFinished(() => prometheus.stop());
    const query = async (expr: string) => {
      const response = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(expr)}`);
      const { data } = (await response.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return data.result.map(({ metric, value }) => ({ ...metric, value: value[1] }));
    };
    const each = (extra: (name: string) => object) =>
      ['node-0', 'node-1', 'node-2'].map((name) =>
        expect.objectContaining({ job: 'fleet', instance: name, model: 'NVIDIA H200', ...extra(name) }),
      );
    await vi.waitFor(async () => expect(await query('sort_desc(up{job="fleet"})')).toHaveLength(3), {
      timeout: 30_000,
      interval: 250,
    });
    await vi.waitFor(
      async () => {
        const pages = (await query('test_page')).toSorted((a, b) =>
          String(Reflect.get(a, 'instance')).localeCompare(String(Reflect.get(b, 'instance'))),
        );
        expect(pages).toEqual(each((name) => ({ path: `/nodes/${name}/metrics` })));
      },
      { timeout: 30_000, interval: 250 },
    );
    expect((await query('up == 1')).map(({ value }) => value)).toEqual(['1', '1', '1']);
  }, 60_000);
});
