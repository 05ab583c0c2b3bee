/** The embedded store: one SQLite file in WAL mode, so a kill -9 loses no finished write. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../text/message-of.ts';
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
      throw new StoreError(`cannot use the store ${file}: ${messageOf(cause)}; choose another with DATA_DIR`, {
        cause,
      });
    const movedAside = `${file}.damaged-${Date.now()}`;
    moveAside(file, movedAside);
    return { store: adapt(openDatabase(file)), movedAside };
  }
}

/** The write-ahead log belongs to the damaged file; left behind, the new one would take it for its own. */
function moveAside(file: string, to: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, to + suffix);
  }
}

function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5000 });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    checkPages(db);
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Damage beyond the first page shows only when it is read; better now than in the middle of the night. */
function checkPages(db: DatabaseSync): void {
  const found = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (found !== 'ok')
    throw Object.assign(new Error(`the database is damaged: ${String(found)}`), { errcode: SQLITE_CORRUPT });
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
  return { key: String(key), value: parseValue(String(value)) };
}

/** A value that is not JSON any more is left to the reader to refuse, as any other damaged value is. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    // On a full disk SQLite has rolled back by itself, and a second time would only hide why.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** The bytes are not a database any more. */
function isDamaged(cause: unknown): boolean {
  const { errcode } = cause as { errcode?: number };
  return errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB;
}
