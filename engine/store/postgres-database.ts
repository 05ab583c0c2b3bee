/** Connections to PostgreSQL: few, each with limits, and opened anew when one is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Pool, type PoolClient, type QueryResult } from 'pg';
import { messageOf } from '../text/message-of.ts';
import type { Row } from './agent-row.ts';
import { postgresError, reasonOf } from './postgres-error.ts';
import { StoreError } from './store-error.ts';

export interface PostgresLimits {
  /** How many connections there may be at once. */
  readonly connections: number;
  /** How long a connection may take, and how long a statement. */
  readonly connectMs: number;
  readonly statementMs: number;
}

interface Answer {
  /** Every value is text, or null. */
  readonly rows: readonly Row[];
  /** Rows given, or changed. */
  readonly count: number;
}

export type Ask = (sql: string, values?: readonly unknown[]) => Promise<Answer>;

/** Whatever it rejects with is a StoreError that says where and what to do. */
export interface PostgresDatabase {
  /** Where it is, without the password. */
  readonly place: string;
  readonly ask: Ask;
  /** All of `work` is durable, or none. */
  transaction<T>(work: (ask: Ask) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The server's own limit comes first, because its words say more. */
const ANSWER_SLACK_MS = 1000;
const CLOSE_MS = 3000;

/** Connects when it is first asked. Throws StoreError for an address that is none. */
export function connectPostgres(
  url: string,
  limits: PostgresLimits,
  onLost: (problem: string) => void,
): PostgresDatabase {
  const place = placeOf(url);
  const pool = new Pool(poolConfig(url, limits));
  // Without a listener, the loss of an idle connection would end the process.
  pool.on('error', (error) => onLost(`lost a connection to the store ${place}: ${reasonOf(error)}`));
  const close = closeOnce(pool);
  return {
    place,
    ask: (sql, values = []) => explain(place, async () => answerOf(await pool.query(sql, [...values]))),
    transaction: (work) => explain(place, () => inTransaction(pool, work)),
    close,
  };
}

function poolConfig(url: string, { connections, connectMs, statementMs }: PostgresLimits) {
  return {
    connectionString: url,
    application_name: 'gpu-uptime',
    max: connections,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: statementMs + ANSWER_SLACK_MS,
    // An engine that stops in the middle must not hold the others up.
    idle_in_transaction_session_timeout: statementMs,
    keepAlive: true,
    // Values stay text, and are decoded by what decodes those of the other stores.
    types: { getTypeParser: () => (value: string) => value },
  };
}

/** `user@host:5432/database`. */
function placeOf(url: string): string {
  if (!/^postgres(ql)?:\/\//i.test(url)) throw addressError('it does not begin with postgres://');
  try {
    const { user, host, port, database } = new Client({ connectionString: url });
    return `${user}@${host}:${port}/${database}`;
  } catch (cause) {
    throw addressError(messageOf(cause));
  }
}

function addressError(problem: string): StoreError {
  const form = 'write postgres://user:password@host:5432/database, with %-escapes for special characters';
  return new StoreError(`PING_DATABASE_URL cannot be used: ${problem}; ${form}`);
}

async function explain<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw postgresError(place, cause);
  }
}

async function inTransaction<T>(pool: Pool, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A lost connection also fails the statement that needs it; without a listener it would end the process.
  client.on('error', ignore);
  try {
    await client.query('BEGIN');
    const result = await work(askOf(client));
    await client.query('COMMIT');
    client.release();
    client.off('error', ignore);
    return result;
  } catch (error) {
    // The server rolls back what a closed connection leaves open.
    client.release(true);
    throw error;
  }
}

function askOf(client: PoolClient): Ask {
  // Without values there may be several statements.
  return async (sql, values) =>
    answerOf(await (values === undefined ? client.query(sql) : client.query(sql, [...values])));
}

function answerOf({ rows, rowCount }: QueryResult): Answer {
  return { rows, count: rowCount ?? 0 };
}

/** A server that does not say goodbye is left alone. */
function closeOnce(pool: Pool): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= Promise.race([pool.end(), sleep(CLOSE_MS, undefined, { ref: false })]);
    return closing;
  };
}

function ignore(): void {}
