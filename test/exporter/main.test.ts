import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { freePortRange } from '../servers/free-port.ts';
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

  it('lists on its first page what it answers, and answers it', async () => {
    const checkpoint = join(temporaryDirectory(), 'agent.jsonl');
    const exporter = await start([], { AGENT_MODE: 'true', AGENT_ID: 'a', AGENT_CHECKPOINT_FILE: checkpoint });
    await expect.poll(async () => (await get(exporter, '/-/ready')).status).toBe(200);
    await expect.poll(async () => (await get(exporter, '/agent/health')).status).toBe(200);
    const links = [...(await get(exporter, '/')).body.matchAll(/href="([^"]+)"/g)].map(([, path]) => path ?? '');
    const answers = await Promise.all(links.map(async (path) => [path, (await get(exporter, path)).status]));
    expect(answers).toEqual(
      [
        '/metrics',
        '/metrics?profile=native',
        '/health',
        '/-/healthy',
        '/-/ready',
        '/api/v1/gpus',
        '/api/v1/http-sd',
        '/api/v1/simulate',
        '/api/v1/simulate/truth',
        '/agent/uptime-since-last-ping',
        '/agent/gpu-status',
        '/agent/health',
        '/v1/states',
        '/v1/events',
        '/v1/gpu',
        '/healthz',
      ].map((path) => [path, 200]),
    );
  });

  it('forgets a GPU that is gone for good, and only such a one', async () => {
    const exporter = await start(['--gpus', '2'], { EXPORTER_COLLECT_INTERVAL_MS: '50' });
    const known = async () => JSON.parse((await get(exporter, '/api/v1/gpus')).body).gpus;
    await expect.poll(known).toHaveLength(2);
    const [{ uuid }] = await known();
    const forget = () => get(exporter, `/api/v1/gpus/${uuid}`, { method: 'DELETE' });
    expect((await forget()).status).toBe(409);
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    await get(exporter, '/api/v1/simulate', { ...init, body: JSON.stringify({ gpu: 0, fault: 'lost' }) });
    await expect.poll(known).toEqual([expect.objectContaining({ uuid, state: 'unavailable' }), expect.anything()]);
    // The source names a lost GPU at each reading, so it comes back as one that is lost.
    expect(JSON.parse((await forget()).body)).toEqual({ forgotten: uuid });
    expect((await get(exporter, '/api/v1/gpus/GPU-x', { method: 'DELETE' })).status).toBe(404);
  });

  it('reads a changed counters file on request, and keeps the last good one', async () => {
    const file = join(temporaryDirectory(), 'counters.csv');
    writeFileSync(file, 'DCGM_FI_DEV_GPU_TEMP, gauge, x\n');
    const exporter = await start([], { EXPORTER_COUNTERS_FILE: file, EXPORTER_COLLECT_INTERVAL_MS: '50' });
    const names = async () => new Set((await get(exporter, '/metrics')).body.match(/^DCGM\w+/gm));
    await expect.poll(names).toEqual(new Set(['DCGM_FI_DEV_GPU_TEMP']));
    writeFileSync(file, 'DCGM_FI_DEV_GPU_TMEP, gauge, x\n');
    const refused = await get(exporter, '/-/reload', { method: 'POST' });
    expect([refused.status, refused.body]).toEqual([422, expect.stringContaining('Write DCGM_FI_DEV_GPU_TEMP.')]);
    writeFileSync(file, 'DCGM_FI_DEV_SM_CLOCK, gauge, x\n');
    expect(await names()).toEqual(new Set(['DCGM_FI_DEV_GPU_TEMP']));
    writeFileSync(file, '');
    expect((await get(exporter, '/-/reload', { method: 'POST' })).status).toBe(422);
    writeFileSync(file, 'DCGM_FI_DEV_SM_CLOCK, gauge, x\n');
    process.kill(exporter.pid, 'SIGHUP');
    await expect.poll(names).toEqual(new Set(['DCGM_FI_DEV_SM_CLOCK']));
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

  it('ends within its second of grace however many ports hang', async () => {
    const directory = temporaryDirectory();
    const timeline = join(directory, 'fleet.yml');
    writeFileSync(timeline, 'events: [{at: 0s, for: 1h, fault: exporter-hang}]\n');
    const nodePorts = await freePortRange(6);
    const exporter = await startExporterProcess([], {
      MOCK_NODES: '6',
      MOCK_NODE_PORTS: String(nodePorts),
      MOCK_TIMELINE: timeline,
    });
    const ports = Array.from({ length: 6 }, (_, nth) => nodePorts + nth);
    const scrapes = ports.map((port) => fetch(`http://127.0.0.1:${port}/metrics`).catch(() => 'cut'));
    await expect.poll(async () => (await get(exporter, '/-/healthy')).status).toBe(200);
    const since = performance.now();
    expect((await exporter.end()).code).toBe(0);
    expect(performance.now() - since).toBeLessThan(3000);
    expect(await Promise.all(scrapes)).toEqual(ports.map(() => 'cut'));
  });

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
    const { code, stdout, stderr } = await runExporterProcess(['--port', 'x', '--devices', 'x', '--profile', 'dgcm'], {
      GPU_SOURCE: 'mock',
      EXPORTER_COUNTERS_FILE: counters,
      EXPORTER_WEB_CONFIG_FILE: web,
      MOCK_TIMELINE: timeline,
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.replaceAll(directory, '')).toMatchInlineSnapshot(`
      "The exporter cannot start:
        --port is "x": give a whole number from 0 to 65535.
        EXPORTER_PROFILE is "dgcm": give dcgm, native, or platform, or several of them with commas between.
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
