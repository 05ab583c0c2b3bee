import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { configHelp, readConfig } from '../../engine/config.ts';

describe('readConfig', () => {
  it('has a default for everything, on loopback', () => {
    expect(readConfig({}, [])).toEqual({
      ok: true,
      config: {
        address: '127.0.0.1',
        port: 8000,
        prometheusUrl: 'http://127.0.0.1:9090',
        prometheusTimeoutMs: 10_000,
        prometheusExternalUrl: 'http://127.0.0.1:9090',
        prometheusClientFile: undefined,
        remoteWriteUrl: 'http://127.0.0.1:9090/api/v1/write',
        ruleDefaults: { intervalMs: 60_000, queryOffsetMs: 0 },
        ruleGroupsAtOnce: 16,
        runbooksDir: 'rules/runbooks',
        forOutageToleranceMs: 3_600_000,
        forGracePeriodMs: 600_000,
        alertmanagerUrls: ['http://127.0.0.1:9093'],
        alertingFile: undefined,
        alertResendMs: 60_000,
        alertCheckMs: 60_000,
        externalUrl: 'http://127.0.0.1:8000',
        policyFile: 'rules/policy.yml',
        ruleFiles: ['rules/alerts/*.yml', 'rules/recording.yml'],
        dataDir: 'data',
        schedulesPings: true,
        agentClientFile: undefined,
        pingDatabaseUrl: undefined,
        token: undefined,
        registrationToken: undefined,
        logLevel: 'info',
      },
    });
  });

  it('leaves pings to others, with the agents in a database of theirs', () => {
    const env = {
      PING_SCHEDULER: 'off',
      PING_DATABASE_URL: 'postgres://gpu:secret@db/pings',
      AGENT_CLIENT_FILE: 'agents.yml',
      AGENT_REGISTRATION_TOKEN: 'only-for-registration',
    };
    expect(readConfig(env, [])).toMatchObject({
      ok: true,
      config: {
        schedulesPings: false,
        agentClientFile: 'agents.yml',
        pingDatabaseUrl: 'postgres://gpu:secret@db/pings',
        registrationToken: 'only-for-registration',
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

  it.each([
    [{}, ['http://127.0.0.1:9093']],
    [{ ALERTING_FILE: 'prometheus.yml' }, []],
    [{ ALERTING_FILE: 'prometheus.yml', ALERTMANAGER_URLS: 'http://a:9093' }, ['http://a:9093']],
  ])('sends to the default Alertmanager only when no file names others: %j', (env, alertmanagerUrls) => {
    expect(readConfig(env, [])).toMatchObject({ ok: true, config: { alertmanagerUrls } });
  });

  it.each([
    [{}, 'http://127.0.0.1:8000'],
    [{ ENGINE_ADDRESS: '::1', ENGINE_PORT: '8001' }, 'http://[::1]:8001'],
    [{ ENGINE_ADDRESS: '0.0.0.0' }, `http://${hostname()}:8000`],
    [{ ENGINE_EXTERNAL_URL: 'https://gpu.example.com/uptime' }, 'https://gpu.example.com/uptime'],
  ])('is reached from outside as its address and port say, or as it is told: %j', (env, externalUrl) => {
    expect(readConfig(env, [])).toMatchObject({ ok: true, config: { externalUrl } });
  });

  it.each([
    ['ALERT_RESEND_SECONDS', '0', 'must be a number of seconds from 1 to 3600'],
    ['ALERT_CHECK_SECONDS', 'often', 'must be a number of seconds from 1 to 3600'],
    ['ENGINE_EXTERNAL_URL', 'gpu.example.com', 'must be an address such as http://127.0.0.1:9090'],
    ['PING_SCHEDULER', 'yes', 'must be on or off'],
  ])('refuses %s=%s', (name, value, problem) => {
    expect(readConfig({ [name]: value }, [])).toEqual({ ok: false, problems: [`${name}=${value}: ${problem}`] });
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
      AGENT_REGISTRATION_TOKEN: 'brief',
      PING_DATABASE_URL: 'mysql://user:secret@db/pings',
      PROMETHEUS_TIMEOUT_SECONDS: '0',
    };
    expect(readConfig(env, ['--log-level', 'loud'])).toEqual({
      ok: false,
      problems: [
        'ENGINE_PORT=80000: must be a port number from 0 to 65535',
        'PROMETHEUS_URL=localhost:9090: must be an address such as http://127.0.0.1:9090',
        'PROMETHEUS_TIMEOUT_SECONDS=0: must be a number of seconds above 0, at most 300',
        'PING_DATABASE_URL: must be an address such as postgres://user:password@host:5432/database',
        'GPU_UPTIME_TOKEN: must have at least 16 characters; `openssl rand -hex 16` makes one',
        'AGENT_REGISTRATION_TOKEN: must have at least 16 characters; `openssl rand -hex 16` makes one',
        '--log-level=loud: must be one of trace, debug, info, warn, error, fatal, silent',
      ],
    });
  });

  it.each(['Infinity', '301', '-1', 'ten'])('refuses a query limit of %s seconds', (value) => {
    expect(readConfig({ PROMETHEUS_TIMEOUT_SECONDS: value }, [])).toEqual({
      ok: false,
      problems: [`PROMETHEUS_TIMEOUT_SECONDS=${value}: must be a number of seconds above 0, at most 300`],
    });
  });

  it.each(['http://user:secret@host:9090', 'http://secret@host:9090', 'http://a:9093,https://user:secret@b:9093'])(
    'refuses the password in %s without repeating it',
    (value) => {
      const problem = 'must not contain a password; write it into PROMETHEUS_CLIENT_FILE or ALERTING_FILE';
      expect(readConfig({ ALERTMANAGER_URLS: value }, [])).toEqual({
        ok: false,
        problems: [`ALERTMANAGER_URLS: ${problem}`],
      });
    },
  );

  it('does not repeat what may be a password in an address that it cannot read', () => {
    expect(readConfig({}, ['--prometheus-url', 'user:secret@host'])).toEqual({
      ok: false,
      problems: ['--prometheus-url: must be an address such as http://127.0.0.1:9090'],
    });
  });

  it('takes no token from the command line, and does not repeat the one it was given there', () => {
    const outcome = readConfig({}, ['--token=a-very-secret-token']);
    expect(outcome).toMatchObject({ ok: false, problems: [expect.stringMatching(/'--token'.*known flags/)] });
    expect(JSON.stringify(outcome)).not.toContain('secret');
    expect(configHelp()).not.toContain('--token');
  });

  it('names the known flags beside an unknown one', () => {
    expect(readConfig({}, ['--prot', '1'])).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/'--prot'.*known flags: --address, --port/)],
    });
  });
});
