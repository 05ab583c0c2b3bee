import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Config, parseConfig } from '../../../exporter/config/parse.ts';

const defaults: Config = {
  port: 9400,
  address: '127.0.0.1',
  webConfigFile: undefined,
  source: 'auto',
  nvmlLibrary: undefined,
  recordFile: undefined,
  replayFile: undefined,
  devices: 'f',
  expectedGpus: undefined,
  processes: 0,
  collectIntervalMs: 1000,
  readTimeoutMs: 1500,
  stateFile: undefined,
  profile: 'dcgm',
  hostname: hostname(),
  hostnameLabel: 'Hostname',
  countersFile: undefined,
  xidWindowMs: 300_000,
  clockEventsWindowMs: 300_000,
  replaceBlanksInModelName: false,
  useOldNamespace: false,
  hpcJobMappingDir: undefined,
  gpus: 8,
  nodes: 1,
  nodePorts: 0,
  seed: 1,
  mockProfile: 'a100',
  mockBehaviour: 'healthy',
  timelineFile: undefined,
  elapsed: '0s',
  speed: 1,
  agentMode: false,
  agentId: hostname(),
  agentCheckIntervalSeconds: 5,
  agentMaxHistory: 10_000,
  agentCheckpointInterval: 100,
  agentCheckpointFile: undefined,
  logLevel: 'info',
  logFormat: 'json',
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

  it('reads switches, decimals and paths', () => {
    const env = { AGENT_MODE: 'true', AGENT_GPU_CHECK_INTERVAL_SECONDS: '2.5', EXPORTER_USE_OLD_NAMESPACE: '0' };
    const argv = ['--source=replay', '--replay', 'h200.jsonl', '--profile=native,platform'];
    const result = parseConfig(env, argv);
    expect(result).toEqual({
      kind: 'run',
      config: {
        ...defaults,
        agentMode: true,
        agentCheckIntervalSeconds: 2.5,
        source: 'replay',
        replayFile: 'h200.jsonl',
        profile: 'native,platform',
      },
    });
  });

  it.each([
    [
      { GPU_SOURCE: 'replay' },
      'GPU_SOURCE is replay, but NVML_REPLAY_FILE names no recording: give one, or another source.',
    ],
    [
      { NVML_RECORD_FILE: 'x' },
      'NVML_RECORD_FILE needs GPU_SOURCE=nvml, and it is auto: only real answers are recorded.',
    ],
    [{ MOCK_NODES: '9' }, 'MOCK_NODES is 9 and MOCK_GPUS is 8: give each node at least one GPU.'],
  ])('refuses %j', (env, problem) => {
    expect(parseConfig(env, [])).toMatchObject({ kind: 'invalid', problems: [problem] });
  });

  it('names every problem at once, each with its fix', () => {
    const env = { EXPORTER_ADDRESS: 'everywhere', MOCK_GPUS: '0', GPU_SOURCE: 'cuda', LOG_LEVEL: 'loud' };
    const more = { EXPORTER_COLLECT_INTERVAL_MS: '1', EXPORTER_PORT: 'tcp://10.0.0.1:9400' };
    expect(parseConfig({ ...env, ...more }, ['--seed', '-1', '--bogus', 'stray', '--hostname'])).toEqual({
      kind: 'invalid',
      // What is wrong has its default, so that what the others name can be looked at.
      rest: defaults,
      problems: [
        '--bogus is not a flag: see --help for those there are.',
        '"stray" is not understood: the exporter takes flags only, see --help.',
        '--hostname needs a value: write --hostname=VALUE.',
        'EXPORTER_PORT is "tcp://10.0.0.1:9400": give a whole number from 0 to 65535.',
        'EXPORTER_ADDRESS is "everywhere": give an IP address, for example 127.0.0.1 or 0.0.0.0.',
        'GPU_SOURCE is "cuda": give one of auto, nvml, mock, replay.',
        'EXPORTER_COLLECT_INTERVAL_MS is "1": give a whole number from 50 to 3600000.',
        'MOCK_GPUS is "0": give a whole number from 1 to 10000.',
        '--seed is "-1": give a whole number from 0 to 4294967295.',
        'LOG_LEVEL is "loud": give one of trace, debug, info, warn, error, fatal, silent.',
      ],
    });
  });
});
