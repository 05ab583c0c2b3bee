import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { agentStoreContract } from './agent-contract.ts';
import { departureContract } from './departure-contract.ts';
import { pingStoreContract } from './ping-contract.ts';
import { goodPing, newAgent, START_MS } from './ping-fixtures.ts';

const MIGRATIONS = join(import.meta.dirname, '../../../engine/store/migrations/sqlite');

function freshFile(): string {
  return join(temporaryDirectory(), 'engine.db');
}

describe('pings in the SQLite store', () => {
  const open = async () => {
    const file = freshFile();
    let opened = openSqliteStore(file);
    const other = openSqliteStore(file);
    const { agents, pings } = opened;
    return {
      agents,
      pings,
      other,
      reopen: async () => {
        await opened.store.close();
        opened = openSqliteStore(file);
        return opened;
      },
      dispose: async () => {
        await opened.store.close();
        await other.store.close();
      },
    };
  };
  agentStoreContract(open);
  departureContract(open);
  pingStoreContract(open);

  it('take their place in a store of version 1, whose records stay', async () => {
    const file = freshFile();
    const old = new DatabaseSync(file);
    old.exec(`PRAGMA journal_mode = WAL; ${readFileSync(join(MIGRATIONS, '001_records.sql'), 'utf8')};
      PRAGMA user_version = 1; INSERT INTO record (kind, key, value) VALUES ('hold', 'h', '{"n":1}');`);
    old.close();
    const { store, agents, movedAside } = openSqliteStore(file);
    expect(movedAside).toBeUndefined();
    expect(await store.list('hold')).toEqual([{ key: 'h', value: { n: 1 } }]);
    expect(await agents.add(newAgent('a', START_MS), 10)).toMatchObject({ kind: 'added' });
    await store.close();
  });

  it('refuse a store that a newer engine has written, and leave it as it is', async () => {
    const file = freshFile();
    await openSqliteStore(file).store.close();
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 1000');
    newer.close();
    expect(() => openSqliteStore(file)).toThrow(
      `cannot use the store ${file}: it was written by a newer gpu-uptime; choose another with DATA_DIR`,
    );
  });

  it('go on when a state is damaged: the agent is claimed without one, and the next result mends it', async () => {
    const file = freshFile();
    const { store, agents, pings } = openSqliteStore(file);
    for (const id of ['a', 'b', 'c']) await agents.add(newAgent(id, START_MS), 10);
    const db = new DatabaseSync(file);
    db.exec(`UPDATE ping_state SET state = '{"pings":-1}' WHERE agent = 1`);
    expect(() => db.exec(`UPDATE ping_state SET state = 'notjson' WHERE agent = 2`)).toThrow();
    db.exec(`UPDATE agent SET capabilities = '[7]', metadata = '{"a":null}' WHERE id = 'c'`);
    db.close();
    const claims = await pings.claimDue(START_MS, 10, 1000);
    expect(claims.map(({ state }) => state?.nextDueAtMs)).toEqual([undefined, START_MS, START_MS]);
    expect(claims[2]?.agent).toMatchObject({ capabilities: [], metadata: {} });
    await pings.record(claims.map((claim) => goodPing(claim, START_MS)));
    expect((await agents.find('a'))?.state?.pings).toBe(1);
    await store.close();
  });
});
