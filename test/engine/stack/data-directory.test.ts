import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataDirectory } from '../../../engine/stack/data-directory.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

const NOBODY = 65_534;

/** Root may write anywhere, so the attempt is made as an ordinary user. */
function openAsOrdinaryUser(directory: string): string {
  const module = import.meta.resolve('../../../engine/stack/data-directory.ts');
  const program = `import(${JSON.stringify(module)}).then((m) => m.openDataDirectory(${JSON.stringify(directory)})).catch((e) => console.log(e.message))`;
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', ...asNobody }).stdout.trim();
}

describe('openDataDirectory', () => {
  it('creates what the parts need', async () => {
    const directory = join(temporaryDirectory(), 'deep/data');
    await openDataDirectory(directory);
    expect(['logs', 'prometheus', 'alertmanager'].map((name) => existsSync(join(directory, name)))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('says in one sentence that a directory is read-only, and how to move it', () => {
    const parent = temporaryDirectory();
    chmodSync(parent, 0o755);
    const directory = join(parent, 'data');
    for (const name of ['logs', 'prometheus', 'alertmanager']) mkdirSync(join(directory, name), { recursive: true });
    chmodSync(directory, 0o555);
    expect(openAsOrdinaryUser(directory)).toBe(
      `${directory} cannot be written (EACCES); make it writable, or set DATA_DIR to a directory that is.`,
    );
  });

  it('says so when a file is in the way', async () => {
    await expect(openDataDirectory('/dev/null/data')).rejects.toThrow(
      '/dev/null/data cannot be written (ENOTDIR); make it writable, or set DATA_DIR to a directory that is.',
    );
  });
});
