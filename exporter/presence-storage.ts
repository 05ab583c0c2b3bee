/** The state file on disk: locked against a second exporter, read once, written whole, and never written over unread. */

import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeDurably } from './durable-file.ts';
import { acquireLock, type FileLock } from './file-lock.ts';
import { messageOf } from './message-of.ts';
import type { Presence } from './presence.ts';
import { decodePresence, encodePresence } from './presence-record.ts';

type Loaded =
  /** `presence` is undefined where nothing is kept yet; `warning` says what was moved aside, and where to. */
  | { readonly kind: 'ready'; readonly presence: Presence | undefined; readonly warning?: string }
  /** The file must be left alone. */
  | { readonly kind: 'unusable'; readonly problem: string };

export interface PresenceStorage {
  /** `atMs` goes into the name of a file that is moved aside. */
  load(atMs: number): Promise<Loaded>;
  /** Rejects with what the system says. */
  write(presence: Presence): Promise<void>;
  release(): void;
}

export function createPresenceStorage(path: string): PresenceStorage {
  let lock: FileLock | undefined;

  async function hold(): Promise<void> {
    if (lock !== undefined) return;
    await makeDirectory(dirname(path));
    lock = acquireLock(`${path}.lock`);
    if (lock === undefined) throw new InUse(path);
  }

  return {
    load: async (atMs) => {
      const problem = await hold().catch((error: unknown) => error);
      return problem instanceof InUse ? { kind: 'unusable', problem: problem.message } : read(path, atMs);
    },
    write: async (presence) => {
      await hold();
      await writeDurably(path, encodePresence(presence));
    },
    release: () => {
      lock?.release();
      lock = undefined;
    },
  };
}

class InUse extends Error {
  constructor(path: string) {
    super(`another exporter keeps its state in ${path}: give each exporter a state file of its own`);
  }
}

// One level only: Node's recursive mkdir never comes back from some places, such as one below /proc.
async function makeDirectory(path: string): Promise<void> {
  await mkdir(path).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

// Many times what the largest node writes; more is not worth the memory it takes to look at it.
const maxBytes = 16 * 2 ** 20;

async function read(path: string, atMs: number): Promise<Loaded> {
  try {
    const file = await stat(path);
    if (!file.isFile()) return { kind: 'unusable', problem: `${path} is not a file` };
    if (file.size > maxBytes) return await moveAside(path, `it is larger than ${maxBytes} bytes`, atMs);
    const record = decodePresence(await readFile(path, 'utf8'));
    if (record.kind === 'presence') return { kind: 'ready', presence: record.presence };
    return await moveAside(path, record.problem, atMs);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'ready', presence: undefined };
    return { kind: 'unusable', problem: `the state file cannot be read: ${messageOf(error)}` };
  }
}

async function moveAside(path: string, problem: string, atMs: number): Promise<Loaded> {
  const aside = `${path}.damaged-${new Date(atMs).toISOString().replaceAll(':', '-')}`;
  await rename(path, aside);
  const warning = `the state file is of no use: ${problem}. It was moved to ${aside}; the exporter starts without memory`;
  return { kind: 'ready', presence: undefined, warning };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
