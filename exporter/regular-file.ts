/** Reads files that somebody else named: never more than a limit, and never from what would not end. */

import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * Opens the file for `use`, and closes it. Rejects with a message that completes "FILE cannot be read: …". A pipe of that name is
 * refused rather than waited for: a read that waits holds a thread, and with it the end of the process.
 */
export async function withRegularFile<T>(
  path: string,
  maxBytes: number,
  use: (file: FileHandle, stats: BigIntStats) => Promise<T>,
): Promise<T> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > maxBytes)
      throw new Error(`it has ${stats.size} bytes, and ${maxBytes} are the most that are read`);
    return await use(file, stats);
  } finally {
    await file.close();
  }
}

/** The file as UTF-8, as described above. */
export function readRegularFile(path: string, maxBytes: number): Promise<string> {
  return withRegularFile(path, maxBytes, (file) => readStart(file, maxBytes));
}

/** At most `maxBytes`, as UTF-8: a file may grow while it is read, and those of /proc say that they have no bytes. */
export async function readStart(file: FileHandle, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of file.createReadStream({ end: maxBytes - 1, autoClose: false })) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
