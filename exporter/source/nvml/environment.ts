/** The machine around the driver, for `gpu-uptime doctor`: libraries, device nodes, privileges. Nothing here touches the driver. */

import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Environment {
  readonly library: LibraryFile;
  /** Version of the kernel driver; undefined while it is not loaded. */
  readonly kernelDriver: string | undefined;
  readonly deviceNodes: readonly DeviceNode[];
  /** PCI addresses of the NVIDIA GPUs on the bus; undefined where the bus cannot be seen. */
  readonly busGpus: readonly string[] | undefined;
  readonly user: { readonly uid: number | undefined; readonly hasSysAdmin: boolean | undefined };
  readonly isContainer: boolean;
}

interface LibraryFile {
  /** As it is loaded: a path, or a name for the loader to search. */
  readonly asked: string;
  /** The file behind it; undefined where none was found. */
  readonly file: string | undefined;
  /** From the name of the file; undefined where that does not tell. */
  readonly version: string | undefined;
}

interface DeviceNode {
  readonly path: string;
  /** NVML opens its nodes for both. */
  readonly isReadableAndWritable: boolean;
}

export interface EnvironmentOptions {
  /** Where the library is to be loaded from; undefined leaves it to the loader. */
  readonly library: string | undefined;
  /** The loader's own list of directories, as in LD_LIBRARY_PATH. */
  readonly libraryPath?: string | undefined;
  readonly uid?: number | undefined;
  /** `/` but in tests. */
  readonly root?: string | undefined;
}

const libraryName = 'libnvidia-ml.so.1';
const libraryDirectories = [
  'usr/lib/x86_64-linux-gnu',
  'usr/lib/aarch64-linux-gnu',
  'usr/lib64',
  'usr/lib',
  'usr/local/nvidia/lib64',
  'usr/lib/wsl/lib',
  'run/opengl-driver/lib',
];
const nvidiaVendor = '0x10de';
const displayClass = '0x03';
const sysAdminBit = 21n;

export function inspectEnvironment({ library, libraryPath = '', uid, root = '/' }: EnvironmentOptions): Environment {
  const asked = library ?? libraryName;
  const listed = libraryPath.split(':').filter((directory) => directory !== '');
  const directories = [...listed, ...libraryDirectories].map((directory) => join(root, directory));
  return {
    library: { asked, ...findLibrary(asked, directories) },
    kernelDriver: kernelDriver(root),
    deviceNodes: deviceNodes(join(root, 'dev')),
    busGpus: busGpus(join(root, 'sys/bus/pci/devices')),
    user: { uid, hasSysAdmin: hasSysAdmin(root) },
    isContainer: ['.dockerenv', 'run/.containerenv'].some((file) => existsSync(join(root, file))),
  };
}

function findLibrary(asked: string, directories: readonly string[]): Omit<LibraryFile, 'asked'> {
  const candidates = asked.includes('/') ? [asked] : directories.map((directory) => join(directory, asked));
  const file = candidates.map((candidate) => attempt(() => realpathSync(candidate))).find((path) => path !== undefined);
  const version = file === undefined ? undefined : /\.so\.(\d+\.\d+(?:\.\d+)?)$/.exec(basename(file))?.[1];
  return { file, version };
}

function kernelDriver(root: string): string | undefined {
  const text = attempt(() => readFileSync(join(root, 'proc/driver/nvidia/version'), 'utf8'));
  return text === undefined ? undefined : /Kernel Module\D*?(?:for \S+)?\s+(\d+(?:\.\d+)+)/.exec(text)?.[1];
}

function deviceNodes(directory: string): readonly DeviceNode[] {
  const names = attempt(() => readdirSync(directory)) ?? [];
  return names
    .filter((name) => /^nvidia(\d+|ctl|-uvm)$/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => ({ path: `/dev/${name}`, isReadableAndWritable: isAccessible(join(directory, name)) }));
}

function isAccessible(path: string): boolean {
  return attempt(() => accessSync(path, constants.R_OK | constants.W_OK) ?? true) === true;
}

function busGpus(directory: string): readonly string[] | undefined {
  const addresses = attempt(() => readdirSync(directory));
  return addresses?.filter((address) => isNvidiaGpu(join(directory, address))).sort();
}

function isNvidiaGpu(device: string): boolean {
  const read = (file: string) => attempt(() => readFileSync(join(device, file), 'utf8').trim()) ?? '';
  return read('vendor') === nvidiaVendor && read('class').startsWith(displayClass);
}

function hasSysAdmin(root: string): boolean | undefined {
  const status = attempt(() => readFileSync(join(root, 'proc/self/status'), 'utf8')) ?? '';
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective === undefined ? undefined : ((BigInt(`0x${effective}`) >> sysAdminBit) & 1n) === 1n;
}

// What cannot be looked at is reported as not there, which is what it comes to for this user.
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
