import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../../engine/store/store-error.ts';
import { lockStore } from '../../../engine/store/store-lock.ts';

let directory = '';
let file = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-lock-'));
  file = join(directory, 'data', 'engine.db');
});
afterEach(() => rmSync(directory, { recursive: true }));

const BUSY = 'another engine is using it; give this one a DATA_DIR of its own';

describe('lockStore', () => {
  it('is refused to a second engine, and given when the first lets go', () => {
    const lock = lockStore(file, 0);
    expect(() => lockStore(file, 0)).toThrow(new StoreError(`cannot use the store ${file}: ${BUSY}`));
    lock.release();
    lockStore(file, 0).release();
  });

  it('keeps two folders apart', () => {
    const locks = [lockStore(file, 0), lockStore(join(directory, 'other', 'engine.db'), 0)];
    for (const lock of locks) lock.release();
  });

  it('is held against another process, and given up by one that is killed', async () => {
    const entry = new URL('../../../engine/store/store-lock.ts', import.meta.url);
    const script = `const { lockStore } = await import('${entry}'); globalThis.held = lockStore(${JSON.stringify(file)}, 0); console.log('locked'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(() => lockStore(file, 0)).toThrow(BUSY);
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockStore(file, 0).release();
  });

  it('says what is wrong with a folder that cannot be written', () => {
    writeFileSync(join(directory, 'data'), 'a file where a folder should be');
    expect(() => lockStore(file, 0)).toThrow(/cannot use the store .*; choose another with DATA_DIR/);
  });
});
