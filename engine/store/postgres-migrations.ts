/** Brings the schema `gpu_uptime` of a PostgreSQL database to what this engine writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ask, PostgresDatabase } from './postgres-database.ts';
import { unfitError } from './postgres-error.ts';

const MIGRATIONS = join(import.meta.dirname, 'migrations/postgres');

const SERVER = `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number,
  current_setting('server_encoding') AS encoding, CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS role`;
// The key is any number that no other program is likely to take.
const LOCK = 'SELECT pg_advisory_xact_lock(6735120071894201)';
const HAS_SCHEMA = "SELECT 1 WHERE to_regnamespace('gpu_uptime') IS NOT NULL";
const HAS_TABLE = "SELECT 1 WHERE to_regclass('gpu_uptime.migration') IS NOT NULL";
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS gpu_uptime.migration (
  name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`;
const APPLIED = 'SELECT name FROM gpu_uptime.migration';
const REMEMBER = 'INSERT INTO gpu_uptime.migration (name) VALUES ($1)';

const OLDEST_VERSION = 130_000;

/**
 * Applies what the database has not seen, in one transaction, one engine at a time. Rejects with StoreError when the server
 * is not fit, or a newer engine has been there.
 */
export async function migratePostgres({ place, ask, transaction }: PostgresDatabase): Promise<void> {
  await checkServer(place, ask);
  // An engine that has nothing to apply needs no right to create anything.
  if ((await missing(place, ask)).length === 0) return;
  await transaction(async (askWithin) => {
    await askWithin(LOCK);
    await prepare(askWithin);
    // Another engine that was started at the same time may have been first.
    for (const name of await missing(place, askWithin)) {
      await askWithin(readFileSync(join(MIGRATIONS, name), 'utf8'));
      await askWithin(REMEMBER, [name]);
    }
  });
}

async function checkServer(place: string, ask: Ask): Promise<void> {
  const { version, number, encoding, role } = (await ask(SERVER)).rows[0] ?? {};
  if (Number(number) < OLDEST_VERSION)
    throw unfitError(place, `it is PostgreSQL ${version}`, 'upgrade it to 13 or newer');
  if (encoding !== 'UTF8')
    throw unfitError(place, `its encoding is ${encoding}`, "create a database with ENCODING 'UTF8' TEMPLATE template0");
  if (role !== 'primary') throw unfitError(place, 'it is a standby', 'name the primary server in PING_DATABASE_URL');
}

/** The right to create schemas is asked for only where the schema is not there yet. */
async function prepare(ask: Ask): Promise<void> {
  if ((await ask(HAS_SCHEMA)).count === 0) await ask('CREATE SCHEMA gpu_uptime');
  await ask(CREATE_TABLE);
}

/** The names of migrations that the database has not seen. */
async function missing(place: string, ask: Ask): Promise<readonly string[]> {
  const names = readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  if ((await ask(HAS_TABLE)).count === 0) return names;
  const applied = (await ask(APPLIED)).rows.map(({ name }) => String(name));
  if (applied.some((name) => !names.includes(name)))
    throw unfitError(
      place,
      'it was written by a newer gpu-uptime',
      'upgrade this engine too, or name another database',
    );
  return names.filter((name) => !applied.includes(name));
}
