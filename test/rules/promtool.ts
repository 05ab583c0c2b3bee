/** Runs the real promtool. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';
import { programOf, requireTool } from '../servers/require-tool.ts';
import { ROOT } from './rule-files.ts';

export interface Verdict {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs it in the root of the repository. Skips the test where there is none, and fails in CI. */
export async function promtool(context: TestContext, ...args: readonly string[]): Promise<Verdict> {
  const program = programOf(await requireTool(context, 'prometheus'), 'promtool');
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: ROOT });
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { ok: false, output: stdout + stderr };
  }
}
