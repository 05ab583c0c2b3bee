/** Every setting of the exporter, one row each. The README's table and `--help` are made from these rows. */

import { hostname } from 'node:os';
import { z } from 'zod';
import { parseDuration } from '../duration.ts';
import {
  decimalNumber,
  oneOf,
  onOff,
  optionalCount,
  optionalPath,
  type Setting,
  shortText,
  wholeNumber,
} from './setting.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const windowMs = [1000, 86_400_000] as const;

const listening = {
  port: wholeNumber(
    { env: 'EXPORTER_PORT', flag: 'port', what: 'port to listen on; 0 takes a free one', fallback: '9400' },
    [0, 65_535],
  ),
  address: {
    env: 'EXPORTER_ADDRESS',
    flag: 'address',
    what: 'address to listen on; 0.0.0.0 opens the exporter to the network',
    fallback: '127.0.0.1',
    schema: z.union([z.ipv4(), z.ipv6(), z.literal('localhost')]),
    fix: 'give an IP address, for example 127.0.0.1 or 0.0.0.0',
  } satisfies Setting<string>,
  webConfigFile: optionalPath({
    env: 'EXPORTER_WEB_CONFIG_FILE',
    flag: 'web.config.file',
    what: 'TLS, client certificates, basic auth and headers, in the format of the Prometheus exporter-toolkit',
  }),
};

const reading = {
  source: oneOf(
    {
      env: 'GPU_SOURCE',
      flag: 'source',
      what: 'where readings come from; auto is NVML where a card answers, else simulated GPUs',
      fallback: 'auto',
    },
    ['auto', 'nvml', 'mock', 'replay'],
  ),
  nvmlLibrary: optionalPath({
    env: 'NVML_LIBRARY',
    flag: 'nvml-library',
    what: 'path of libnvidia-ml.so.1 where the loader does not find it',
  }),
  recordFile: optionalPath({
    env: 'NVML_RECORD_FILE',
    flag: 'record',
    what: 'file to which NVML’s answers are written, for GPU_SOURCE=replay',
  }),
  replayFile: optionalPath({
    env: 'NVML_REPLAY_FILE',
    flag: 'replay',
    what: 'recording that GPU_SOURCE=replay answers from',
  }),
  devices: shortText(
    {
      env: 'EXPORTER_DEVICES',
      flag: 'devices',
      what: 'GPUs and MIG instances the dcgm profile publishes: f, g:0,2-3 or i:0-6',
      fallback: 'f',
    },
    1000,
  ),
  expectedGpus: optionalCount(
    {
      env: 'EXPORTER_EXPECTED_GPUS',
      flag: 'expected-gpus',
      what: 'GPUs this node should have; 0 expects as many as were ever seen',
      fallback: '0',
    },
    10_000,
  ),
  processes: wholeNumber(
    {
      env: 'EXPORTER_PROCESSES',
      flag: 'processes',
      what: 'processes to publish per GPU with NVML, the largest users of memory; 0 publishes none',
      fallback: '0',
    },
    [0, 100],
  ),
  collectIntervalMs: wholeNumber(
    {
      env: 'EXPORTER_COLLECT_INTERVAL_MS',
      flag: 'interval',
      what: 'pause between two readings, in milliseconds',
      fallback: '1000',
    },
    [50, 3_600_000],
  ),
  readTimeoutMs: wholeNumber(
    {
      env: 'EXPORTER_READ_TIMEOUT_MS',
      what: 'milliseconds a GPU may take to be read, twice that in a new driver process; then it is left out, and the process replaced',
      fallback: '1500',
    },
    [100, 10_000],
  ),
  stateFile: optionalPath({
    env: 'EXPORTER_STATE_FILE',
    flag: 'state-file',
    what: 'where every GPU ever seen is remembered; unset means data/gpus.json with NVML, and no file otherwise',
  }),
};

const publishing = {
  profile: shortText(
    {
      env: 'EXPORTER_PROFILE',
      flag: 'profile',
      what: 'names /metrics uses when ?profile= does not say: dcgm, native, platform, or several with commas',
      fallback: 'dcgm',
    },
    100,
  ),
  hostname: shortText(
    {
      env: 'EXPORTER_HOSTNAME',
      flag: 'hostname',
      what: 'name of this node in labels; simulated nodes of a larger fleet have their own',
      fallback: hostname(),
    },
    255,
  ),
  hostnameLabel: oneOf(
    {
      env: 'EXPORTER_HOSTNAME_LABEL',
      flag: 'hostname-label',
      what: 'how the dcgm profile spells the label of the node: as before dcgm-exporter 4.8.3, as since then, both or none',
      fallback: 'Hostname',
    },
    ['Hostname', 'hostname', 'both', 'none'],
  ),
  countersFile: optionalPath({
    env: 'EXPORTER_COUNTERS_FILE',
    flag: 'counters',
    what: 'which counters the dcgm profile publishes, in dcgm-exporter’s CSV format; unset publishes the default ones',
  }),
  xidWindowMs: wholeNumber(
    { env: 'EXPORTER_XID_WINDOW_MS', what: 'window of DCGM_EXP_XID_ERRORS_COUNT', fallback: '300000' },
    windowMs,
  ),
  clockEventsWindowMs: wholeNumber(
    { env: 'EXPORTER_CLOCK_EVENTS_WINDOW_MS', what: 'window of DCGM_EXP_CLOCK_EVENTS_COUNT', fallback: '300000' },
    windowMs,
  ),
  replaceBlanksInModelName: onOff({
    env: 'EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME',
    what: 'write NVIDIA-A100 instead of NVIDIA A100 in the label modelName',
    fallback: 'false',
  }),
  useOldNamespace: onOff({
    env: 'EXPORTER_USE_OLD_NAMESPACE',
    what: 'label names of dcgm-exporter 1.x: uuid instead of UUID',
    fallback: 'false',
  }),
  hpcJobMappingDir: optionalPath({
    env: 'EXPORTER_HPC_JOB_MAPPING_DIR',
    what: 'directory with one file per GPU that names its jobs, for the label hpc_job',
  }),
};

const simulating = {
  gpus: wholeNumber(
    { env: 'MOCK_GPUS', flag: 'gpus', what: 'number of simulated GPUs, over all nodes', fallback: '8' },
    [1, 10_000],
  ),
  nodes: wholeNumber(
    { env: 'MOCK_NODES', flag: 'nodes', what: 'number of simulated nodes', fallback: '1' },
    [1, 10_000],
  ),
  nodePorts: wholeNumber(
    {
      env: 'MOCK_NODE_PORTS',
      flag: 'node-ports',
      what: 'first of the ports on which each simulated node answers for itself; 0 serves them by path only',
      fallback: '0',
    },
    [0, 65_535],
  ),
  seed: wholeNumber(
    {
      env: 'MOCK_SEED',
      flag: 'seed',
      what: 'seed of the simulation; the same seed gives the same GPUs and the same course of events',
      fallback: '1',
    },
    [0, 2 ** 32 - 1],
  ),
  mockProfile: shortText(
    {
      env: 'MOCK_PROFILE',
      flag: 'gpu-model',
      what: 'model of the simulated GPUs, or several with weights: a100:3,h100:1',
      fallback: 'a100',
    },
    200,
  ),
  mockBehaviour: shortText(
    {
      env: 'MOCK_BEHAVIOUR',
      flag: 'behaviour',
      what: 'how the simulated GPUs behave, or behaviours with shares: flapping:5%,aging:20%',
      fallback: 'healthy',
    },
    200,
  ),
  timelineFile: optionalPath({
    env: 'MOCK_TIMELINE',
    flag: 'timeline',
    what: 'YAML file with the simulated fleet and what happens to it when',
  }),
  elapsed: {
    env: 'MOCK_ELAPSED',
    flag: 'elapsed',
    what: 'simulated time that has passed at the start',
    fallback: '0s',
    schema: z.string().refine((text) => parseDuration(text) !== undefined),
    fix: 'give a duration, for example 90m, 2h or 7d',
  } satisfies Setting<string>,
  speed: decimalNumber(
    {
      env: 'MOCK_SPEED',
      flag: 'speed',
      what: 'simulated seconds per second; 0 stands still until the control endpoint moves the clock',
      fallback: '1',
    },
    [0, 3600],
  ),
};

const agent = {
  agentMode: onOff({ env: 'AGENT_MODE', flag: 'agent', what: 'also answer pings, under /agent', fallback: 'false' }),
  agentId: shortText(
    { env: 'AGENT_ID', flag: 'agent-id', what: 'what the agent calls itself', fallback: hostname() },
    128,
  ),
  agentCheckIntervalSeconds: decimalNumber(
    { env: 'AGENT_GPU_CHECK_INTERVAL_SECONDS', what: 'time between two checks of the GPUs', fallback: '5' },
    [0.05, 3600],
  ),
  agentMaxHistory: wholeNumber(
    { env: 'AGENT_MAX_HISTORY_SIZE', what: 'checks kept one by one; older ones are kept as totals', fallback: '10000' },
    [10, 1_000_000],
  ),
  agentCheckpointInterval: wholeNumber(
    {
      env: 'AGENT_CHECKPOINT_INTERVAL',
      what: 'checks between two compactions of the checkpoint; every single check is written',
      fallback: '100',
    },
    [1, 100_000],
  ),
  agentCheckpointFile: optionalPath({
    env: 'AGENT_CHECKPOINT_FILE',
    what: 'where checks are kept; unset means data/agent-ID.jsonl, a long ID shortened',
  }),
};

const logging = {
  logLevel: oneOf(
    { env: 'LOG_LEVEL', flag: 'log-level', what: 'least severe log line that is written', fallback: 'info' },
    logLevels,
  ),
  logFormat: oneOf({ env: 'LOG_FORMAT', flag: 'log-format', what: 'form of log lines', fallback: 'json' }, [
    'json',
    'text',
  ]),
};

export const settings = { ...listening, ...reading, ...publishing, ...simulating, ...agent, ...logging };

/** The rows under the heading that `--help` and the README give them. */
export const settingGroups: Readonly<Record<string, readonly Setting<unknown>[]>> = {
  Listening: Object.values(listening),
  'Reading GPUs': Object.values(reading),
  Publishing: Object.values(publishing),
  'Simulated GPUs': Object.values(simulating),
  'Agent mode': Object.values(agent),
  Logging: Object.values(logging),
};
