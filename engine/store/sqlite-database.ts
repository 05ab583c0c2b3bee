/** The file behind the embedded store: opened in WAL mode, checked, and brought to the newest schema. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../text/message-of.ts';
import { StoreError } from './store-error.ts';

const MIGRATIONS = join(import.meta.dirname, 'migrations/sqlite');

interface OpenedDatabase {
  readonly db: DatabaseSync;
  /** Where a damaged file was moved. */
  readonly movedAside?: string;
}

/** Opens or creates the database. A damaged file is moved aside, never deleted. Throws StoreError. */
export function openDatabase(file: string): OpenedDatabase {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return { db: openFile(file) };
  } catch (cause) {
    if (!isDamaged(cause))
      throw new StoreError(`cannot use the store ${file}: ${messageOf(cause)}; choose another with DATA_DIR`, {
        cause,
      });
    const movedAside = `${file}.damaged-${Date.now()}`;
    moveAside(file, movedAside);
    return { db: openFile(file), movedAside };
  }
}

/** All of `work` is durable, or none. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // Where the disk is full SQLite has rolled back already, and would complain instead of that.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** The write-ahead log belongs to the damaged file; left behind, the new one would take it for its own. */
function moveAside(file: string, to: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, to + suffix);
  }
}

function openFile(file: string): DatabaseSync {
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
  if (appliedMigrations(db) > files.length) throw new StoreError('it was written by a newer gpu-uptime');
  for (const [index, name] of files.entries()) {
    if (index < appliedMigrations(db)) continue;
    inTransaction(db, () => {
      // Another engine that opened the file at the same time may have been first.
      if (index < appliedMigrations(db)) return;
      db.exec(`${readFileSync(join(MIGRATIONS, name), 'utf8')}; PRAGMA user_version = ${index + 1};`);
    });
  }
}

function appliedMigrations(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** The bytes are not a database any more. */
function isDamaged(cause: unknown): boolean {
  const { errcode } = cause as { errcode?: number };
  return errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB;
}
