import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseWebConfig } from '../../../exporter/web/web-config.ts';
import { defaultLimits } from '../../../exporter/web/web-limits.ts';
import { readDocument, tableRows } from '../../docs/documents.ts';
import { ROOT } from '../../servers/server.ts';

const text = readFileSync(join(ROOT, 'exporter/web/README.md'), 'utf8');

it('shows an example that is taken', () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
  const { config, problems } = parseWebConfig(example.replace('$2y$10$...', `$2y$10$${'x'.repeat(53)}`));
  expect(problems).toEqual([]);
  expect([config.tls?.clientAuth, [...config.users.keys()], config.headers.length, config.rateLimit]).toEqual([
    'RequireAndVerifyClientCert',
    ['prometheus'],
    1,
    { intervalMs: 100, burst: 50 },
  ]);
});

it('shows the limits of the code', () => {
  const limits = readDocument('exporter/web/README.md').text.split('## Limits')[1] ?? '';
  const rows = tableRows({ path: '', text: limits, prose: limits }, 'what').map(([, limit]) => limit);
  const { headersTimeoutMs, requestTimeoutMs, maxHeaderBytes, maxBodyBytes, ...others } = defaultLimits;
  expect(headersTimeoutMs).toBe(requestTimeoutMs);
  expect(rows).toEqual([
    `${headersTimeoutMs / 1000} s`,
    `${others.handshakeTimeoutMs / 1000} s`,
    `${others.stalledTimeoutMs / 1000} s`,
    `${others.keepAliveTimeoutMs / 1000} s`,
    `${maxHeaderBytes / 1024} KiB`,
    `${others.maxUrlLength} characters`,
    `${maxBodyBytes / 1024} KiB`,
    `${others.maxConnections}`,
    `${others.maxConnectionsPerClient}`,
    '8',
  ]);
});
