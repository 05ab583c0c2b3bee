import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../engine/config.ts';
import { readConfiguration } from '../../engine/configuration.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

async function read(files: Readonly<Record<'alerting' | 'client', string>>, other: Record<string, string> = {}) {
  const folder = temporaryDirectory();
  const at = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const env = {
    POLICY_FILE: at('policy.yml', 'interval: 5s'),
    RULE_FILES: '',
    ALERTING_FILE: at('alerting.yml', files.alerting),
    PROMETHEUS_CLIENT_FILE: at('client.yml', files.client),
    ...other,
  };
  const outcome = readConfig(env, []);
  if (!outcome.ok) throw new Error(outcome.problems.join());
  return readConfiguration(outcome.config, {});
}

describe('readConfiguration', () => {
  it('reads what agents are shown', async () => {
    const folder = temporaryDirectory();
    const file = join(folder, 'agents.yml');
    writeFileSync(file, '- { url: "https://gpu-7.example.org", authorization: { credentials: a-token } }');
    const plain = { alerting: '{}', client: '{}' };
    const outcome = await read(plain, { AGENT_CLIENT_FILE: file });
    const access = outcome.ok ? outcome.configuration.agentAccess : undefined;
    expect(access?.accessFor('https://gpu-7.example.org/agent')).toMatchObject({
      credentials: { kind: 'token', token: { text: 'a-token' } },
    });
    expect(access?.accessFor('https://gpu-8.example.org/agent')).toBeUndefined();
    writeFileSync(file, '- { url: gpu-7, authorization: { credentials: a-token } }');
    expect(await read(plain, { AGENT_CLIENT_FILE: file })).toEqual({
      ok: false,
      text: expect.stringMatching(/agents\.yml:1:\d+: (?!.*a-token)/),
    });
  });

  it('reads how Alertmanagers and Prometheus are reached', async () => {
    const outcome = await read(
      {
        alerting: 'global: { external_labels: { cluster: eu } }\nalerting: { alertmanagers: [{ scheme: https }] }',
        client: 'authorization: { credentials: a-token }',
      },
      { ALERTMANAGER_URLS: 'http://am:9093' },
    );
    expect(outcome).toMatchObject({
      ok: true,
      configuration: {
        alerting: { externalLabels: { cluster: 'eu' }, groups: [{ scheme: 'http' }, { scheme: 'https' }] },
        prometheusHttp: { credentials: { kind: 'token', scheme: 'Bearer', token: { text: 'a-token' } } },
      },
    });
  });

  it('reports what is wrong with both files together', async () => {
    const outcome = await read({ alerting: 'alerting: { alertmanager: [] }', client: 'basic_aut: { username: a }' });
    expect(outcome).toMatchObject({ ok: false });
    const lines = (outcome.ok ? '' : outcome.text).split('\n').filter((line) => line.includes(': error: '));
    expect(lines).toEqual([
      expect.stringMatching(/alerting\.yml:1:13: error: unknown key "alertmanager"$/),
      expect.stringMatching(/client\.yml:1:1: error: unknown key "basic_aut"$/),
    ]);
  });
});
