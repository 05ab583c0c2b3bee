import { describe, expect, it } from 'vitest';
import { readConfig } from '../../engine/config.ts';

describe('readConfig', () => {
  it('has a default for everything, on loopback', () => {
    expect(readConfig({}, [])).toEqual({
      ok: true,
      config: {
        address: '127.0.0.1',
        port: 8000,
        prometheusUrl: 'http://127.0.0.1:9090',
        prometheusTimeoutMs: 10_000,
        alertmanagerUrls: ['http://127.0.0.1:9093'],
        policyFile: 'rules/policy.yml',
        ruleFiles: ['rules/alerts/*.yml'],
        dataDir: 'data',
        token: undefined,
        logLevel: 'info',
      },
    });
  });

  it('lets a flag win over the environment', () => {
    const outcome = readConfig({ ENGINE_PORT: '8001', ALERTMANAGER_URLS: 'http://a:9093, http://b:9093' }, [
      '--port',
      '8002',
    ]);
    expect(outcome).toMatchObject({
      ok: true,
      config: { port: 8002, alertmanagerUrls: ['http://a:9093', 'http://b:9093'] },
    });
  });

  it('takes an empty variable as unset, where empty says nothing', () => {
    expect(readConfig({ ENGINE_PORT: '', LOG_LEVEL: '' }, [])).toMatchObject({
      ok: true,
      config: { port: 8000, logLevel: 'info' },
    });
  });

  it('sends no alerts and evaluates no rules when told so', () => {
    expect(readConfig({ ALERTMANAGER_URLS: '', RULE_FILES: '' }, [])).toMatchObject({
      ok: true,
      config: { alertmanagerUrls: [], ruleFiles: [] },
    });
  });

  it('reports every problem together, each with its fix', () => {
    const env = {
      ENGINE_PORT: '80000',
      PROMETHEUS_URL: 'localhost:9090',
      GPU_UPTIME_TOKEN: 'short',
      PROMETHEUS_TIMEOUT_SECONDS: '0',
    };
    expect(readConfig(env, ['--log-level', 'loud'])).toEqual({
      ok: false,
      problems: [
        'ENGINE_PORT=80000: must be a port number from 0 to 65535',
        'PROMETHEUS_URL=localhost:9090: must be an address such as http://127.0.0.1:9090',
        'PROMETHEUS_TIMEOUT_SECONDS=0: must be a number of seconds above 0',
        'GPU_UPTIME_TOKEN=short: must have at least 16 characters; `openssl rand -hex 16` makes one',
        '--log-level=loud: must be one of trace, debug, info, warn, error, fatal, silent',
      ],
    });
  });

  it('names the known flags beside an unknown one', () => {
    expect(readConfig({}, ['--prot', '1'])).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/'--prot'.*known flags: --address, --port/)],
    });
  });
});
