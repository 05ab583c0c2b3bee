import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dcgmFlags } from '../../../exporter/config/dcgm-flags.ts';
import { translateDcgm } from '../../../exporter/config/dcgm-translation.ts';

const nothing = { env: {}, origins: {}, argv: [], problems: [], notes: [] };

/** Every flag of dcgm-exporter 4.8.3 and its main branch: names, variable, default. */
const flags: readonly (readonly [names: string, env: string, fallback: string])[] = [
  ['collectors f', 'DCGM_EXPORTER_COLLECTORS', '/etc/dcgm-exporter/default-counters.csv'],
  ['config-file', 'DCGM_EXPORTER_CONFIG_FILE', ''],
  ['address a', 'DCGM_EXPORTER_LISTEN', ':9400'],
  ['web-read-timeout', 'DCGM_EXPORTER_WEB_READ_TIMEOUT', '10s'],
  ['web-write-timeout', 'DCGM_EXPORTER_WEB_WRITE_TIMEOUT', '10s'],
  ['max-concurrent-scrapes', 'DCGM_EXPORTER_MAX_CONCURRENT_SCRAPES', '16'],
  ['enable-exporter-metrics', 'DCGM_EXPORTER_ENABLE_EXPORTER_METRICS', 'false'],
  ['collect-interval c', 'DCGM_EXPORTER_INTERVAL', '30000'],
  ['watch-max-keep-age', 'DCGM_EXPORTER_WATCH_MAX_KEEP_AGE', '10m0s'],
  ['watch-max-keep-samples', 'DCGM_EXPORTER_WATCH_MAX_KEEP_SAMPLES', '0'],
  ['kubernetes k', 'DCGM_EXPORTER_KUBERNETES', 'false'],
  ['use-old-namespace o', 'DCGM_EXPORTER_USE_OLD_NAMESPACE', 'false'],
  ['cpu-devices p', 'DCGM_EXPORTER_CPU_DEVICES_STR', 'f'],
  ['configmap-data m', 'DCGM_EXPORTER_CONFIGMAP_DATA', 'none'],
  ['remote-hostengine-info r', 'DCGM_REMOTE_HOSTENGINE_INFO', 'localhost:5555'],
  ['kubernetes-enable-pod-labels', 'DCGM_EXPORTER_KUBERNETES_ENABLE_POD_LABELS', 'false'],
  ['kubernetes-enable-pod-uid', 'DCGM_EXPORTER_KUBERNETES_ENABLE_POD_UID', 'false'],
  ['kubernetes-gpu-id-type', 'DCGM_EXPORTER_KUBERNETES_GPU_ID_TYPE', 'uid'],
  ['kubernetes-pod-label-allowlist-regex', 'DCGM_EXPORTER_KUBERNETES_POD_LABEL_ALLOWLIST_REGEX', ''],
  ['devices d', 'DCGM_EXPORTER_DEVICES_STR', 'f'],
  ['no-hostname n', 'DCGM_EXPORTER_NO_HOSTNAME', 'false'],
  ['health-require-gpus', 'DCGM_EXPORTER_HEALTH_REQUIRE_GPUS', 'false'],
  ['switch-devices s', 'DCGM_EXPORTER_OTHER_DEVICES_STR', 'f'],
  ['fake-gpus', 'DCGM_EXPORTER_USE_FAKE_GPUS', 'false'],
  ['web-config-file', 'DCGM_EXPORTER_WEB_CONFIG_FILE', ''],
  ['xid-count-window-size x', 'DCGM_EXPORTER_XID_COUNT_WINDOW_SIZE', '300000'],
  ['replace-blanks-in-model-name rbmn', 'DCGM_EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME', 'false'],
  ['debug', 'DCGM_EXPORTER_DEBUG', 'false'],
  ['clock-events-count-window-size', 'DCGM_EXPORTER_CLOCK_EVENTS_COUNT_WINDOW_SIZE', '300000'],
  ['enable-dcgm-log', 'DCGM_EXPORTER_ENABLE_DCGM_LOG', 'false'],
  ['dcgm-log-level', 'DCGM_EXPORTER_DCGM_LOG_LEVEL', 'NONE'],
  ['log-format', 'DCGM_EXPORTER_LOG_FORMAT', 'text'],
  ['pod-resources-kubelet-socket', 'DCGM_POD_RESOURCES_KUBELET_SOCKET', '/var/lib/kubelet/pod-resources/kubelet.sock'],
  ['hpc-job-mapping-dir', 'DCGM_HPC_JOB_MAPPING_DIR', ''],
  ['container-labels', 'DCGM_EXPORTER_CONTAINER_LABELS', 'false'],
  ['container-runtime-socket', 'DCGM_CONTAINER_RUNTIME_SOCKET', ''],
  ['nvidia-resource-names', 'NVIDIA_RESOURCE_NAMES', ''],
  ['kubernetes-virtual-gpus', 'KUBERNETES_VIRTUAL_GPUS', 'false'],
  ['dump-enabled', 'DCGM_EXPORTER_DUMP_ENABLED', 'false'],
  ['dump-directory', 'DCGM_EXPORTER_DUMP_DIRECTORY', '/tmp/dcgm-exporter-debug'],
  ['dump-retention', 'DCGM_EXPORTER_DUMP_RETENTION', '24'],
  ['dump-compression', 'DCGM_EXPORTER_DUMP_COMPRESSION', 'true'],
  ['kubernetes-enable-dra', 'KUBERNETES_ENABLE_DRA', 'false'],
  ['disable-startup-validate', 'DISABLE_STARTUP_VALIDATE', 'false'],
  ['enable-gpu-bind-unbind-watch', 'DCGM_EXPORTER_ENABLE_GPU_BIND_UNBIND_WATCH', 'false'],
  ['gpu-bind-unbind-poll-interval', 'DCGM_EXPORTER_GPU_BIND_UNBIND_POLL_INTERVAL', '1s'],
  ['enable-pprof', 'DCGM_EXPORTER_ENABLE_PPROF', 'false'],
  ['web-systemd-socket', 'DCGM_EXPORTER_SYSTEMD_SOCKET', 'false'],
];

const switches = new Set(dcgmFlags.filter(({ isSwitch }) => isSwitch).map(({ env }) => env));

describe('dcgmFlags', () => {
  it('has a row for each flag of dcgm-exporter, with its names, variable and default', () => {
    const rows = dcgmFlags.map(({ names, env, fallback }) => [names.join(' '), env, fallback]);
    expect(rows.toSorted(byVariable)).toEqual(flags.map((row) => [...row]).toSorted(byVariable));
    expect(
      [...switches].every((env) => /^(true|false)$/.test(dcgmFlags.find((flag) => flag.env === env)?.fallback ?? '')),
    ).toBe(true);
  });

  it('never refuses a default, given as it is', () => {
    const env = Object.fromEntries(flags.map(([, variable, fallback]) => [variable, fallback]));
    expect(translateDcgm(env, [])).toMatchObject({ problems: [], notes: [] });
    const argv = flags.map(([names, , fallback]) => `--${names.split(' ')[0]}=${fallback}`);
    expect(translateDcgm({}, argv)).toMatchObject({ argv: [], problems: [], notes: [] });
  });

  it('understands each flag by each of its names and by its variable', () => {
    for (const [names, env, fallback] of flags) {
      const value = switches.has(env) ? String(fallback !== 'true') : sampleValue(env);
      const byVariableName = translateDcgm({ [env]: value }, []);
      for (const name of names.split(' ')) {
        const typed = translateDcgm({}, [`-${name}=${value}`]);
        const renamed = JSON.parse(JSON.stringify(typed).replaceAll(`"-${name}`, `"${env}`));
        expect(renamed).toEqual(byVariableName);
        expect(typed).not.toEqual(nothing);
      }
    }
  });
});

function byVariable([, left = '']: readonly string[], [, right = '']: readonly string[]): number {
  return left < right ? -1 : 1;
}

function sampleValue(env: string): string {
  return env === 'DCGM_EXPORTER_LISTEN' ? '127.0.0.1:9500' : 'gpu-7';
}

describe('translateDcgm', () => {
  it('leaves alone what is ours', () => {
    const argv = [
      '--port',
      '9500',
      '--address',
      '127.0.0.1',
      '--gpus=4',
      '--hostname=n',
      '--profile',
      'native',
      '--',
      '-k',
    ];
    expect(translateDcgm({ EXPORTER_PORT: '1', PATH: '/bin' }, argv)).toEqual({
      ...nothing,
      argv: ['--address=127.0.0.1', '--port', '9500', '--gpus=4', '--hostname=n', '--profile', 'native', '--', '-k'],
    });
  });

  it.each([
    { argv: ['-f', '/etc/c.csv'], env: { EXPORTER_COUNTERS_FILE: '/etc/c.csv' } },
    { argv: ['-c', '5000'], env: { EXPORTER_COLLECT_INTERVAL_MS: '5000' } },
    { argv: ['-d', 'g:0,1'], env: { EXPORTER_DEVICES: 'g:0,1' } },
    { argv: ['-n'], env: { EXPORTER_HOSTNAME_LABEL: 'none' } },
    { argv: ['-n=false'], env: {} },
    { argv: ['-o'], env: { EXPORTER_USE_OLD_NAMESPACE: 'true' } },
    { argv: ['--rbmn=1'], env: { EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME: 'true' } },
    { argv: ['-x', '60000'], env: { EXPORTER_XID_WINDOW_MS: '60000' } },
    { argv: ['--clock-events-count-window-size=1'], env: { EXPORTER_CLOCK_EVENTS_WINDOW_MS: '1' } },
    { argv: ['--web-config-file', 'w.yml'], env: { EXPORTER_WEB_CONFIG_FILE: 'w.yml' } },
    { argv: ['--hpc-job-mapping-dir', '/jobs'], env: { EXPORTER_HPC_JOB_MAPPING_DIR: '/jobs' } },
    { argv: ['--fake-gpus'], env: { GPU_SOURCE: 'mock' } },
    { argv: ['--fake-gpus=f'], env: {} },
    { argv: ['--debug'], env: { LOG_LEVEL: 'debug' } },
    { argv: ['--log-format', 'text'], env: { LOG_FORMAT: 'text' } },
  ])('honours $argv', ({ argv, env }) => {
    const origin = argv[0]?.split('=')[0];
    const origins = Object.fromEntries(Object.keys(env).map((variable) => [variable, origin]));
    expect(translateDcgm({}, argv)).toEqual({ ...nothing, env, origins });
  });

  it.each([
    { value: ':9400', address: '::', port: '9400' },
    { value: '0.0.0.0:80', address: '0.0.0.0', port: '80' },
    { value: '[::1]:9400', address: '::1', port: '9400' },
    { value: 'localhost:9400', address: 'localhost', port: '9400' },
    { value: 'gpu-7.example:9400', address: 'gpu-7.example', port: '9400' },
  ])('listens where $value says', ({ value, address, port }) => {
    const env = { EXPORTER_ADDRESS: address, EXPORTER_PORT: port };
    expect(translateDcgm({}, ['--address', value]).env).toEqual(env);
    expect(translateDcgm({ DCGM_EXPORTER_LISTEN: value }, []).env).toEqual(env);
  });

  it.each(['9400', '127.0.0.1', '::1', '::1:x', '[::1]', ':', 'http://x:9400', 'a:b:1'])(
    'refuses to listen on %s',
    (value) => {
      expect(translateDcgm({ DCGM_EXPORTER_LISTEN: value }, [])).toEqual({
        ...nothing,
        problems: [
          `DCGM_EXPORTER_LISTEN is "${value}": give HOST:PORT, for example :9400, 127.0.0.1:9400 or [::1]:9400.`,
        ],
      });
    },
  );

  it.each([
    {
      argv: ['-k'],
      problem:
        '-k is not possible here: GPUs are not mapped to pods, so the labels pod, namespace and container would be missing. Set it to false, or keep dcgm-exporter where they are needed.',
    },
    {
      argv: ['-m', 'ns:map'],
      problem:
        '-m is not possible here: the Kubernetes API is not asked. Mount the ConfigMap as a file, and give its path with --collectors.',
    },
    {
      argv: ['-r', 'gpu-7:5555'],
      problem:
        '-r is not possible here: only the GPUs of the machine it runs on are read. Leave it out, and run one exporter on each GPU machine.',
    },
    {
      argv: ['--config-file=c.yml'],
      problem:
        '--config-file is not possible here: its YAML is not read. Give its metrics.file with --collectors and its interval with --collect-interval.',
    },
    {
      argv: ['--web-systemd-socket'],
      problem:
        '--web-systemd-socket is not possible here: sockets that systemd has opened are not taken over. Leave it out, and give the address with --address.',
    },
    {
      argv: ['--container-labels'],
      problem:
        '--container-labels is not possible here: container runtimes are not asked, so the label container would be missing. Set it to false, or keep dcgm-exporter where it is needed.',
    },
    {
      argv: ['--health-require-gpus'],
      problem:
        '--health-require-gpus is not possible here: health is that of the process, not of the GPUs. Leave it out, and alert on gpu_up and gpu_exporter_gpus.',
    },
  ])('refuses $argv with the reason and a way out', ({ argv, problem }) => {
    expect(translateDcgm({}, argv)).toEqual({ ...nothing, problems: [problem] });
  });

  it.each([
    { value: 'localhost:5556', isHere: true },
    { value: '127.0.0.1:5555', isHere: true },
    { value: '[::1]:5555', isHere: true },
    { value: 'tcp://127.0.1.1:5555', isHere: true },
    { value: 'unix:///run/nv-hostengine.sock', isHere: true },
    { value: 'nvidia-dcgm:5555', isHere: false },
    { value: '[fd00::7]:5555', isHere: false },
    { value: 'vsock://2:5555', isHere: false },
  ])('takes a host engine at $value for one here: $isHere', ({ value, isHere }) => {
    const { problems, notes } = translateDcgm({ DCGM_REMOTE_HOSTENGINE_INFO: value }, []);
    expect({ problems: problems.length, notes: notes.length }).toEqual({
      problems: isHere ? 0 : 1,
      notes: isHere ? 1 : 0,
    });
  });

  it.each([
    { argv: ['--kubernetes-gpu-id-type=device-name'], note: 'it matters together with --kubernetes only.' },
    { argv: ['--container-runtime-socket=/s'], note: 'it matters together with --container-labels only.' },
    { argv: ['--enable-dcgm-log'], note: 'GPUs are read through NVML, so there is no DCGM it could apply to.' },
    { argv: ['--switch-devices=g:0'], note: 'NVSwitches and CPUs are not read, so there is nothing to select.' },
    {
      argv: ['--dump-compression=false'],
      note: 'there are no DCGM values to dump; what each GPU answers is shown by `exporter doctor`.',
    },
    { argv: ['--disable-startup-validate'], note: 'the start never depends on the driver or on a GPU.' },
    { argv: ['--enable-gpu-bind-unbind-watch'], note: 'GPUs that come and go are always noticed.' },
    {
      argv: ['--gpu-bind-unbind-poll-interval=2s'],
      note: 'GPUs that come and go are noticed at each reading, see --collect-interval.',
    },
    {
      argv: ['--web-read-timeout=1m'],
      note: 'requests have limits of their own here, and a scrape never waits for a GPU.',
    },
    { argv: ['--enable-pprof'], note: 'this is not a Go program; start node with --inspect to profile it.' },
    { argv: ['--enable-exporter-metrics'], note: 'metrics about the exporter itself are always published.' },
  ])('accepts $argv without effect, and says so', ({ argv, note }) => {
    expect(translateDcgm({}, argv)).toEqual({
      ...nothing,
      notes: [`${argv[0]?.split('=')[0]} has no effect: ${note}`],
    });
  });

  it('lets flags win over variables, and of variables ours', () => {
    const env = {
      DCGM_EXPORTER_INTERVAL: '1',
      DCGM_EXPORTER_LISTEN: ':1',
      EXPORTER_PORT: '2',
      EXPORTER_XID_WINDOW_MS: '3',
    };
    expect(translateDcgm(env, ['-c', '4', '-c=5', '-x', '6'])).toEqual({
      ...nothing,
      env: { EXPORTER_COLLECT_INTERVAL_MS: '5', EXPORTER_ADDRESS: '::', EXPORTER_XID_WINDOW_MS: '6' },
      origins: {
        EXPORTER_COLLECT_INTERVAL_MS: '-c',
        EXPORTER_ADDRESS: 'DCGM_EXPORTER_LISTEN',
        EXPORTER_XID_WINDOW_MS: '-x',
      },
      notes: ['DCGM_EXPORTER_LISTEN has no effect on EXPORTER_PORT, which is set itself.'],
    });
  });

  it('takes an empty variable, and a flag with an empty value, for none', () => {
    const env = { DCGM_EXPORTER_COLLECTORS: '', DCGM_EXPORTER_KUBERNETES: '', EXPORTER_DEVICES: '' };
    expect(translateDcgm({ ...env, DCGM_EXPORTER_DEVICES_STR: 'g' }, ['--configmap-data='])).toEqual({
      ...nothing,
      env: { EXPORTER_DEVICES: 'g' },
      origins: { EXPORTER_DEVICES: 'DCGM_EXPORTER_DEVICES_STR' },
    });
  });

  it('names this machine as Kubernetes does, unless we are told otherwise', () => {
    expect(translateDcgm({ NODE_NAME: 'gpu-node-7' }, [])).toEqual({
      ...nothing,
      env: { EXPORTER_HOSTNAME: 'gpu-node-7' },
      origins: { EXPORTER_HOSTNAME: 'NODE_NAME' },
    });
    expect(translateDcgm({ NODE_NAME: 'a', EXPORTER_HOSTNAME: 'b' }, [])).toEqual(nothing);
  });

  it('asks for the help and the version in our spelling', () => {
    for (const help of ['-h', '-help', '--help']) expect(translateDcgm({}, [help]).argv).toEqual(['--help']);
    for (const version of ['-v', '-version', '--version'])
      expect(translateDcgm({}, [version]).argv).toEqual(['--version']);
  });

  it('reports all problems together', () => {
    const env = { DCGM_EXPORTER_NO_HOSTNAME: 'yes', DCGM_EXPORTER_LISTEN: '9400' };
    expect(translateDcgm(env, ['-m', 'a:b', '-k', 'true', '-f']).problems).toEqual([
      '-k takes its value after an equals sign: write -k=true.',
      '-f needs a value: write -f=VALUE.',
      'DCGM_EXPORTER_LISTEN is "9400": give HOST:PORT, for example :9400, 127.0.0.1:9400 or [::1]:9400.',
      'DCGM_EXPORTER_NO_HOSTNAME is "yes": give true or false.',
      '-m is not possible here: the Kubernetes API is not asked. Mount the ConfigMap as a file, and give its path with --collectors.',
    ]);
  });

  it('never throws, and leaves what it does not know as it is', () => {
    const unknown = fc.stringMatching(/^[a-z]{12,20}$/).map((name) => `--${name}`);
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(unknown), (words, others) => {
        translateDcgm({}, words);
        expect(translateDcgm({}, others)).toEqual({ ...nothing, argv: others });
      }),
    );
  });
});
