import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectEnvironment } from '../../../exporter/source/nvml/environment.ts';
import { createLinuxSystem } from '../../../exporter/source/nvml/system.ts';
import { buildMachine, gpuMachine } from './machine.ts';

describe('inspectEnvironment', () => {
  it('finds what a driver needs', async (context) => {
    const root = await buildMachine(context, gpuMachine);
    expect(inspectEnvironment({ library: undefined, uid: 1000, root })).toEqual({
      library: {
        asked: 'libnvidia-ml.so.1',
        file: join(root, 'usr/lib/x86_64-linux-gnu/libnvidia-ml.so.570.86.15'),
        version: '570.86.15',
      },
      kernelDriver: '570.86.15',
      deviceNodes: [
        { path: '/dev/nvidia-uvm', isReadableAndWritable: true },
        { path: '/dev/nvidia2', isReadableAndWritable: true },
        { path: '/dev/nvidia10', isReadableAndWritable: true },
        { path: '/dev/nvidiactl', isReadableAndWritable: true },
      ],
      busGpus: ['0000:1b:00.0', '0000:43:00.0'],
      user: { uid: 1000, hasSysAdmin: false },
      isContainer: false,
    });
  });

  it('knows an empty container', async (context) => {
    const status = 'CapEff:\t000001ffffffffff\n';
    const root = await buildMachine(context, { files: { '.dockerenv': '', 'proc/self/status': status } });
    expect(inspectEnvironment({ library: '/opt/nvml.so', uid: 0, root })).toEqual({
      library: { asked: '/opt/nvml.so', file: undefined, version: undefined },
      kernelDriver: undefined,
      deviceNodes: [],
      busGpus: undefined,
      user: { uid: 0, hasSysAdmin: true },
      isContainer: true,
    });
  });

  it('looks where the loader is told to look first', async (context) => {
    const root = await buildMachine(context, {
      ...gpuMachine,
      files: { ...gpuMachine.files, 'opt/lib/libnvidia-ml.so.1': '' },
    });
    const { library } = inspectEnvironment({ library: undefined, libraryPath: ':/opt/lib', root });
    expect(library).toMatchObject({ file: join(root, 'opt/lib/libnvidia-ml.so.1'), version: undefined });
  });

  it.for([
    ['NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024', '535.183.01'],
    ['NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  570.86.15  Release Build', '570.86.15'],
    ['something else', undefined],
  ])('reads the version from: %s', async ([text = '', version], context) => {
    const root = await buildMachine(context, { files: { 'proc/driver/nvidia/version': text } });
    expect(inspectEnvironment({ library: undefined, root }).kernelDriver).toBe(version);
  });
});

describe('createLinuxSystem', () => {
  it('tells one load of the driver from another', async (context) => {
    const root = await buildMachine(context, gpuMachine);
    const system = createLinuxSystem(root);
    const first = system.driverLoad();
    expect(first).toMatch(/^9a1c52e0-\d+$/);
    expect(system.driverLoad()).toBe(first);
    // The kernel removes the directory with the module, and makes another one.
    await rename(join(root, 'sys/module/nvidia'), join(root, 'sys/module/gone'));
    expect(system.driverLoad()).toBeUndefined();
    await mkdir(join(root, 'sys/module/nvidia'));
    expect(system.driverLoad()).not.toBe(first);
  });

  it('lists the GPUs that the driver is bound to', async (context) => {
    const root = await buildMachine(context, gpuMachine);
    const system = createLinuxSystem(root);
    expect(system.boundGpus()).toBe('0000:1b:00.0 0000:43:00.0');
    await rm(join(root, 'proc/driver/nvidia/gpus/0000:43:00.0'), { recursive: true });
    expect(system.boundGpus()).toBe('0000:1b:00.0');
    await rm(join(root, 'proc/driver'), { recursive: true });
    expect(system.boundGpus()).toBeUndefined();
  });

  it('names processes that are there', async (context) => {
    const system = createLinuxSystem(await buildMachine(context, gpuMachine));
    expect([4711, 4712].map(system.processName)).toEqual(['python3', undefined]);
  });
});
