/** Files on disk: which ones patterns name, and their texts. */
import { glob, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Diagnostic } from '../policy/diagnostics.ts';
import type { RuleSource } from './rule-file.ts';
import { decodeRuleText } from './rule-text.ts';

export interface SourceOptions {
  /** What relative paths start from. */
  readonly cwd: string;
  /** What to do when a pattern names nothing. */
  readonly absentFix: string;
  /** Whether a directory stands for the YAML files in it, at any depth. */
  readonly takesDirectories?: boolean;
}

export interface ReadSources {
  /** Sorted by path, each file once however many patterns name it. */
  readonly sources: readonly RuleSource[];
  /** What could not be found or read. */
  readonly diagnostics: readonly Diagnostic[];
}

const IN_DIRECTORY = '**/*.{yml,yaml}';
const MAX_FILES = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads every file that `patterns` name: paths, or globs with `*`, `**`, `?`, `[…]` and `{…}`. Never rejects for what a disk says. */
export async function readSources(patterns: readonly string[], options: SourceOptions): Promise<ReadSources> {
  const diagnostics: Diagnostic[] = [];
  const found = await Promise.all(patterns.map((pattern) => findFiles(pattern, options, diagnostics)));
  const files = (await onceEach(found.flat(), options.cwd)).sort();
  if (files.length > MAX_FILES) {
    const fix = 'name fewer files, or split them over several engines';
    diagnostics.push(problem(patterns.join(','), `more than ${MAX_FILES} files match`, fix));
    return { sources: [], diagnostics };
  }
  const sources: RuleSource[] = [];
  for (const file of files) {
    const read = await readSource(file, options.cwd);
    if ('text' in read) sources.push(read);
    else diagnostics.push(read);
  }
  return { sources, diagnostics };
}

async function findFiles(pattern: string, options: SourceOptions, diagnostics: Diagnostic[]): Promise<string[]> {
  const { cwd, absentFix, takesDirectories = false } = options;
  const kind = await kindOf(resolve(cwd, pattern));
  if (kind === 'directory' && !takesDirectories) {
    diagnostics.push(problem(pattern, 'is a directory', `write ${join(pattern, '*.yml')} for the files in it`));
    return [];
  }
  const isPath = kind !== 'absent' || !/[*?[{]/.test(pattern);
  if (isPath && kind !== 'directory') return [pattern];
  const files = await matches(kind === 'directory' ? join(pattern, IN_DIRECTORY) : pattern, cwd);
  if (files.length === 0) diagnostics.push(problem(pattern, 'no file matches', absentFix));
  return files;
}

async function matches(pattern: string, cwd: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(pattern, { cwd })) {
    if ((await kindOf(resolve(cwd, file))) !== 'directory') files.push(file);
    if (files.length > MAX_FILES) break;
  }
  return files;
}

async function kindOf(path: string): Promise<'directory' | 'file' | 'absent'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch {
    return 'absent';
  }
}

/** One name per file; links to the same file count as one, under the shortest name. */
async function onceEach(files: readonly string[], cwd: string): Promise<string[]> {
  const names = new Map<string, string>();
  for (const file of files) {
    const path = resolve(cwd, file);
    const real = await realpath(path).catch(() => path);
    const known = names.get(real);
    if (known === undefined || file.length < known.length) names.set(real, file);
  }
  return [...names.values()];
}

/** The text of a file, or why it cannot be had. */
async function readSource(file: string, cwd: string): Promise<RuleSource | Diagnostic> {
  const path = resolve(cwd, file);
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return problem(file, 'cannot be read: it is no regular file', 'name another file');
    if (facts.size > MAX_BYTES) return problem(file, `is larger than ${MAX_BYTES} bytes`, 'split it');
    const decoded = decodeRuleText(await readFile(path), file);
    return decoded.ok ? { file, text: decoded.text } : decoded.problem;
  } catch (error) {
    return unreadable(file, error);
  }
}

/** Errors of the disk are the user's to fix; anything else is a bug and keeps its stack. */
function unreadable(file: string, error: unknown): Diagnostic {
  if (!(error instanceof Error) || !('syscall' in error)) throw error;
  return problem(file, `cannot be read: ${error.message.replace(/,.*/, '')}`, 'name an existing, readable file');
}

function problem(file: string, message: string, fix: string): Diagnostic {
  return { file, line: 0, column: 0, severity: 'error', message, fix };
}
