import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { isExecutable } from '../../servers/executable.ts';

/**
 * Absolute path of a program on PATH, or a skipped test where a developer does not have it. In CI a missing program is a
 * failure.
 */
export function requireProgram(context: TestContext, name: string): string {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  const found = directories.map((directory) => join(directory, name)).find(isExecutable);
  if (found !== undefined) return found;
  const sentence = `${name} is needed for this test and is not on PATH.`;
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  return context.skip(sentence);
}
