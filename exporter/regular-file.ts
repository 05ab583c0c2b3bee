/** Reads a text file that somebody else named: never more than a limit, and never from what would not end. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * The file as UTF-8. Rejects with a message that completes "FILE cannot be read: …". A pipe of that name is refused rather than
 * waited for: a read that waits holds a thread, and with it the end of the process.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > maxBytes)
      throw new Error(`it has ${stats.size} bytes, and ${maxBytes} are the most that are read`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
