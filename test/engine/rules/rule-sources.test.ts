import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources } from '../../../engine/rules/rule-sources.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

/** A directory with the given files; the text of each is its own path. */
function directoryOf(...files: readonly string[]): string {
  const cwd = temporaryDirectory();
  for (const file of files) {
    mkdirSync(join(cwd, file, '..'), { recursive: true });
    writeFileSync(join(cwd, file), file);
  }
  return cwd;
}

async function read(cwd: string, patterns: readonly string[], takesDirectories = false) {
  const { sources, diagnostics } = await readSources(patterns, { cwd, absentFix: 'look again', takesDirectories });
  return {
    files: sources.map(({ file }) => file),
    problems: diagnostics.map(({ file, message, fix }) => [file, message, fix]),
  };
}

describe('readSources', () => {
  it('reads paths and globs, sorted, each file once', async () => {
    const cwd = directoryOf('b.yml', 'a.yml', 'sub/c.yml', 'sub/deep/d.yaml', 'notes.txt');
    const all = await read(cwd, ['sub/**/*.{yml,yaml}', '*.yml', 'a.yml', join(cwd, 'b.yml')]);
    expect(all).toEqual({ files: ['a.yml', 'b.yml', 'sub/c.yml', 'sub/deep/d.yaml'], problems: [] });
  });

  it('loads a file once that several links lead to, as in a mounted ConfigMap', async () => {
    const cwd = directoryOf('..2026/gpu.yml');
    symlinkSync('..2026', join(cwd, '..data'));
    symlinkSync('..data/gpu.yml', join(cwd, 'gpu.yml'));
    const { files } = await read(cwd, ['**/*.yml', '..data/gpu.yml', '..2026/gpu.yml']);
    expect(files).toEqual(['gpu.yml']);
  });

  it('takes a name with the signs of a glob for a file where there is one', async () => {
    expect(await read(directoryOf('[a].yml', 'a.yml'), ['[a].yml'])).toEqual({ files: ['[a].yml'], problems: [] });
  });

  it.each([
    ['nothing-*.yml', 'no file matches', 'look again'],
    ['absent.yml', 'cannot be read: ENOENT: no such file or directory', 'name an existing, readable file'],
    ['sub', 'is a directory', 'write sub/*.yml for the files in it'],
  ])('explains why %s names no file', async (pattern, message, fix) => {
    expect(await read(directoryOf('sub/a.yml'), [pattern])).toEqual({ files: [], problems: [[pattern, message, fix]] });
  });

  it('takes a directory for the YAML files in it, where that is meant', async () => {
    const cwd = directoryOf('sub/a.yml', 'sub/b/c.yaml', 'sub/schema.json', 'sub/README.md');
    expect(await read(cwd, ['sub'], true)).toEqual({ files: ['sub/a.yml', 'sub/b/c.yaml'], problems: [] });
    mkdirSync(join(cwd, 'empty'));
    expect((await read(cwd, ['empty'], true)).problems).toEqual([['empty', 'no file matches', 'look again']]);
  });

  it('does not wait for a pipe that nobody writes to', async () => {
    const cwd = temporaryDirectory();
    execFileSync('mkfifo', [join(cwd, 'pipe.yml')]);
    const problem = ['pipe.yml', 'cannot be read: it is no regular file', 'name another file'];
    expect(await read(cwd, ['*.yml'])).toEqual({ files: [], problems: [problem] });
  });

  it('leaves directories out of what a glob matches', async () => {
    const cwd = directoryOf('a.yml');
    mkdirSync(join(cwd, 'b.yml'));
    expect(await read(cwd, ['*.yml'])).toEqual({ files: ['a.yml'], problems: [] });
  });

  it.each([
    ['UTF-8 with a mark', Buffer.from('\ufeffgroups:'), '\ufeffgroups:'],
    ['UTF-16, little end first', Buffer.from('\ufeffgroups:', 'utf16le'), '\ufeffgroups:'],
    ['UTF-16, big end first', Buffer.from('\ufeffgroups:', 'utf16le').swap16(), '\ufeffgroups:'],
  ])('decodes %s', async (_name, bytes, text) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'a.yml'), bytes);
    const { sources } = await readSources(['a.yml'], { cwd, absentFix: '' });
    expect(sources).toEqual([{ file: 'a.yml', text }]);
  });

  it('shows the first byte that is no UTF-8', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'a.yml'), Buffer.from([...Buffer.from('groups:\n- name: é'), 0xe9, 0x0a]));
    const { diagnostics } = await readSources(['a.yml'], { cwd, absentFix: '' });
    expect(diagnostics).toEqual([
      {
        file: 'a.yml',
        line: 2,
        column: 10,
        endColumn: 11,
        severity: 'error',
        message: 'the file is not UTF-8',
        fix: 'save it as UTF-8; this is the first character that cannot be read',
      },
    ]);
  });
});
