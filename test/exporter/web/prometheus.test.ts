import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect, it, onTestFinished } from 'vitest';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import { certificatesFor, placeConfig } from './certificates.ts';
import { serveWeb } from './web-server-under-test.ts';

const page = '# HELP gpu_up Whether the GPU answers.\n# TYPE gpu_up gauge\ngpu_up{uuid="GPU-1"} 1\n';

it('is scraped by a real Prometheus with a client certificate and a password, and by none without both', async (context) => {
  const tool = await requireTool(context, 'prometheus');
  const certificates = certificatesFor(context);
  const file = (name: string) => join(certificates.directory, name);
  const config = placeConfig(
    certificates,
    'scraped.yml',
    JSON.stringify({
      tls_server_config: {
        cert_file: 'server.pem',
        key_file: 'server.key',
        client_auth_type: 'RequireAndVerifyClientCert',
        client_ca_file: 'ca.pem',
        client_allowed_sans: ['prometheus.example.org'],
      },
      basic_auth_users: { prometheus: hashSync('scrape me', 10) },
    }),
  );
  const { port } = await serveWeb({
    config,
    handler: (_request, response) => response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(page),
  });
  const job = (job_name: string, client: string | undefined, password: string) => ({
    job_name,
    scheme: 'https',
    basic_auth: { username: 'prometheus', password },
    tls_config: {
      ca_file: file('ca.pem'),
      ...(client && { cert_file: file(`${client}.pem`), key_file: file(`${client}.key`) }),
    },
    static_configs: [{ targets: [`localhost:${port}`] }],
  });
  const jobs = [
    job('both', 'client', 'scrape me'),
    job('wrong-password', 'client', 'scrape us'),
    job('no-certificate', undefined, 'scrape me'),
    job('other-authority', 'stranger', 'scrape me'),
    job('other-name', 'nameless', 'scrape me'),
  ];
  const global = { scrape_interval: '500ms', scrape_timeout: '500ms' };
  const prometheus = await startPrometheus({ tool, config: JSON.stringify({ global, scrape_configs: jobs }) });
  onTestFinished(() => prometheus.stop());

  const values = async (query: string) => {
    const response = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await response.json()) as {
      data: { result: { metric: { job: string }; value: [number, string] }[] };
    };
    return Object.fromEntries(data.result.map(({ metric, value }) => [metric.job, value[1]]));
  };
  await expect
    .poll(() => values('up'), { timeout: 15_000, interval: 200 })
    .toEqual({ both: '1', 'wrong-password': '0', 'no-certificate': '0', 'other-authority': '0', 'other-name': '0' });
  expect(await values('gpu_up')).toEqual({ both: '1' });
  const targets = await (await fetch(`${prometheus.url}/api/v1/targets`)).text();
  expect(targets).toContain('server returned HTTP status 401 Unauthorized');
  expect(targets).toContain('tls: certificate required');
});
