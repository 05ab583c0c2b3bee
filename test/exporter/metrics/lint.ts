import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { programOf, requireTool } from '../../servers/require-tool.ts';

/** The kinds of problem promtool has with a page, without the names of the metrics. Skips without promtool, except in CI. */
export async function lint(page: string, context: TestContext): Promise<readonly string[]> {
  const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
  const { stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
    timeout: 10_000,
  });
  const problems = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  return [...new Set(problems.map((line) => line.slice(line.indexOf(' ') + 1)))].toSorted();
}
