/** The parts together: the real store, log and HTTP server, and a Prometheus that nobody can reach. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../engine/config.ts';
import { readConfiguration } from '../../engine/configuration.ts';
import { createServices } from '../../engine/services.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

const WARNED = 'presence: { fresh: 5s }';

async function services(policyText: string, settings: Readonly<Record<string, string>> = {}) {
  const dataDir = temporaryDirectory();
  const policyFile = join(dataDir, 'policy.yml');
  const write = (text: string) => writeFileSync(policyFile, text);
  write(policyText);
  const env = { DATA_DIR: dataDir, POLICY_FILE: policyFile, RULE_FILES: '', ENGINE_PORT: '0' };
  const nobody = { PROMETHEUS_URL: 'http://127.0.0.1:1', ALERTMANAGER_URLS: '' };
  const outcome = readConfig({ ...env, ...nobody, ...settings }, []);
  if (!outcome.ok) throw new Error(outcome.problems.join());
  const read = await readConfiguration(outcome.config, {});
  if (!read.ok) throw new Error(read.text);
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line).msg) });
  const sleep = async (ms: number, signal: AbortSignal) => sleepFor(ms, undefined, { signal }).catch(() => undefined);
  const created = await createServices({
    config: outcome.config,
    configuration: read.configuration,
    log,
    env: {},
    clock: { now: Date.now, sleep },
  });
  onTestFinished(() => created.close());
  return { services: created, write, logged };
}

describe('reload', () => {
  it('runs one at a time, so that the file as it was at the last request is in use', async () => {
    const { services: running, write, logged } = await services('report: { interval: 60s }');
    const first = running.reload();
    write('report: { intervall: 60s }');
    const second = running.reload();
    const outcomes = [await first, await second];
    expect(outcomes[1]).toMatchObject({ ok: false, text: expect.stringContaining('intervall') });
    expect(logged.at(-1)).toMatch(/^reload refused/);
  });

  it('tells what the new configuration is warned of', async () => {
    const { services: running, write, logged } = await services(WARNED);
    write(`${WARNED}\nreport: { interval: 30s }`);
    expect(await running.reload()).toMatchObject({ ok: true });
    expect(logged).toEqual([expect.stringContaining('one late scrape looks like a death'), 'reloaded']);
  });
});

describe('reload: how Prometheus is reached', () => {
  const VECTOR = JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: {}, value: [1, '1'] }] },
  });
  const MATRIX = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } });

  /** Knows no GPU, takes every write, and lets in whoever brings the token. */
  async function prometheus() {
    const told = { token: 'first', seen: [] as string[] };
    const server = createServer((request, response) => {
      const { authorization = '' } = request.headers;
      told.seen.push(`${request.url} ${authorization.replace('Bearer ', '')}`);
      request.resume();
      if (authorization !== `Bearer ${told.token}`) response.writeHead(401).end('who are you?');
      else if (request.url === '/api/v1/write') response.writeHead(204).end();
      else response.end(request.url === '/api/v1/query_range' ? MATRIX : VECTOR);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return { told, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  async function running(policyText: string) {
    const { told, url } = await prometheus();
    const folder = temporaryDirectory();
    const [client, rules] = [join(folder, 'client.yml'), join(folder, 'rules.yml')];
    const writeToken = (token: string) => writeFileSync(client, `bearer_token: ${token}\n`);
    writeToken('first');
    writeFileSync(rules, 'groups: [{ name: a, interval: 1s, rules: [{ record: b, expr: vector(1) }] }]');
    const files = { PROMETHEUS_CLIENT_FILE: client, RULE_FILES: rules };
    const started = await services(policyText, {
      PROMETHEUS_URL: url,
      REMOTE_WRITE_URL: `${url}/api/v1/write`,
      ...files,
    });
    const stop = new AbortController();
    const ran = started.services.run(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await ran;
    });
    return { ...started, told, writeToken };
  }

  /** Queries and writes come with the token, and nothing comes with another. */
  async function isUsed(told: { readonly seen: string[] }, token: string) {
    // What was on its way when the settings changed may arrive in the first of the two rounds.
    for (let round = 0; round < 2; round++) {
      told.seen.length = 0;
      const wanted = expect.arrayContaining([`/api/v1/query ${token}`, `/api/v1/write ${token}`]);
      await expect.poll(() => told.seen, { timeout: 10_000 }).toEqual(wanted);
    }
    expect(told.seen.filter((request) => !request.endsWith(` ${token}`))).toEqual([]);
  }

  const POLICY = 'interval: 1s\nsettle: 0s\npresence: { fresh: 5s }';

  it('changes for ticks, rules and what rules write', async () => {
    const { services: one, told, writeToken } = await running(POLICY);
    await isUsed(told, 'first');
    told.token = 'second';
    writeToken('second');
    expect(await one.reload()).toMatchObject({ ok: true });
    await isUsed(told, 'second');
  });

  it('stays when history cannot be read in the new way', async () => {
    const { services: one, write, told, writeToken } = await running(POLICY);
    await isUsed(told, 'first');
    writeToken('wrong');
    write(`${POLICY}\nwindows: { short: { range: 4m } }`);
    expect(await one.reload()).toMatchObject({ ok: false, text: expect.stringMatching(/history cannot be read/) });
    await isUsed(told, 'first');
  });
});

describe('run', () => {
  it('ends in order when told to, whatever Prometheus says', async () => {
    const { services: running, logged } = await services('report: { interval: 45s }');
    const stop = new AbortController();
    const ran = running.run(stop.signal);
    stop.abort();
    await ran;
    expect(logged).toContain('listening');
    expect(logged).toContain('report.interval 45s does not divide a minute, an hour or a day evenly: 30s is used');
  });
});
