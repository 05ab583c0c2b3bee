/** The embedded store: one SQLite file in WAL mode, so a kill -9 loses no finished write. */
import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Store, StoreRecord } from './store.ts';

const LIST = 'SELECT key, value FROM record WHERE kind = ? ORDER BY key';
const PUT = `INSERT INTO record (kind, key, value) VALUES (?, ?, ?)
  ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, updated_at = unixepoch()`;
const REMOVE = 'DELETE FROM record WHERE kind = ? AND key = ?';
const MIGRATIONS = join(import.meta.dirname, 'migrations');

/** The store file cannot be opened or written; `message` says which file and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

export interface OpenedStore {
  readonly store: Store;
  /** Where a damaged store was moved, when the file could not be read. */
  readonly movedAside?: string;
}

/** Opens or creates the store. A damaged file is moved aside, never deleted. Throws StoreError. */
export function openSqliteStore(file: string): OpenedStore {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return { store: adapt(openDatabase(file)) };
  } catch (cause) {
    if (!isDamaged(cause))
      throw new StoreError(`cannot use the store ${file}: ${text(cause)}; choose another with DATA_DIR`, { cause });
    const movedAside = `${file}.damaged-${Date.now()}`;
    renameSync(file, movedAside);
    return { store: adapt(openDatabase(file)), movedAside };
  }
}

function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  migrate(db);
  return db;
}

/** Applies the migrations that `user_version` has not seen, each in one transaction. */
function migrate(db: DatabaseSync): void {
  const files = readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const applied = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  if (applied > files.length) throw new StoreError('it was written by a newer gpu-uptime');
  for (const [index, name] of files.entries()) {
    if (index < applied) continue;
    inTransaction(db, () =>
      db.exec(`${readFileSync(join(MIGRATIONS, name), 'utf8')}; PRAGMA user_version = ${index + 1};`),
    );
  }
}

function adapt(db: DatabaseSync): Store {
  const list = db.prepare(LIST);
  const put = db.prepare(PUT);
  const remove = db.prepare(REMOVE);
  return {
    list: async (kind) => list.all(kind).map(decodeRow),
    write: async (kind, change) =>
      inTransaction(db, () => {
        for (const key of change.remove ?? []) remove.run(kind, key);
        for (const { key, value } of change.put ?? []) put.run(kind, key, JSON.stringify(value));
      }),
    close: async () => db.close(),
  };
}

function decodeRow({ key, value }: Record<string, unknown>): StoreRecord {
  return { key: String(key), value: JSON.parse(String(value)) };
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** SQLITE_CORRUPT (11) and SQLITE_NOTADB (26): the bytes are not a database any more. */
function isDamaged(cause: unknown): boolean {
  const { errcode } = cause as { errcode?: number };
  return errcode === 11 || errcode === 26;
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
