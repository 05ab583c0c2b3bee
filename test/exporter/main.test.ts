import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { type RunningExporter, runExporterProcess, startExporterProcess } from './exporter-process.ts';

const running: RunningExporter[] = [];

async function start(args: readonly string[] = [], env = {}): Promise<RunningExporter> {
  const exporter = await startExporterProcess(args, env);
  running.push(exporter);
  return exporter;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((exporter) => exporter.end('SIGKILL')));
});

const get = async ({ url }: RunningExporter, path: string, init: RequestInit = {}) => {
  const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(5000) });
  return { status: response.status, body: await response.text() };
};

const series = (page: string, name: string) => page.split('\n').filter((line) => line.startsWith(`${name}{`));

describe('node exporter/main.ts', () => {
  it('publishes eight A100s, ready within moments', async () => {
    const exporter = await start(['--hostname', 'node-1']);
    await expect.poll(async () => (await get(exporter, '/-/ready')).status).toBe(200);
    const { body } = await get(exporter, '/metrics');
    const temperatures = series(body, 'DCGM_FI_DEV_GPU_TEMP');
    expect(temperatures).toHaveLength(8);
    expect(temperatures.every((line) => line.includes('modelName="NVIDIA A100-SXM4-80GB",Hostname="node-1"'))).toBe(
      true,
    );
    expect(body).toContain(`gpu_exporter_build_info{nodejs="${process.version}",version="${manifest.version}"} 1`);
    expect(body).toContain('process_resident_memory_bytes');
  });

  it('simulates the same cards for the same seed after a restart', async () => {
    const uuids = async () => {
      const exporter = await start(['--seed', '9', '--gpus', '3']);
      await expect.poll(async () => (await get(exporter, '/-/ready')).status).toBe(200);
      return (await get(exporter, '/metrics')).body.match(/UUID="[^"]+"/g)?.slice(0, 3);
    };
    const first = await uuids();
    expect(first).toHaveLength(3);
    expect(await uuids()).toEqual(first);
  });

  it('loses a GPU on request, and gets it back', async () => {
    const exporter = await start([], { EXPORTER_COLLECT_INTERVAL_MS: '50' });
    const send = (body: unknown) =>
      get(exporter, '/api/v1/simulate', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    const count = async () => series((await get(exporter, '/metrics')).body, 'DCGM_FI_DEV_GPU_TEMP').length;
    expect((await send({ gpu: 3, fault: 'lost' })).status).toBe(200);
    await expect.poll(count).toBe(7);
    await send({ gpu: 3, fault: 'recover' });
    await expect.poll(count).toBe(8);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends at once and cleanly on %s, keep-alive connections or not',
    async (signal) => {
      const exporter = await startExporterProcess();
      await get(exporter, '/metrics');
      const since = performance.now();
      const { code, stdout, stderr } = await exporter.end(signal);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(performance.now() - since).toBeLessThan(900);
      expect(stdout).toContain(`"signal":"${signal}"`);
    },
  );

  it('says in one sentence that its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const ended = await runExporterProcess(['--port', String(port)]);
    taken.close();
    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `Port ${port} on 127.0.0.1 is already in use: end what uses it, or choose another with --port or EXPORTER_PORT.\n`,
    });
  });

  it('says in one sentence that an address is not its own', async () => {
    const { code, stderr } = await runExporterProcess(['--port', '0', '--address', '192.0.2.1']);
    expect([code, stderr]).toEqual([
      1,
      'This machine has no address 192.0.2.1: choose another with --address or EXPORTER_ADDRESS.\n',
    ]);
  });

  it('names everything that is wrong with its configuration', async () => {
    const env = { GPU_SOURCE: 'cuda', MOCK_GPUS: 'many', DCGM_EXPORTER_INTERVAL: 'often' };
    expect(await runExporterProcess(['--port', '70000', '--prot'], env)).toEqual({
      code: 1,
      stdout: '',
      stderr: `The exporter cannot start:
  --prot is not a flag: see --help for those there are.
  --port is "70000": give a whole number from 0 to 65535.
  GPU_SOURCE is "cuda": give one of auto, nvml, mock, replay.
  DCGM_EXPORTER_INTERVAL is "often": give a whole number from 50 to 3600000.
  MOCK_GPUS is "many": give a whole number from 1 to 10000.
`,
    });
  });

  it('names everything that is wrong with what its configuration names', async () => {
    const directory = temporaryDirectory();
    const file = (name: string, text: string) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const counters = file('counters.csv', 'DCGM_FI_DEV_GPU_TMEP, gauge, x\n');
    const web = file('web.yml', 'basic_auth_user: {}\n');
    const timeline = file('fleet.yml', 'events: [{at: 1m, fault: off-the-buss}]\n');
    const { code, stdout, stderr } = await runExporterProcess(['--port', '0', '--devices', 'x', '--profile', 'dgcm'], {
      GPU_SOURCE: 'mock',
      EXPORTER_COUNTERS_FILE: counters,
      EXPORTER_WEB_CONFIG_FILE: web,
      MOCK_TIMELINE: timeline,
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.replaceAll(directory, '')).toMatchInlineSnapshot(`
      "The exporter cannot start:
        EXPORTER_PROFILE: There is no profile "dgcm": give dcgm, native, or platform, or several of them with commas between.
        EXPORTER_DEVICES is "x": give f, or g and i with indices if need be, for example g:0,2-3 or g+i:0-6.
        /counters.csv:1:1: "DCGM_FI_DEV_GPU_TMEP" is not a field of DCGM.
        1 | DCGM_FI_DEV_GPU_TMEP, gauge, x
          | ^^^^^^^^^^^^^^^^^^^^
        fix: Write DCGM_FI_DEV_GPU_TEMP.
        /fleet.yml:1:26: events[0].fault is "off-the-buss"
        1 | events: [{at: 1m, fault: off-the-buss}]
          |                          ^^^^^^^^^^^^
        fix: write off-the-bus; there are hot, busy, lost, power, ecc, off-the-bus, xid, ecc-storm, thermal-ramp, sensor-blank, driver-reload, exporter-hang, node-down
        /web.yml:1:1: the file has no key "basic_auth_user"
        fix: write basic_auth_users, or remove it
      "
    `);
  });

  it('prints its version and its help', async () => {
    expect(await runExporterProcess(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
    const { code, stdout } = await runExporterProcess(['--help']);
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Publishes GPU metrics for Prometheus.']);
  });
});
