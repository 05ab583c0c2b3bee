/** Where the engine keeps what exists nowhere else: its own store, and agents and pings there or in a shared database. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { EngineConfig } from './config.ts';
import type { AgentStore } from './store/agent-store.ts';
import type { PingStore } from './store/ping-store.ts';
import { openPostgresStore } from './store/postgres.ts';
import { openSqliteStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { lockStore } from './store/store-lock.ts';

export interface Stores {
  /** Of this engine alone. */
  readonly own: Store;
  readonly agents: AgentStore;
  readonly pings: PingStore;
  /** Whether other engines change agents and pings too. */
  readonly isShared: boolean;
  close(): Promise<void>;
}

/** Rejects with StoreError when one cannot be used; nothing stays open then. */
export async function openStores(
  { dataDir, pingDatabaseUrl }: Pick<EngineConfig, 'dataDir' | 'pingDatabaseUrl'>,
  persistenceFile: string | undefined,
  log: Pick<Logger, 'error' | 'warn'>,
): Promise<Stores> {
  const own = openOwn(persistenceFile ?? join(dataDir, 'engine.db'), log);
  if (pingDatabaseUrl === undefined) return own;
  try {
    const shared = await openPostgresStore(pingDatabaseUrl, { onLost: (problem) => log.warn(problem) });
    const close = async () => {
      await shared.close();
      await own.close();
    };
    return { own: own.own, agents: shared.agents, pings: shared.pings, isShared: true, close };
  } catch (error) {
    await own.close();
    throw error;
  }
}

const DAMAGED = 'history is read anew, and agents have to register again';

function openOwn(file: string, log: Pick<Logger, 'error'>): Stores {
  const lock = lockStore(file);
  const { store, agents, pings, movedAside } = openSqliteStore(file);
  if (movedAside !== undefined) log.error(`the store was damaged and is kept as ${movedAside}; ${DAMAGED}`);
  const close = async () => {
    await store.close();
    lock.release();
  };
  return { own: store, agents, pings, isShared: false, close };
}
