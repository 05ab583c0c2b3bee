/** Runbooks as they lie in a folder: one Markdown file per alert, named for it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Undefined where there is none. A name without dots and slashes leads to no other folder and to no other kind of file. */
export async function readRunbook(directory: string, alert: string): Promise<string | undefined> {
  if (!/^[\w-]+$/.test(alert)) return undefined;
  return readFile(join(directory, `${alert}.md`), 'utf8').catch(() => undefined);
}
