import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRunbook } from '../../engine/runbook.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

describe('readRunbook', () => {
  it.each([
    ['GpuLost', 'Look for it.'],
    ['gpu-lost_2', 'Look again.'],
    ['GpuFound', undefined],
    ['folder', undefined],
    ['../secret', undefined],
    ['..', undefined],
    ['', undefined],
    ['/etc/hostname', undefined],
    ['..\\secret', undefined],
    ['GpuLost.md', undefined],
    ['GpuLost\0', undefined],
  ])('finds for %j %j', async (alert, text) => {
    const parent = temporaryDirectory();
    const directory = join(parent, 'runbooks');
    mkdirSync(join(directory, 'folder.md'), { recursive: true });
    writeFileSync(join(parent, 'secret.md'), 'A secret.');
    writeFileSync(join(directory, 'GpuLost.md'), 'Look for it.');
    writeFileSync(join(directory, 'gpu-lost_2.md'), 'Look again.');
    expect(await readRunbook(directory, alert)).toBe(text);
  });
});
