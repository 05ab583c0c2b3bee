/** The directory of everything the stack writes. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from './refusal.ts';

/** Creates `directory` with what the parts need in it, and proves that it can be written. Throws Refusal. */
export async function openDataDirectory(directory: string): Promise<void> {
  const probe = join(directory, `.probe-${process.pid}`);
  try {
    for (const name of ['logs', 'prometheus', 'alertmanager']) await mkdir(join(directory, name), { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new Refusal([
      `${directory} cannot be written (${code}); make it writable, or set DATA_DIR to a directory that is.`,
    ]);
  }
}
