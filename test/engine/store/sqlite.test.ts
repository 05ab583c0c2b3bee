import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { storeContract } from './contract.ts';

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function freshFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-store-'));
  directories.push(directory);
  return join(directory, 'deep', 'engine.db');
}

describe('the SQLite store', () => {
  storeContract(async () => {
    const file = freshFile();
    let { store } = openSqliteStore(file);
    return {
      store,
      reopen: async () => {
        await store.close();
        ({ store } = openSqliteStore(file));
        return store;
      },
      dispose: () => store.close(),
    };
  });

  it('keeps what a process had written when it was killed with SIGKILL', async () => {
    const file = freshFile();
    const script = `
      const { openSqliteStore } = await import('${new URL('../../../engine/store/sqlite.ts', import.meta.url)}');
      const { store } = openSqliteStore(${JSON.stringify(file)});
      await store.write('hold', { put: [{ key: 'a', value: 1 }] });
      process.kill(process.pid, 'SIGKILL');`;
    expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' })).toThrow();
    const { store } = openSqliteStore(file);
    expect(await store.list('hold')).toEqual([{ key: 'a', value: 1 }]);
    await store.close();
  });

  it('moves a damaged file aside, keeps it, and starts anew', async () => {
    const file = freshFile();
    await openSqliteStore(file).store.close();
    writeFileSync(file, 'this was a database once, and then the disk had other ideas about it');
    const { store, movedAside } = openSqliteStore(file);
    expect(await store.list('hold')).toEqual([]);
    expect(movedAside !== undefined && existsSync(movedAside) && readFileSync(movedAside, 'utf8')).toMatch(/^this was/);
    await store.close();
  });

  it('moves a file aside whose pages are damaged further in', async () => {
    const file = freshFile();
    const { store } = openSqliteStore(file);
    const value = 'x'.repeat(50_000);
    await store.write('hold', {
      put: [
        { key: 'a', value },
        { key: 'b', value },
      ],
    });
    await store.close();
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 4096, 16_000);
    writeFileSync(file, bytes);
    const reopened = openSqliteStore(file);
    expect(reopened.movedAside).toMatch(/engine\.db\.damaged-\d+$/);
    expect(await reopened.store.list('hold')).toEqual([]);
    await reopened.store.close();
  });

  it('gives the other records when the value of one is not JSON any more', async () => {
    const file = freshFile();
    const { store } = openSqliteStore(file);
    await store.write('hold', {
      put: [
        { key: 'a', value: 1 },
        { key: 'b', value: 2 },
      ],
    });
    await store.close();
    const db = new DatabaseSync(file);
    db.exec("UPDATE record SET value = 'notjson' WHERE key = 'a'");
    db.close();
    const again = openSqliteStore(file).store;
    expect(await again.list('hold')).toEqual([
      { key: 'a', value: undefined },
      { key: 'b', value: 2 },
    ]);
    await again.close();
  });

  it('says which file it cannot use and what to do', () => {
    const blocked = join(import.meta.filename, 'engine.db');
    expect(() => openSqliteStore(blocked)).toThrow(
      /^cannot use the store .*sqlite\.test\.ts\/engine\.db: .*; choose another with DATA_DIR$/,
    );
  });
});
