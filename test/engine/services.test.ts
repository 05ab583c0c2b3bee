/** The parts together: the real store, log and HTTP server, and a Prometheus that nobody can reach. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../engine/config.ts';
import { readConfiguration } from '../../engine/configuration.ts';
import { createServices } from '../../engine/services.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

const WARNED = 'presence: { fresh: 5s }';

async function services(policyText: string) {
  const dataDir = temporaryDirectory();
  const policyFile = join(dataDir, 'policy.yml');
  const write = (text: string) => writeFileSync(policyFile, text);
  write(policyText);
  const env = { DATA_DIR: dataDir, POLICY_FILE: policyFile, RULE_FILES: '', ENGINE_PORT: '0' };
  const outcome = readConfig({ ...env, PROMETHEUS_URL: 'http://127.0.0.1:1', ALERTMANAGER_URLS: '' }, []);
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
