import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { TestContext } from 'vitest';
import { isExecutable } from './executable.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/** A real browser, or a skipped test where a developer has none; in CI that is a failure. */
export async function startBrowser(context: TestContext): Promise<Browser> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const executablePath = PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
  if (executablePath !== undefined) return chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const sentence = `A browser is needed for this test: none of ${PROGRAMS.join(', ')} is on PATH; apt-get install chromium`;
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  return context.skip(sentence);
}
