import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { detectSource } from '../../../exporter/source/nvml/detect.ts';
import { launchChild } from '../../../exporter/source/nvml/driver-process.ts';
import { driver } from './cards.ts';
import { buildFakeNvml } from './fake-nvml.ts';
import { cards } from './nvml-source.ts';

const limits = { gpuMs: 1_000, driverMs: 3_000, endMs: 500 };
const nowhere = '/nowhere/libnvidia-ml.so.1';

/** A machine with the given files below /. */
async function machine(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'machine-'));
  context.onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const device = (address: string, vendor: string, deviceClass: string) => ({
  [`sys/bus/pci/devices/${address}/vendor`]: `${vendor}\n`,
  [`sys/bus/pci/devices/${address}/class`]: `${deviceClass}\n`,
});

const otherDevices = {
  ...device('0000:00:02.0', '0x8086', '0x030000'),
  ...device('0000:01:00.1', '0x10de', '0x040300'),
  ...device('0000:02:00.0', '0x10de', '0x068000'),
};

describe('detectSource', () => {
  it.for<readonly [string, Readonly<Record<string, string>>, string]>([
    [
      'a data-centre card',
      device('0000:07:00.0', '0x10de', '0x030200'),
      'The PCI device 0000:07:00.0 is an NVIDIA GPU',
    ],
    [
      'a card with a display',
      device('0000:01:00.0', '0x10de', '0x030000'),
      'The PCI device 0000:01:00.0 is an NVIDIA GPU',
    ],
    [
      'a loaded kernel driver',
      { 'proc/driver/nvidia/version': 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23\n' },
      'The NVIDIA kernel driver 570.86.15 is loaded',
    ],
  ])('reads NVML where there is %s, without asking the driver', async ([, files, what], context) => {
    const root = await machine(context, { ...otherDevices, ...files });
    const launch = () => expect.unreachable('the driver was asked');
    expect(await detectSource({ library: { kind: 'library', path: nowhere }, root, launch })).toEqual({
      source: 'nvml',
      reason: `${what}: NVML is read, and waited for. GPU_SOURCE=mock simulates GPUs all the same.`,
    });
  });

  it('reads NVML where only the driver knows of a GPU', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    write(cards(2));
    const root = await machine(context, otherDevices);
    expect(await detectSource({ library: { kind: 'library', path }, root, limits })).toEqual({
      source: 'nvml',
      reason: 'NVML answers with 2 GPUs.',
    });
  });

  it('counts a GPU that is lost: it is there', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    write([...cards(1), 'fail nvmlDeviceGetTemperatureV 0 15']);
    const root = await machine(context, {});
    expect(await detectSource({ library: { kind: 'library', path }, root, limits })).toEqual({
      source: 'nvml',
      reason: 'NVML answers with 1 GPU.',
    });
  });

  it('waits for a driver that hangs: something made it', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    write([...cards(1), 'hang nvmlInit_v2 driver']);
    const root = await machine(context, {});
    expect(await detectSource({ library: { kind: 'library', path }, root, limits })).toEqual({
      source: 'nvml',
      reason:
        'The driver did not answer within 3 s (nvmlInit_v2). NVML is waited for. GPU_SOURCE=mock simulates GPUs all the same.',
    });
  });

  it('simulates where there is no GPU and no library, and says so', async (context) => {
    const root = await machine(context, otherDevices);
    const { source, reason } = await detectSource({ library: { kind: 'library', path: nowhere }, root, limits });
    expect(source).toBe('mock');
    expect(reason).toMatch(
      /^No NVIDIA GPU can be seen, so GPUs are simulated\. The NVML library \/nowhere\/libnvidia-ml\.so\.1 cannot be loaded: /,
    );
  });

  it.for<readonly [string, readonly string[], string]>([
    ['the driver is not loaded', ['fail nvmlInit_v2 driver 9'], 'the kernel driver is not loaded'],
    ['the driver lists none', driver(0), 'NVML answers, but lists none.'],
  ])('simulates where the library is installed and %s', async ([, lines, why], context) => {
    const { path, write } = await buildFakeNvml(context);
    write(lines);
    const root = await machine(context, {});
    const { source, reason } = await detectSource({ library: { kind: 'library', path }, root, limits });
    expect([source, reason]).toEqual(['mock', expect.stringContaining(why)]);
  });

  it('replays a recording wherever it is asked to', async () => {
    expect(await detectSource({ library: { kind: 'replay', file: 'answers.ndjson' } })).toEqual({
      source: 'nvml',
      reason: 'A recording is replayed.',
    });
  });

  it('leaves no process behind', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    write(cards(1));
    const root = await machine(context, {});
    const ended: (NodeJS.Signals | null)[] = [];
    const launch: typeof launchChild = (options) =>
      launchChild(options).on('exit', (_code, signal) => ended.push(signal));
    await detectSource({ library: { kind: 'library', path }, root, limits, launch });
    expect(ended).toEqual(['SIGKILL']);
  });
});
