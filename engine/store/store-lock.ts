/** One engine per store: two would take each other's alerts for their own and delete them. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from './store-error.ts';

export interface StoreLock {
  release(): void;
}

/** How long a successor waits for an engine that is just ending. */
const PATIENCE_MS = 5000;
const SQLITE_BUSY = 5;

/**
 * Locks the store at `file`, by a file beside it, until `release` or the end of the process, however it ends.
 * Throws StoreError when another process has it.
 */
export function lockStore(file: string, patienceMs = PATIENCE_MS): StoreLock {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const db = new DatabaseSync(`${file}.lock`, { timeout: patienceMs });
    // The operating system lets go of SQLite's locks when a process dies, which it does not do for a file with a pid.
    db.exec('BEGIN EXCLUSIVE');
    return { release: () => db.close() };
  } catch (cause) {
    throw new StoreError(`cannot use the store ${file}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  const { errcode, message = String(cause) } = cause as { errcode?: number; message?: string };
  if (errcode === SQLITE_BUSY) return 'another engine is using it; give this one a DATA_DIR of its own';
  return `${message}; choose another with DATA_DIR`;
}
