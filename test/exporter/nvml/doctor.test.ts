import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext } from 'vitest';
import { runDoctor } from '../../../exporter/source/nvml/doctor.ts';
import { uuidOf } from './cards.ts';
import { buildFakeNvml } from './fake-nvml.ts';
import { cards } from './nvml-source.ts';

const run = promisify(execFile);
const limits = { gpuMs: 1_000, driverMs: 3_000, endMs: 500 };

async function examine(context: TestContext, ...lines: readonly string[]) {
  const { path, write } = await buildFakeNvml(context);
  write([...cards(2), ...lines]);
  return runDoctor({ library: { kind: 'library', path }, limits });
}

describe('runDoctor', () => {
  it('brings back what each GPU says to each question', async (context) => {
    const report = await examine(context);
    expect(report).toMatchObject({
      kind: 'support',
      support: {
        driverVersion: '570.86.15',
        gpus: [
          { index: 0, uuid: uuidOf(0) },
          { index: 1, uuid: uuidOf(1) },
        ],
      },
    });
  });

  it('says where the driver hangs instead of hanging with it', async (context) => {
    expect(await examine(context, 'hang nvmlDeviceGetPowerUsage 1')).toEqual({
      kind: 'wedged',
      touching: { gpu: uuidOf(1), step: 'nvmlDeviceGetPowerUsage' },
      message: `${uuidOf(1)} did not answer within 2 s (nvmlDeviceGetPowerUsage).`,
    });
  });

  it('says that the driver hangs before it names a GPU', async (context) => {
    expect(await examine(context, 'hang nvmlInit_v2 driver')).toMatchObject({
      kind: 'wedged',
      message: 'The driver did not answer within 3 s (nvmlInit_v2).',
    });
  });

  it('answers a program that has nothing else to wait for', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    write(cards(1));
    const module = new URL('../../../exporter/source/nvml/doctor.ts', import.meta.url).href;
    const program = `import { runDoctor } from '${module}';
      console.log((await runDoctor({ library: { kind: 'library', path: '${path}' } })).kind);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
    expect(stdout).toBe('support\n');
  });

  it('says why the library cannot be had', async () => {
    const path = '/nowhere/libnvidia-ml.so.1';
    expect(await runDoctor({ library: { kind: 'library', path }, limits })).toMatchObject({
      kind: 'unavailable',
      reason: 'library_not_found',
      message: expect.stringMatching(/^The NVML library \/nowhere\/libnvidia-ml\.so\.1 cannot be loaded: /),
    });
  });
});
