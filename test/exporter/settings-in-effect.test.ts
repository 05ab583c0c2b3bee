/** Settings that are parsed elsewhere reach the page of the real exporter. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { startExporterProcess } from './exporter-process.ts';

async function start(env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const exporter = await startExporterProcess(args, { EXPORTER_COLLECT_INTERVAL_MS: '50', MOCK_GPUS: '2', ...env });
  onTestFinished(async () => void (await exporter.end('SIGKILL')));
  return (path: string, init: RequestInit = {}) =>
    fetch(exporter.url + path, { ...init, signal: AbortSignal.timeout(5000) });
}

const temperatures = (page: string) => page.split('\n').filter((line) => line.startsWith('DCGM_FI_DEV_GPU_TEMP{'));

it('labels are spelled as asked for', async () => {
  const ask = await start({
    EXPORTER_HOSTNAME: 'n1',
    EXPORTER_HOSTNAME_LABEL: 'both',
    EXPORTER_USE_OLD_NAMESPACE: 'true',
    EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME: 'true',
    EXPORTER_DEVICES: 'g:1',
  });
  await expect.poll(async () => temperatures(await (await ask('/metrics')).text())).toHaveLength(1);
  expect(temperatures(await (await ask('/metrics')).text())[0]).toMatch(
    /^DCGM_FI_DEV_GPU_TEMP\{gpu="1",uuid="GPU-[^"]+",pci_bus_id="00000000:0F:00.0",device="nvidia1",modelName="NVIDIA-A100-SXM4-80GB",Hostname="n1",hostname="n1",DCGM_FI_DRIVER_VERSION="570.86.15"\} \d+$/,
  );
});

it('jobs label the series of their GPU, and what cannot be read is counted', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, '0'), 'job-7\njob-8\n');
  mkdirSync(join(directory, '1'));
  const ask = await start({ EXPORTER_HPC_JOB_MAPPING_DIR: directory });
  const jobs = async () => {
    const page = await (await ask('/metrics')).text();
    return temperatures(page).map((line) => /gpu="(\d)".*?(?:hpc_job="([^"]+)")?\}/.exec(line)?.slice(1));
  };
  await expect.poll(jobs).toEqual([
    ['0', 'job-7'],
    ['0', 'job-8'],
    ['1', undefined],
  ]);
  expect(await (await ask('/metrics')).text()).toMatch(/^gpu_exporter_hpc_job_errors_total [1-9]/m);
});

it('the native profile counts what is expected, and can be the default', async () => {
  const ask = await start({ EXPORTER_EXPECTED_GPUS: '3', EXPORTER_PROFILE: 'native' });
  await expect.poll(async () => (await ask('/metrics')).text()).toMatch(/^gpu_expected 3$/m);
  expect(await (await ask('/metrics')).text()).toMatch(/^gpu_present 2$/m);
});

it('a web configuration asks for its password everywhere, and lets its owner write', async () => {
  const file = join(temporaryDirectory(), 'web.yml');
  writeFileSync(file, JSON.stringify({ basic_auth_users: { ops: hashSync('secret', 4) } }));
  const ask = await start({}, ['--web.config.file', file]);
  for (const path of ['/metrics', '/health', '/agent/health', '/-/healthy']) expect((await ask(path)).status).toBe(401);
  const headers = { Authorization: `Basic ${Buffer.from('ops:secret').toString('base64')}` };
  expect((await ask('/metrics', { headers })).status).toBe(200);
  const forwarded = { ...headers, 'X-Forwarded-For': '192.0.2.1' };
  expect((await ask('/-/reload', { method: 'POST', headers: forwarded })).status).toBe(200);
});

it('without credentials nobody behind a proxy writes', async () => {
  const ask = await start({});
  for (const [method, path] of [
    ['POST', '/-/reload'],
    ['DELETE', '/api/v1/gpus/GPU-1'],
    ['POST', '/api/v1/simulate'],
    ['POST', '/api/v1/simulate/clock'],
  ] as const) {
    const refused = await ask(path, { method, headers: { 'X-Forwarded-For': '192.0.2.1' } });
    expect([path, refused.status]).toEqual([path, 403]);
  }
});
