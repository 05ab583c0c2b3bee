import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRegularFile } from '../../exporter/regular-file.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

describe('readRegularFile', () => {
  it('reads a file up to its limit', async () => {
    const file = join(temporaryDirectory(), 'a');
    writeFileSync(file, 'äb');
    expect(await readRegularFile(file, 3)).toBe('äb');
    await expect(readRegularFile(file, 2)).rejects.toThrow('it has 3 bytes, and 2 are the most that are read');
  });

  it('neither waits for a pipe nor reads what has no end', async () => {
    const pipe = join(temporaryDirectory(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero', '/tmp']) {
      await expect(readRegularFile(path, 100)).rejects.toThrow('it is not a regular file');
    }
    await expect(readRegularFile(join(pipe, 'x'), 100)).rejects.toThrow('ENOTDIR');
  });
});
