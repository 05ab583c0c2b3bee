/** How rules/README.md narrows down what agents may say: its relabelling rule, and its policy, before a real Prometheus. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { describe, expect, it, onTestFinished } from 'vitest';
import { placesQuery } from '../../engine/core/ping/queries.ts';
import type { Policy } from '../../engine/core/policy.ts';
import { checkQueries, presenceQuery, targetQuery } from '../../engine/core/queries.ts';
import { loadPolicy } from '../../engine/policy/load.ts';
import { createPromClient } from '../../engine/prometheus/client.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { requireTool } from '../servers/require-tool.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { promtool } from './promtool.ts';
import { ROOT } from './rule-files.ts';

const README = readFileSync(join(ROOT, 'rules/README.md'), 'utf8');
const CHAPTER = README.split('### What agents may say')[1]?.split('### Where to look')[0] ?? '';
const [KEEP = '', NARROW = ''] = [...CHAPTER.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

function policyOf(source: string): Policy {
  const outcome = loadPolicy({ file: 'policy.yml', source, env: {} });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
  return outcome.policy;
}

async function serve(page: string): Promise<string> {
  const server = createServer((_, res) => void res.writeHead(200, { 'content-type': 'text/plain' }).end(page));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const gpu = (uuid: string, temperature: number) =>
  [
    `DCGM_FI_DEV_GPU_TEMP{UUID="${uuid}",gpu="0"} ${temperature}`,
    `DCGM_FI_DEV_GPU_UTIL{UUID="${uuid}",gpu="0"} ${temperature}`,
    `DCGM_FI_DEV_FB_USED{UUID="${uuid}",gpu="0"} 10000`,
    `DCGM_FI_DEV_FB_FREE{UUID="${uuid}",gpu="0"} ${temperature > 85 ? 1 : 30_000}\n`,
  ].join('\n');

describe('a policy that names the job it trusts', () => {
  it('hears nothing of what agents say', { timeout: 60_000 }, async (context) => {
    const tool = await requireTool(context, 'prometheus');
    const [trusted, liar] = await Promise.all([serve(gpu('GPU-1', 61)), serve(gpu('GPU-1', 99) + gpu('GPU-2', 40))]);
    const jobs = { gpu: trusted, agents: liar };
    const scrape_configs = Object.entries(jobs).map(([job_name, target]) => ({
      job_name,
      static_configs: [{ targets: [target] }],
    }));
    const config = dump({ global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs });
    const prometheus = await startPrometheus({ tool, config });
    onTestFinished(() => prometheus.stop());
    const prom = createPromClient({ url: prometheus.url, timeoutMs: 5000, concurrency: 1 });
    onTestFinished(() => prom.close());
    const ask = (query: string) => prom.instant(query, Date.now(), AbortSignal.timeout(5000));
    await expect.poll(() => ask('count(DCGM_FI_DEV_FB_FREE)'), { timeout: 30_000 }).toMatchObject([{ value: 3 }]);
    const seen = async (policy: Policy) => ({
      gpus: (await ask(presenceQuery(policy)))
        .map(({ labels: { UUID, instance } }) => `${UUID} ${instance}`)
        .toSorted(),
      targets: (await ask(targetQuery(policy))).map(({ labels }) => labels.job).toSorted(),
      values: (await Promise.all(checkQueries(policy).map(ask)))
        .flat()
        .map(({ labels, value }) => [labels.UUID, value]),
    });
    const everything = await seen(policyOf(''));
    expect(everything.gpus).toEqual([`GPU-1 ${trusted}`, `GPU-1 ${liar}`, `GPU-2 ${liar}`].toSorted());
    expect(everything.targets).toEqual(['agents', 'gpu']);
    expect(everything.values).toEqual(
      expect.arrayContaining([
        ['GPU-1', 99],
        ['GPU-1', 1],
      ]),
    );
    const narrowed = await seen(policyOf(NARROW));
    expect(narrowed.gpus).toEqual([`GPU-1 ${trusted}`]);
    const range = { sinceMs: Date.now() - 60_000, untilMs: Date.now() };
    const places = placesQuery(policyOf(NARROW), [{ gpu: 'GPU-1' }, { gpu: 'GPU-2' }], range) ?? '';
    expect((await ask(places)).map(({ labels }) => labels)).toEqual([{ UUID: 'GPU-1', instance: trusted }]);
    expect(narrowed.targets).toEqual(['gpu']);
    expect(narrowed.values.map(([uuid]) => uuid)).toEqual(Array(5).fill('GPU-1'));
    expect(narrowed.values).toEqual(
      expect.arrayContaining([
        ['GPU-1', 61],
        ['GPU-1', 30_000],
      ]),
    );
  });

  it('judges as the default policy does, but for the job', () => {
    const [narrowed, standard] = [policyOf(NARROW), policyOf('')];
    const shown = ({ checks }: Policy) =>
      checks.map((check) => ({ ...check, expr: check.expr.replaceAll('{job="gpu"}', '') }));
    expect(shown(narrowed)).toEqual(standard.checks);
  });
});

it('the relabelling rule keeps the addresses of the zone, and promtool takes it', async (context) => {
  const config = readFileSync(join(ROOT, 'rules/prometheus.yml'), 'utf8');
  const rules = KEEP.replace(/^/gm, '      ').trimEnd();
  const file = join(temporaryDirectory(), 'prometheus.yml');
  const text = config.replace('    relabel_configs:\n', `    relabel_configs:\n${rules}\n`);
  expect(text).not.toBe(config);
  writeFileSync(file, text.replace(/^rule_files:\n.*\n/m, ''));
  expect(await promtool(context, 'check', 'config', file)).toMatchObject({ ok: true });
  const [{ regex } = { regex: '' }] = load(KEEP) as readonly { readonly regex: string }[];
  // Prometheus anchors patterns at both ends.
  const isKept = (address: string) => new RegExp(`^(?:${regex})$`).test(address);
  const kept = ['node-7.gpu.example.org:9400'];
  const dropped = ['node-7.gpu.example.org.evil.example:9400', '10.0.0.1:9400', 'gpuXexample.org:9400'];
  expect([...kept, ...dropped].filter(isKept)).toEqual(kept);
});
