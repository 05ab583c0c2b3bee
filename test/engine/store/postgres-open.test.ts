import { chownSync, copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openPostgresStore } from '../../../engine/store/postgres.ts';
import { StoreError } from '../../../engine/store/store-error.ts';
import { certificatesFor } from '../../exporter/web/certificates.ts';
import { freePort } from '../../servers/free-port.ts';
import { newAgent, START_MS } from './ping-fixtures.ts';
import { describePostgres, openStore } from './postgres-fixtures.ts';

const SECRET = 'p%40ss-0rd';
const PASSWORD = 'p@ss-0rd';

/** What opening was refused with. */
async function refusal(url: string): Promise<string> {
  const error = await openPostgresStore(url, { connectMs: 1000 }).then(
    ({ close }) => close(),
    (cause: unknown) => cause,
  );
  if (!(error instanceof StoreError)) throw new Error(`it was not refused with a StoreError but ${error}`);
  expect(`${error.message}${JSON.stringify(error)}${String(error.cause)}`).not.toMatch(/p(@|%40)ss-0rd/);
  return error.message;
}

const GUARDED = { access: ['host all guarded 127.0.0.1/32 scram-sha-256', 'host all banned 127.0.0.1/32 reject'] };

describePostgres(
  'openPostgresStore',
  (server) => {
    it('brings an empty database to the newest schema, and opens it again', async () => {
      const url = await server().createDatabase();
      const first = await openStore(url);
      expect(await first.agents.add(newAgent('a', START_MS), 10)).toMatchObject({ kind: 'added' });
      const again = await openStore(url);
      expect(await again.agents.find('a')).toEqual(newAgent('a', START_MS));
      const { rows } = await server().run('SELECT name FROM gpu_uptime.migration ORDER BY name', url);
      expect(rows).toEqual([{ name: '001_pings.sql' }]);
    });

    it('lets five open an empty database at once', async () => {
      const url = await server().createDatabase();
      const opened = await Promise.all(Array.from({ length: 5 }, () => openStore(url)));
      for (const [at, { agents }] of opened.entries())
        expect(await agents.add(newAgent(`agent-${at}`, START_MS), 10)).toMatchObject({ kind: 'added' });
      expect(await opened[0]?.agents.list(undefined, 10)).toHaveLength(5);
    });

    it('logs in with a password, by scram-sha-256', async () => {
      const url = await server().createDatabase();
      await server().run(`CREATE ROLE guarded LOGIN PASSWORD '${PASSWORD}'`);
      await server().run('CREATE SCHEMA gpu_uptime AUTHORIZATION guarded', url);
      const { agents } = await openStore(url.replace('postgres@', `guarded:${SECRET}@`));
      expect(await agents.list(undefined, 10)).toEqual([]);
      const at = `guarded@127.0.0.1:${server().port}/${url.split('/').at(-1)}`;
      const fix = 'correct user and password in PING_DATABASE_URL, or let pg_hba.conf of the server admit them';
      expect(await refusal(url.replace('postgres@', `guarded:${SECRET}x@`))).toBe(
        `cannot use the store ${at}: password authentication failed for user "guarded"; ${fix}`,
      );
      expect(await refusal(url.replace('postgres@', 'guarded@'))).toBe(
        `cannot use the store ${at}: SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string; ${fix}`,
      );
      const banned = await refusal(url.replace('postgres@', `banned:${SECRET}@`));
      expect(banned).toContain('pg_hba.conf rejects connection for host "127.0.0.1", user "banned"');
      expect(banned).toContain(fix);
    });

    it('says who must grant what, where a right is missing', async () => {
      const url = await server().createDatabase();
      await server().run('CREATE ROLE newcomer LOGIN');
      const name = url.split('/').at(-1);
      const poor = url.replace('postgres@', 'newcomer@');
      const fix =
        'let the owner of the database run: CREATE SCHEMA gpu_uptime AUTHORIZATION <user of PING_DATABASE_URL>';
      expect(await refusal(poor)).toBe(
        `cannot use the store newcomer@127.0.0.1:${server().port}/${name}: permission denied for database ${name}; ${fix}`,
      );
      await server().run('CREATE SCHEMA gpu_uptime AUTHORIZATION newcomer', url);
      expect(await (await openStore(poor)).agents.list(undefined, 1)).toEqual([]);
      await server().run('CREATE ROLE stranger LOGIN');
      expect(await refusal(url.replace('postgres@', 'stranger@'))).toContain('permission denied for schema gpu_uptime');
    });

    it('needs no right to create anything where there is nothing to create', async () => {
      const url = await server().createDatabase();
      await openStore(url);
      await server().run('CREATE ROLE clerk LOGIN');
      await server().run(
        `GRANT USAGE ON SCHEMA gpu_uptime TO clerk; GRANT ALL ON ALL TABLES IN SCHEMA gpu_uptime TO clerk;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA gpu_uptime TO clerk`,
        url,
      );
      const { agents, pings } = await openStore(url.replace('postgres@', 'clerk@'));
      expect(await agents.add(newAgent('a', START_MS), 10)).toMatchObject({ kind: 'added' });
      expect(await pings.claimDue(START_MS, 10, 1000)).toHaveLength(1);
    });

    it('refuses a database that a newer engine has written, and leaves it as it is', async () => {
      const url = await server().createDatabase();
      await openStore(url);
      await server().run("INSERT INTO gpu_uptime.migration (name) VALUES ('999_later.sql')", url);
      expect(await refusal(url)).toMatch(
        /: it was written by a newer gpu-uptime; upgrade this engine too, or name another database$/,
      );
    });

    it('refuses a database that cannot hold any text', async () => {
      const url = await server().createDatabase(
        "ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
      );
      expect(await refusal(url)).toMatch(
        /: its encoding is SQL_ASCII; create a database with ENCODING 'UTF8' TEMPLATE template0$/,
      );
    });

    it('says that the database is not there', async () => {
      expect(await refusal(server().url('elsewhere'))).toBe(
        `cannot use the store postgres@127.0.0.1:${server().port}/elsewhere: database "elsewhere" does not exist; create it with CREATE DATABASE, or correct the name in PING_DATABASE_URL`,
      );
    });

    it('says that nobody listens there', async () => {
      const port = await freePort();
      expect(await refusal(`postgres://u:${SECRET}@127.0.0.1:${port}/db`)).toBe(
        `cannot use the store u@127.0.0.1:${port}/db: connect ECONNREFUSED 127.0.0.1:${port}; start PostgreSQL there, or correct host and port in PING_DATABASE_URL`,
      );
      expect(await refusal(`postgres://u:${SECRET}@localhost:${port}/db`)).toMatch(/ECONNREFUSED .*; start PostgreSQL/);
      expect(await refusal(`postgres://u:${SECRET}@nowhere.invalid/db`)).toMatch(/ENOTFOUND .*; start PostgreSQL/);
    });

    it.each([
      [`mysql://u:${SECRET}@h/db`, 'it does not begin with postgres://'],
      [`postgres://u:p#${SECRET}@h/db`, 'Invalid URL'],
      [
        `postgres://u:${SECRET}@h/db?sslrootcert=/not/there.pem`,
        "ENOENT: no such file or directory, open '/not/there.pem'",
      ],
    ])('refuses the address %s', async (url, problem) => {
      expect(await refusal(url)).toBe(
        `PING_DATABASE_URL cannot be used: ${problem}; write postgres://user:password@host:5432/database, with %-escapes for special characters`,
      );
    });

    it('speaks TLS when the address says so, and checks whom it speaks to', async (context) => {
      const { directory } = certificatesFor(context);
      const url = await server().createDatabase();
      const trusting = `${url}?sslmode=verify-full&sslrootcert=${directory}/ca.pem`;
      expect(await refusal(trusting)).toMatch(
        /: The server does not support SSL connections; turn TLS on there, or leave sslmode out of PING_DATABASE_URL$/,
      );
      await useCertificate(directory);
      expect(await (await openStore(trusting)).agents.list(undefined, 1)).toEqual([]);
      const ask =
        'SELECT count(*)::int AS n FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND datname =';
      const { rows } = await server().run(`${ask} '${url.split('/').at(-1)}'`);
      expect(rows[0]?.n).toBeGreaterThan(0);
      const other = `${url}?sslmode=verify-full&sslrootcert=${directory}/other-ca.pem`;
      expect(await refusal(other)).toMatch(/unable to verify the first certificate|certificate/);
    });

    async function useCertificate(directory: string): Promise<void> {
      const data = join(server().directory, 'data');
      const { uid, gid } = statSync(data);
      for (const name of ['server.pem', 'server.key']) {
        copyFileSync(join(directory, name), join(data, name));
        chownSync(join(data, name), uid, gid);
      }
      await server().run("ALTER SYSTEM SET ssl_cert_file = 'server.pem'");
      await server().run("ALTER SYSTEM SET ssl_key_file = 'server.key'");
      await server().run('ALTER SYSTEM SET ssl = on');
      await server().shutDown();
      await server().start();
    }
  },
  GUARDED,
);
