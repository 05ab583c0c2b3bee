import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Alerting, withUrls } from '../../../engine/alertmanager/alerting.ts';
import { readAlertingFile } from '../../../engine/alertmanager/alerting-file.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

const GOLDEN = join(import.meta.dirname, 'golden');

function filesIn(folder: 'good' | 'bad'): string[] {
  return readdirSync(join(GOLDEN, folder)).filter((name) => name.endsWith('.yml'));
}

async function readText(text: string, env = {}): Promise<Alerting> {
  const file = join(temporaryDirectory(), 'alerting.yml');
  writeFileSync(file, text);
  const outcome = await readAlertingFile(file, env);
  if (!outcome.ok) throw new Error(outcome.text);
  return outcome.value;
}

describe('bad alerting files', () => {
  it.each(filesIn('bad'))('%s is refused with the diagnostics beside it', async (name) => {
    const outcome = await readAlertingFile(join(GOLDEN, 'bad', name), {});
    const golden = join(GOLDEN, 'bad', name.replace(/\.yml$/, '.txt'));
    expect(outcome.ok).toBe(false);
    expect(
      existsSync(golden),
      `${golden} is missing; write it with: vitest run --update=all test/engine/alertmanager`,
    ).toBe(true);
    await expect(outcome.text.replaceAll(`${dirname(golden)}/`, '')).toMatchFileSnapshot(golden);
  });

  it.each(filesIn('bad'))('%s: no diagnostic shows a secret', async (name) => {
    const { text } = await readAlertingFile(join(GOLDEN, 'bad', name), {});
    expect(text).not.toMatch(/a-password|very-secret|a-token|a-secret/);
  });

  it('is a sentence when there is no file', async () => {
    expect(await readAlertingFile('/nowhere/alerting.yml', {})).toEqual({
      ok: false,
      text: "/nowhere/alerting.yml: cannot be read: ENOENT: no such file or directory, open '/nowhere/alerting.yml'\n",
    });
  });
});

describe('good alerting files', () => {
  it.each(filesIn('good'))('%s is accepted without a word', async (name) => {
    expect(await readAlertingFile(join(GOLDEN, 'good', name), {})).toMatchObject({ ok: true, text: '' });
  });

  it('prometheus.yml is read as Prometheus reads it', async () => {
    const file = join(GOLDEN, 'good', 'prometheus.yml');
    const outcome = await readAlertingFile(file, {});
    if (!outcome.ok) throw new Error(outcome.text);
    const { externalLabels, alertRules, groups } = outcome.value;
    expect(externalLabels).toEqual({ cluster: 'eu-1', replica: '0' });
    expect(alertRules.map(({ action }) => action)).toEqual(['labeldrop']);
    const parts = groups.map(({ identity: _, targetRules, alertRules: own, ...rest }) => {
      return { ...rest, targetRules: targetRules.length, alertRules: own.length };
    });
    expect(parts).toEqual([
      {
        scheme: 'https',
        pathPrefix: '/alerts',
        timeoutMs: 5000,
        http: {
          credentials: { kind: 'basic', username: { text: 'engine' }, password: { text: 'a-password' } },
          tls: { skipsVerification: true, serverName: 'am.example.com', minVersion: 'TLSv1.2' },
          followsRedirects: false,
        },
        sources: [
          {
            kind: 'static',
            targets: [
              { zone: 'a', __address__: 'am-0.example.com:9093' },
              { zone: 'a', __address__: 'am-1.example.com:9093' },
            ],
          },
        ],
        targetRules: 0,
        alertRules: 0,
      },
      {
        scheme: 'http',
        pathPrefix: '',
        timeoutMs: 10_000,
        http: {
          credentials: { kind: 'token', scheme: 'Bearer', token: { text: 'a-token' } },
          tls: { skipsVerification: false },
          followsRedirects: true,
        },
        sources: [
          {
            kind: 'dns',
            names: ['_http._tcp.alertmanager.example.com'],
            type: 'SRV',
            port: 0,
            refreshMs: 30_000,
          },
          { kind: 'dns', names: ['alertmanager.example.com'], type: 'A', port: 9093, refreshMs: 10_000 },
        ],
        targetRules: 1,
        alertRules: 0,
      },
      {
        scheme: 'http',
        pathPrefix: '',
        timeoutMs: 10_000,
        http: {
          credentials: { kind: 'token', scheme: 'Bearer', token: { text: 'another-token' } },
          tls: { skipsVerification: false },
          followsRedirects: true,
        },
        sources: [
          {
            kind: 'file',
            patterns: [join(GOLDEN, 'good/targets/*.json'), join(GOLDEN, 'good/targets/extra.yml')],
            refreshMs: 60_000,
          },
        ],
        targetRules: 0,
        alertRules: 0,
      },
    ]);
  });

  it('fills variables into external labels', async () => {
    const braced = ['x-$', '{NAME}-y'].join('');
    const text = `global: { external_labels: { a: '$NAME', b: '${braced}', c: '5$$', d: '' } }`;
    expect((await readText(text, { NAME: 'eu' })).externalLabels).toEqual({ a: 'eu', b: 'x-eu-y', c: '5$' });
  });

  it('gives a group another identity when anything about it changes', async () => {
    const entry = (timeout: string) => `alerting: { alertmanagers: [{ timeout: ${timeout}, static_configs: [] }] }`;
    const file = join(temporaryDirectory(), 'alerting.yml');
    const identities: (string | undefined)[] = [];
    for (const timeout of ['5s', '6s', '5s']) {
      writeFileSync(file, entry(timeout));
      const outcome = await readAlertingFile(file, {});
      identities.push(outcome.ok ? outcome.value.groups[0]?.identity : undefined);
    }
    expect(identities[0]).toBe(identities[2]);
    expect(identities[0]).not.toBe(identities[1]);
  });
});

describe('withUrls', () => {
  it('adds an Alertmanager for every URL, its path as prefix', async () => {
    const { groups } = withUrls(await readText(''), ['http://am:9093', 'https://example.com/alerts/']);
    expect(groups.map(({ scheme, pathPrefix, sources }) => ({ scheme, pathPrefix, sources }))).toEqual([
      { scheme: 'http', pathPrefix: '/', sources: [{ kind: 'static', targets: [{ __address__: 'am:9093' }] }] },
      {
        scheme: 'https',
        pathPrefix: '/alerts/',
        sources: [{ kind: 'static', targets: [{ __address__: 'example.com' }] }],
      },
    ]);
  });
});

/** Where the engine is stricter, or has no such feature, and Prometheus accepts the file. */
const ONLY_PROMETHEUS_ACCEPTS = ['unsupported.yml', 'unset-variable.yml', 'missing-files.yml'];

/** Different in Prometheus 2.42 and 3, or left out of some builds. */
const NOT_IN_EVERY_PROMETHEUS = ['rules-of-one-group.yml', 'sigv4.yml', 'api-v1.yml'];

describe('promtool check config', () => {
  it('agrees about every file', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const judge = async (folder: 'good' | 'bad', name: string) => {
      const run = promisify(execFile)(promtool, ['check', 'config', '--syntax-only', join(GOLDEN, folder, name)]);
      return [
        name,
        await run.then(
          () => true,
          () => false,
        ),
      ] as const;
    };
    const verdicts = await Promise.all([
      ...filesIn('good').map((name) => judge('good', name)),
      ...filesIn('bad').map((name) => judge('bad', name)),
    ]);
    const isEverywhere = (name: string) => !NOT_IN_EVERY_PROMETHEUS.includes(name);
    const accepted = verdicts.flatMap(([name, isAccepted]) => (isAccepted ? name : [])).filter(isEverywhere);
    expect(accepted.sort()).toEqual([...filesIn('good'), ...ONLY_PROMETHEUS_ACCEPTS].filter(isEverywhere).sort());
  });
});
