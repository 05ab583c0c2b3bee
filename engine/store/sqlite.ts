/** The embedded store: one SQLite file in WAL mode, so a kill -9 loses no finished write. */
import type { DatabaseSync } from 'node:sqlite';
import { parseJson } from '../text/parse-json.ts';
import type { AgentStore } from './agent-store.ts';
import type { PingStore } from './ping-store.ts';
import { sqliteAgents } from './sqlite-agents.ts';
import { inTransaction, openDatabase } from './sqlite-database.ts';
import { sqlitePings } from './sqlite-pings.ts';
import type { Store, StoreRecord } from './store.ts';

const LIST = 'SELECT key, value FROM record WHERE kind = ? ORDER BY key';
const PUT = `INSERT INTO record (kind, key, value) VALUES (?, ?, ?)
  ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, updated_at = unixepoch()`;
const REMOVE = 'DELETE FROM record WHERE kind = ? AND key = ?';

export interface OpenedStore {
  /** Closing it closes all three. */
  readonly store: Store;
  readonly agents: AgentStore;
  readonly pings: PingStore;
  /** Where a damaged store was moved, when the file could not be read. */
  readonly movedAside?: string;
}

/** Opens or creates the store. A damaged file is moved aside, never deleted. Throws StoreError. */
export function openSqliteStore(file: string): OpenedStore {
  const { db, ...opened } = openDatabase(file);
  return { store: adapt(db), agents: sqliteAgents(db), pings: sqlitePings(db), ...opened };
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
  // A value that is not JSON any more is left to the reader to refuse, as any other damaged value is.
  return { key: String(key), value: parseJson(String(value)) };
}
