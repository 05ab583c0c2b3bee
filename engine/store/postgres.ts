/** Agents and pings in a PostgreSQL database that several engines share. */
import type { AgentStore } from './agent-store.ts';
import type { PingStore } from './ping-store.ts';
import { postgresAgents } from './postgres-agents.ts';
import { connectPostgres, type PostgresLimits } from './postgres-database.ts';
import { migratePostgres } from './postgres-migrations.ts';
import { postgresPings } from './postgres-pings.ts';

export interface PostgresOptions extends Partial<PostgresLimits> {
  /** Hears that a connection was lost; the next call opens another. */
  readonly onLost?: (problem: string) => void;
}

export interface OpenedPostgresStore {
  readonly agents: AgentStore;
  readonly pings: PingStore;
  close(): Promise<void>;
}

const LIMITS: PostgresLimits = { connections: 4, connectMs: 5_000, statementMs: 10_000 };
/** A later migration may have a large table to rewrite, and other engines wait for the one that does. */
const MIGRATION: PostgresLimits = { ...LIMITS, connections: 1, statementMs: 120_000 };

/**
 * Connects, and brings the schema to the newest. TLS is as `sslmode` of the URL says. Rejects with StoreError, whose
 * message names the server and not the password.
 */
export async function openPostgresStore(
  url: string,
  { onLost = () => {}, ...limits }: PostgresOptions = {},
): Promise<OpenedPostgresStore> {
  await migrated(url, { ...MIGRATION, connectMs: limits.connectMs ?? MIGRATION.connectMs });
  const database = connectPostgres(url, { ...LIMITS, ...limits }, onLost);
  return { agents: postgresAgents(database), pings: postgresPings(database), close: database.close };
}

async function migrated(url: string, limits: PostgresLimits): Promise<void> {
  const database = connectPostgres(url, limits, () => {});
  try {
    await migratePostgres(database);
  } finally {
    await database.close();
  }
}
