/**
 * The flags of dcgm-exporter up to 4.8.3 and of its main branch after that, one row each, with what becomes of them here.
 *
 * Honoured is what can be. Refused is what would otherwise leave series, labels or protection out that someone counts on. What only
 * concerns DCGM and Go themselves is accepted without effect.
 */

import type { GoFlag } from './go-flags.ts';

/** Our variables that a row may set. */
export type OurVariable =
  | 'EXPORTER_PORT'
  | 'EXPORTER_ADDRESS'
  | 'EXPORTER_COLLECT_INTERVAL_MS'
  | 'EXPORTER_COUNTERS_FILE'
  | 'EXPORTER_HOSTNAME_LABEL'
  | 'EXPORTER_HOSTNAME'
  | 'EXPORTER_DEVICES'
  | 'EXPORTER_WEB_CONFIG_FILE'
  | 'EXPORTER_XID_WINDOW_MS'
  | 'EXPORTER_CLOCK_EVENTS_WINDOW_MS'
  | 'EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME'
  | 'EXPORTER_USE_OLD_NAMESPACE'
  | 'EXPORTER_HPC_JOB_MAPPING_DIR'
  | 'GPU_SOURCE'
  | 'LOG_LEVEL'
  | 'LOG_FORMAT';

export type OurValues = Readonly<Partial<Record<OurVariable, string>>>;

/** What a value that is not the default comes to. `why` is a sentence or two for people, without its first word's capital. */
type Effect =
  | { readonly kind: 'set'; readonly values: OurValues }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'idle'; readonly why: string }
  /** The value itself is wrong. */
  | { readonly kind: 'invalid'; readonly fix: string };

export interface DcgmFlag extends GoFlag {
  readonly env: string;
  /** The default of dcgm-exporter; of a switch `true` or `false`. */
  readonly fallback: string;
  /** Switches come as `true` or `false`. */
  readonly effect: (value: string) => Effect;
}

type Name = readonly [names: string, env: string, fallback: string];

const option = ([names, env, fallback]: Name, effect: DcgmFlag['effect']): DcgmFlag => ({
  names: names.split(' '),
  env,
  fallback,
  isSwitch: false,
  effect,
});

const toggle = ([names, env, fallback]: Name, effect: DcgmFlag['effect']): DcgmFlag => ({
  ...option([names, env, fallback], effect),
  isSwitch: true,
});

const sets =
  (variable: OurVariable): DcgmFlag['effect'] =>
  (value) => ({ kind: 'set', values: { [variable]: value } });

/** For switches; off sets nothing. */
const setsWhenOn =
  (values: OurValues): DcgmFlag['effect'] =>
  (value) => ({ kind: 'set', values: value === 'true' ? values : {} });

const refused =
  (why: string): DcgmFlag['effect'] =>
  () => ({ kind: 'refused', why });

const idle =
  (why: string): DcgmFlag['effect'] =>
  () => ({ kind: 'idle', why });

const onlyInKubernetes = idle('it matters together with --kubernetes only.');
const noDcgm = idle('GPUs are read through NVML, so there is no DCGM it could apply to.');
const noDumps = idle('there are no DCGM values to dump; what each GPU answers is shown by `exporter doctor`.');
const nothingToSelect = idle('NVSwitches and CPUs are not read, so there is nothing to select.');
const ownLimits = idle('requests have limits of their own here, and a scrape never waits for a GPU.');

const listening: readonly DcgmFlag[] = [
  option(['address a', 'DCGM_EXPORTER_LISTEN', ':9400'], listenEffect),
  option(['web-config-file', 'DCGM_EXPORTER_WEB_CONFIG_FILE', ''], sets('EXPORTER_WEB_CONFIG_FILE')),
  toggle(
    ['web-systemd-socket', 'DCGM_EXPORTER_SYSTEMD_SOCKET', 'false'],
    refused('sockets that systemd has opened are not taken over. Leave it out, and give the address with --address.'),
  ),
  option(['web-read-timeout', 'DCGM_EXPORTER_WEB_READ_TIMEOUT', '10s'], ownLimits),
  option(['web-write-timeout', 'DCGM_EXPORTER_WEB_WRITE_TIMEOUT', '10s'], ownLimits),
  option(['max-concurrent-scrapes', 'DCGM_EXPORTER_MAX_CONCURRENT_SCRAPES', '16'], ownLimits),
  toggle(
    ['health-require-gpus', 'DCGM_EXPORTER_HEALTH_REQUIRE_GPUS', 'false'],
    refused('health is that of the process, not of the GPUs. Leave it out, and alert on gpu_up and gpu_exporter_gpus.'),
  ),
  toggle(
    ['enable-pprof', 'DCGM_EXPORTER_ENABLE_PPROF', 'false'],
    idle('this is not a Go program; start node with --inspect to profile it.'),
  ),
  toggle(
    ['enable-exporter-metrics', 'DCGM_EXPORTER_ENABLE_EXPORTER_METRICS', 'false'],
    idle('metrics about the exporter itself are always published.'),
  ),
];

const counters: readonly DcgmFlag[] = [
  option(
    ['collectors f', 'DCGM_EXPORTER_COLLECTORS', '/etc/dcgm-exporter/default-counters.csv'],
    sets('EXPORTER_COUNTERS_FILE'),
  ),
  option(
    ['config-file', 'DCGM_EXPORTER_CONFIG_FILE', ''],
    refused('its YAML is not read. Give its metrics.file with --collectors and its interval with --collect-interval.'),
  ),
  option(
    ['configmap-data m', 'DCGM_EXPORTER_CONFIGMAP_DATA', 'none'],
    refused('the Kubernetes API is not asked. Mount the ConfigMap as a file, and give its path with --collectors.'),
  ),
  option(['collect-interval c', 'DCGM_EXPORTER_INTERVAL', '30000'], sets('EXPORTER_COLLECT_INTERVAL_MS')),
  option(['xid-count-window-size x', 'DCGM_EXPORTER_XID_COUNT_WINDOW_SIZE', '300000'], sets('EXPORTER_XID_WINDOW_MS')),
  option(
    ['clock-events-count-window-size', 'DCGM_EXPORTER_CLOCK_EVENTS_COUNT_WINDOW_SIZE', '300000'],
    sets('EXPORTER_CLOCK_EVENTS_WINDOW_MS'),
  ),
];

const gpus: readonly DcgmFlag[] = [
  option(['devices d', 'DCGM_EXPORTER_DEVICES_STR', 'f'], sets('EXPORTER_DEVICES')),
  option(['cpu-devices p', 'DCGM_EXPORTER_CPU_DEVICES_STR', 'f'], nothingToSelect),
  option(['switch-devices s', 'DCGM_EXPORTER_OTHER_DEVICES_STR', 'f'], nothingToSelect),
  option(['remote-hostengine-info r', 'DCGM_REMOTE_HOSTENGINE_INFO', 'localhost:5555'], hostEngineEffect),
  toggle(['fake-gpus', 'DCGM_EXPORTER_USE_FAKE_GPUS', 'false'], setsWhenOn({ GPU_SOURCE: 'mock' })),
  toggle(
    ['enable-gpu-bind-unbind-watch', 'DCGM_EXPORTER_ENABLE_GPU_BIND_UNBIND_WATCH', 'false'],
    idle('GPUs that come and go are always noticed.'),
  ),
  option(
    ['gpu-bind-unbind-poll-interval', 'DCGM_EXPORTER_GPU_BIND_UNBIND_POLL_INTERVAL', '1s'],
    idle('GPUs that come and go are noticed at each reading, see --collect-interval.'),
  ),
  toggle(
    ['disable-startup-validate', 'DISABLE_STARTUP_VALIDATE', 'false'],
    idle('the start never depends on the driver or on a GPU.'),
  ),
  option(['watch-max-keep-age', 'DCGM_EXPORTER_WATCH_MAX_KEEP_AGE', '10m0s'], noDcgm),
  option(['watch-max-keep-samples', 'DCGM_EXPORTER_WATCH_MAX_KEEP_SAMPLES', '0'], noDcgm),
];

const labels: readonly DcgmFlag[] = [
  toggle(['no-hostname n', 'DCGM_EXPORTER_NO_HOSTNAME', 'false'], setsWhenOn({ EXPORTER_HOSTNAME_LABEL: 'none' })),
  toggle(['use-old-namespace o', 'DCGM_EXPORTER_USE_OLD_NAMESPACE', 'false'], sets('EXPORTER_USE_OLD_NAMESPACE')),
  toggle(
    ['replace-blanks-in-model-name rbmn', 'DCGM_EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME', 'false'],
    sets('EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME'),
  ),
  option(['hpc-job-mapping-dir', 'DCGM_HPC_JOB_MAPPING_DIR', ''], sets('EXPORTER_HPC_JOB_MAPPING_DIR')),
  toggle(
    ['kubernetes k', 'DCGM_EXPORTER_KUBERNETES', 'false'],
    refused(
      'GPUs are not mapped to pods, so the labels pod, namespace and container would be missing. Set it to false, or keep dcgm-exporter where they are needed.',
    ),
  ),
  toggle(['kubernetes-enable-pod-labels', 'DCGM_EXPORTER_KUBERNETES_ENABLE_POD_LABELS', 'false'], onlyInKubernetes),
  toggle(['kubernetes-enable-pod-uid', 'DCGM_EXPORTER_KUBERNETES_ENABLE_POD_UID', 'false'], onlyInKubernetes),
  option(['kubernetes-gpu-id-type', 'DCGM_EXPORTER_KUBERNETES_GPU_ID_TYPE', 'uid'], onlyInKubernetes),
  option(
    ['kubernetes-pod-label-allowlist-regex', 'DCGM_EXPORTER_KUBERNETES_POD_LABEL_ALLOWLIST_REGEX', ''],
    onlyInKubernetes,
  ),
  toggle(['kubernetes-virtual-gpus', 'KUBERNETES_VIRTUAL_GPUS', 'false'], onlyInKubernetes),
  toggle(['kubernetes-enable-dra', 'KUBERNETES_ENABLE_DRA', 'false'], onlyInKubernetes),
  option(['nvidia-resource-names', 'NVIDIA_RESOURCE_NAMES', ''], onlyInKubernetes),
  option(
    [
      'pod-resources-kubelet-socket',
      'DCGM_POD_RESOURCES_KUBELET_SOCKET',
      '/var/lib/kubelet/pod-resources/kubelet.sock',
    ],
    onlyInKubernetes,
  ),
  toggle(
    ['container-labels', 'DCGM_EXPORTER_CONTAINER_LABELS', 'false'],
    refused(
      'container runtimes are not asked, so the label container would be missing. Set it to false, or keep dcgm-exporter where it is needed.',
    ),
  ),
  option(
    ['container-runtime-socket', 'DCGM_CONTAINER_RUNTIME_SOCKET', ''],
    idle('it matters together with --container-labels only.'),
  ),
];

const logging: readonly DcgmFlag[] = [
  toggle(['debug', 'DCGM_EXPORTER_DEBUG', 'false'], setsWhenOn({ LOG_LEVEL: 'debug' })),
  option(['log-format', 'DCGM_EXPORTER_LOG_FORMAT', 'text'], sets('LOG_FORMAT')),
  toggle(['enable-dcgm-log', 'DCGM_EXPORTER_ENABLE_DCGM_LOG', 'false'], noDcgm),
  option(['dcgm-log-level', 'DCGM_EXPORTER_DCGM_LOG_LEVEL', 'NONE'], noDcgm),
  toggle(['dump-enabled', 'DCGM_EXPORTER_DUMP_ENABLED', 'false'], noDumps),
  option(['dump-directory', 'DCGM_EXPORTER_DUMP_DIRECTORY', '/tmp/dcgm-exporter-debug'], noDumps),
  option(['dump-retention', 'DCGM_EXPORTER_DUMP_RETENTION', '24'], noDumps),
  toggle(['dump-compression', 'DCGM_EXPORTER_DUMP_COMPRESSION', 'true'], noDumps),
];

export const dcgmFlags: readonly DcgmFlag[] = [...listening, ...counters, ...gpus, ...labels, ...logging];

// `:9400` is every address of the machine, over IPv6 and IPv4.
function listenEffect(value: string): Effect {
  const { bracketed, plain, port } =
    /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:[\]]*)):(?<port>\d+)$/.exec(value)?.groups ?? {};
  if (port === undefined)
    return { kind: 'invalid', fix: 'give HOST:PORT, for example :9400, 127.0.0.1:9400 or [::1]:9400' };
  return { kind: 'set', values: { EXPORTER_ADDRESS: bracketed ?? (plain || '::'), EXPORTER_PORT: port } };
}

// The host engine of this machine reads the same GPUs as we do; one elsewhere reads others.
function hostEngineEffect(value: string): Effect {
  const host = value
    .replace(/^tcp:\/\//i, '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  const isHere = /^(localhost|127(\.\d+){3}|::1)$/i.test(host) || /^unix:/i.test(value);
  return isHere
    ? { kind: 'idle', why: 'the GPUs of this machine are read without a host engine.' }
    : {
        kind: 'refused',
        why: 'only the GPUs of the machine it runs on are read. Leave it out, and run one exporter on each GPU machine.',
      };
}
