/** What PostgreSQL, or the way there, said, with what to do about it. */
import { messageOf } from '../text/message-of.ts';
import { StoreError } from './store-error.ts';

const CREDENTIALS = 'correct user and password in PING_DATABASE_URL, or let pg_hba.conf of the server admit them';
const WHERE = 'start PostgreSQL there, or correct host and port in PING_DATABASE_URL';
const RIGHTS = 'let the owner of the database run: CREATE SCHEMA gpu_uptime AUTHORIZATION <user of PING_DATABASE_URL>';
const LOAD = 'see what the server is busy with';
const AGAIN = 'the next attempt connects anew';

/** By SQLSTATE, or the code of a system call. */
const FIXES: Readonly<Record<string, string>> = {
  '28000': CREDENTIALS,
  '28P01': CREDENTIALS,
  '3D000': 'create it with CREATE DATABASE, or correct the name in PING_DATABASE_URL',
  '42501': RIGHTS,
  '25006': 'name the primary server in PING_DATABASE_URL',
  '53300': 'raise max_connections of the server, or run fewer clients',
  '53100': 'give the server more disk space',
  '57014': LOAD,
  '57P01': AGAIN,
  '57P03': 'wait until it has started',
  ECONNREFUSED: WHERE,
  ECONNRESET: AGAIN,
  EHOSTUNREACH: WHERE,
  ENETUNREACH: WHERE,
  ENOENT: WHERE,
  ENOTFOUND: WHERE,
  ETIMEDOUT: WHERE,
};

/** What the library says without a code. */
const SAID: readonly (readonly [RegExp, string])[] = [
  // It speaks of SASL when the server asks for a password and there is none.
  [/^SASL/, CREDENTIALS],
  [/timeout/, `${LOAD}, or correct host and port in PING_DATABASE_URL`],
  [/^Connection terminated/, AGAIN],
  [/SSL connections/, 'turn TLS on there, or leave sslmode out of PING_DATABASE_URL'],
];

/** `place` has no password, and what the server says has none. */
export function postgresError(place: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  return new StoreError(sentence(place, reasonOf(cause), fixFor(cause)), { cause });
}

/** For what the server itself does not mind. */
export function unfitError(place: string, problem: string, fix: string): StoreError {
  return new StoreError(sentence(place, problem, fix));
}

function sentence(place: string, problem: string, fix: string): string {
  return `cannot use the store ${place}: ${problem}; ${fix}`;
}

/** An attempt at several addresses fails with several errors and without a message of its own. */
export function reasonOf(cause: unknown): string {
  return cause instanceof AggregateError ? cause.errors.map(messageOf).join(', ') : messageOf(cause);
}

function fixFor(cause: unknown): string {
  const { code = '' } = cause as { readonly code?: string };
  const said = SAID.find(([pattern]) => pattern.test(messageOf(cause)))?.[1];
  return FIXES[code] ?? said ?? 'check the server and PING_DATABASE_URL';
}
