/** A PostgreSQL for the tests of one file, and stores in it. */
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { type OpenedPostgresStore, openPostgresStore, type PostgresOptions } from '../../../engine/store/postgres.ts';
import { hasPostgres, type PostgresServer, type PostgresStart, startPostgres } from '../../servers/postgres.ts';

/** Tests that have a server of their own, or are skipped where there is none. */
export function describePostgres(name: string, tests: (server: () => PostgresServer) => void, start?: PostgresStart) {
  describe.skipIf(!hasPostgres())(name, () => {
    let server: PostgresServer | undefined;
    beforeAll(async () => {
      server = await startPostgres(start);
    });
    afterAll(() => server?.stop());
    tests(() => {
      if (server === undefined) throw new Error('PostgreSQL has not been started');
      return server;
    });
  });
}

/** As one engine has it; closed at the end of the test. */
export async function openStore(url: string, options?: PostgresOptions): Promise<OpenedPostgresStore> {
  const opened = await openPostgresStore(url, options);
  onTestFinished(() => opened.close());
  return opened;
}
