/** The verdicts of the real promtool on rule files. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { programOf, requireTool } from '../../servers/require-tool.ts';

export interface Promtool {
  /** Such as `2.42` or `3.14`. */
  readonly version: string;
  readonly isOld: boolean;
  /** Whether `check rules` accepts each text, in one run of the program. */
  accepts(texts: readonly string[]): readonly boolean[];
}

/** The installed promtool; the test is skipped where there is none, and fails in CI. */
export async function requirePromtool(context: TestContext): Promise<Promtool> {
  const tool = await requireTool(context, 'prometheus');
  const program = programOf(tool, 'promtool');
  const [, major = '', minor = ''] = /version (\d+)\.(\d+)/.exec(spawn(program, ['--version'])) ?? [];
  return { version: `${major}.${minor}`, isOld: Number(major) < 3, accepts: (texts) => judge(program, texts) };
}

function judge(program: string, texts: readonly string[]): boolean[] {
  const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-promtool-'));
  try {
    const files = texts.map((text, index) => {
      const file = join(directory, `${index}.yml`);
      writeFileSync(file, text);
      return file;
    });
    const output = spawn(program, ['check', 'rules', '--lint=none', ...files]);
    const verdicts = new Map(
      output.split('Checking ').map((part) => [part.split('\n')[0] ?? '', part.includes('SUCCESS')]),
    );
    return files.map((file) => {
      const verdict = verdicts.get(file);
      if (verdict === undefined) throw new Error(`promtool says nothing about ${file}`);
      return verdict;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function spawn(program: string, args: readonly string[]): string {
  const { stdout, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error !== undefined) throw error;
  return stdout;
}
