import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { helpText, parseConfig } from '../../exporter/config.ts';

const defaults = {
  port: 9400,
  address: '127.0.0.1',
  gpus: 8,
  seed: 1,
  hostname: hostname(),
  source: 'auto',
  logLevel: 'info',
  collectIntervalMs: 1000,
};

describe('parseConfig', () => {
  it('has a default for everything', () => {
    expect(parseConfig({}, [])).toEqual({ kind: 'run', config: defaults });
  });

  it('reads the environment, where empty means not set', () => {
    const env = {
      EXPORTER_PORT: '9500',
      EXPORTER_ADDRESS: '::1',
      MOCK_GPUS: '2',
      MOCK_SEED: '',
      EXPORTER_HOSTNAME: 'n1',
    };
    const more = { GPU_SOURCE: 'mock', LOG_LEVEL: 'debug', EXPORTER_COLLECT_INTERVAL_MS: '250' };
    expect(parseConfig({ ...env, ...more }, [])).toEqual({
      kind: 'run',
      config: {
        ...defaults,
        port: 9500,
        address: '::1',
        gpus: 2,
        hostname: 'n1',
        source: 'mock',
        logLevel: 'debug',
        collectIntervalMs: 250,
      },
    });
  });

  it('lets flags win over the environment', () => {
    const argv = ['--port', '0', '--address=0.0.0.0', '--gpus=3', '--seed=7', '--hostname=n2'];
    expect(parseConfig({ EXPORTER_PORT: 'nonsense', MOCK_GPUS: '5' }, argv)).toEqual({
      kind: 'run',
      config: { ...defaults, port: 0, address: '0.0.0.0', gpus: 3, seed: 7, hostname: 'n2' },
    });
  });

  it.each([
    { argv: ['--help', '--port', 'x'], kind: 'help' },
    { argv: ['--version'], kind: 'version' },
  ])('answers $argv before anything else', ({ argv, kind }) => {
    expect(parseConfig({ MOCK_GPUS: 'x' }, argv)).toEqual({ kind });
  });

  it('names every problem at once, each with its fix', () => {
    const env = { EXPORTER_ADDRESS: 'everywhere', MOCK_GPUS: '0', GPU_SOURCE: 'nvml', LOG_LEVEL: 'loud' };
    const more = { EXPORTER_COLLECT_INTERVAL_MS: '1', EXPORTER_PORT: 'tcp://10.0.0.1:9400' };
    expect(parseConfig({ ...env, ...more }, ['--seed', '-1', '--bogus', 'stray', '--hostname'])).toEqual({
      kind: 'invalid',
      problems: [
        '--bogus is not a flag: see --help for those there are.',
        '"stray" is not understood: the exporter takes flags only, see --help.',
        '--hostname needs a value: write --hostname=VALUE.',
        'EXPORTER_PORT is "tcp://10.0.0.1:9400": give a whole number from 0 to 65535.',
        'EXPORTER_ADDRESS is "everywhere": give an IP address, for example 127.0.0.1 or 0.0.0.0.',
        'MOCK_GPUS is "0": give a whole number from 1 to 1024.',
        '--seed is "-1": give a whole number from 0 to 4294967295.',
        'GPU_SOURCE is "nvml": give mock or auto; reading real GPUs through NVML (nvml) is not built yet.',
        'LOG_LEVEL is "loud": give one of trace, debug, info, warn, error, fatal, silent.',
        'EXPORTER_COLLECT_INTERVAL_MS is "1": give a whole number from 50 to 5000.',
      ],
    });
  });
});

describe('the configuration table of the README', () => {
  it('has a row for every setting of --help', () => {
    const readme = readFileSync(new URL('../../exporter/README.md', import.meta.url), 'utf8');
    const variables = helpText().match(/\b[A-Z]+_[A-Z_]+\b(?= {2,})/g) ?? [];
    expect(variables).toHaveLength(8);
    const missing = variables.filter((variable) => !readme.includes(`| \`${variable}\` `));
    expect(missing, 'add a row for each of these to exporter/README.md').toEqual([]);
  });
});
