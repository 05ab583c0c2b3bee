/** The layers of engine/README.md are those of the imports. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readDocument, tableRows } from './documents.ts';

const ROWS = tableRows(readDocument('engine/README.md'), 'folder').map(
  ([folder = '', imports = '']) => [unquoted(folder)[0] ?? '', unquoted(imports)] as const,
);

function unquoted(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** Other folders of the engine that the files of a folder import, files directly in engine/ left out. */
function importedBy(folder: string): readonly string[] {
  const files = globSync(`${folder}**/*.ts`, { cwd: join(ROOT, 'engine') });
  const targets = files.flatMap((file) =>
    [...readFileSync(join(ROOT, 'engine', file), 'utf8').matchAll(/from '\.\.\/([\w-]+\/)[^']+'/g)].map(
      ([, target = '']) => target,
    ),
  );
  return [...new Set(targets)].sort();
}

describe('the layers of engine/README.md', () => {
  it('are all folders of the engine', () => {
    const folders = globSync('*/', { cwd: join(ROOT, 'engine') }).map((folder) => `${folder.replace(/\/$/, '')}/`);
    expect(ROWS.map(([folder]) => folder).sort()).toEqual(folders.sort());
  });

  it.each(ROWS)('%s imports what its row says', (folder, imports) => {
    expect(importedBy(folder)).toEqual([...imports].sort());
  });
});
