/**
 * A lock between processes. The kernel holds it for this one and lets go when it ends, however it ends, so there is never a
 * stale lock to judge by process ids, which say nothing across containers. SQLite is Node's way to such a lock.
 */

import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  release(): void;
}

/** Undefined when somebody else holds it. Throws when the file cannot be made; it stays, empty, when the lock is released. */
export function acquireLock(path: string): FileLock | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

const sqliteBusy = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}
