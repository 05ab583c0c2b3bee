/** What Linux knows about the driver and its users, read from /proc and /sys. Nothing here touches the driver itself. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DriverSystem } from './reading.ts';

/** `root` is `/` but in tests. */
export function createLinuxSystem(root = '/'): DriverSystem {
  const at = (path: string) => join(root, path);
  return {
    // The kernel gives the directory of a module another inode each time the module is loaded, and no inode twice in one boot.
    driverLoad: () =>
      attempt(() => {
        const boot = readFileSync(at('proc/sys/kernel/random/boot_id'), 'utf8').trim();
        return `${boot.slice(0, 8)}-${statSync(at('sys/module/nvidia'), { bigint: true }).ino}`;
      }),
    boundGpus: () => attempt(() => readdirSync(at('proc/driver/nvidia/gpus')).sort().join(' ')),
    processName: (pid) => attempt(() => readFileSync(at(`proc/${pid}/comm`), 'utf8').trim()),
  };
}

// What is missing, or hidden from this user or container, is not known.
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
