/** Texts that the configuration holds, or names a file for. */
import { readFile } from 'node:fs/promises';
import { messageOf } from '../text/message-of.ts';
import type { TextSource } from './settings.ts';

/** The client's own secret or certificate cannot be used, which is no fault of the server's. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
}

/** Files are read each time, and end in a line break that is not part of the text. Rejects with CredentialError. */
export async function readTextSource(source: TextSource): Promise<string> {
  if ('text' in source) return source.text;
  try {
    return (await readFile(source.file, 'utf8')).trim();
  } catch (cause) {
    throw new CredentialError(`${source.file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
