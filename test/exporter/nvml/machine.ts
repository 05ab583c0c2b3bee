/** A machine's /proc, /sys and /dev in a temporary directory, as Linux would show them. */

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'vitest';

/** `files` by path below the root; `links` by path, each with what it points to. */
export interface MachineFiles {
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
}

export async function buildMachine(context: TestContext, { files = {}, links = {} }: MachineFiles): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'machine-'));
  context.onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
  return root;
}

const bus = 'sys/bus/pci/devices';

/** Two GPUs, a network card and the sound device of one of the GPUs; the driver is loaded and its nodes are there. */
export const gpuMachine: MachineFiles = {
  files: {
    'usr/lib/x86_64-linux-gnu/libnvidia-ml.so.570.86.15': '',
    'proc/driver/nvidia/version':
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U22-I3)\nGCC version:  gcc version 12.3.0\n',
    'proc/driver/nvidia/gpus/0000:1b:00.0/information': '',
    'proc/driver/nvidia/gpus/0000:43:00.0/information': '',
    'proc/sys/kernel/random/boot_id': '9a1c52e0-6d0e-4c58-8b1b-2f6ed1f6a001\n',
    'proc/self/status': 'Name:\tnode\nCapEff:\t00000000a80425fb\n',
    'proc/4711/comm': 'python3\n',
    'sys/module/nvidia/initstate': 'live\n',
    [`${bus}/0000:1b:00.0/vendor`]: '0x10de\n',
    [`${bus}/0000:1b:00.0/class`]: '0x030200\n',
    [`${bus}/0000:43:00.0/vendor`]: '0x10de\n',
    [`${bus}/0000:43:00.0/class`]: '0x030000\n',
    [`${bus}/0000:43:00.1/vendor`]: '0x10de\n',
    [`${bus}/0000:43:00.1/class`]: '0x040300\n',
    [`${bus}/0000:21:00.0/vendor`]: '0x15b3\n',
    [`${bus}/0000:21:00.0/class`]: '0x020000\n',
    'dev/nvidiactl': '',
    'dev/nvidia-uvm': '',
    'dev/nvidia10': '',
    'dev/nvidia2': '',
    'dev/nvidia-caps/nvidia-cap1': '',
  },
  links: { 'usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1': 'libnvidia-ml.so.570.86.15' },
};
