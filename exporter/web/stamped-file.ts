/** Small files that may change while the exporter runs: their text, and a stamp that tells whether they have. */

import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';

/** What a file looked like at one moment. Two stamps with the same `mark` are of the same content. */
export interface Stamp {
  readonly mark: string;
  /** When its content was last written, epoch milliseconds; undefined for a file that is not there. */
  readonly writtenAtMs: number | undefined;
}

export type StampedFile =
  | { readonly kind: 'read'; readonly path: string; readonly stamp: Stamp; readonly text: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly stamp: Stamp; readonly reason: string };

const maxBytes = 1024 * 1024;

/** Reads a regular file of at most 1 MiB. Synchronous: it happens before a connection or request may go on. */
export function readStamped(path: string): StampedFile {
  try {
    const descriptor = openSync(path, 'r');
    try {
      return readOpened(path, descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { kind: 'unreadable', path, stamp: stampOf(path), reason: reasonFor(path, error) };
  }
}

// The stamp is of the opened file, and taken before its text: what is written later shows up as a change.
function readOpened(path: string, descriptor: number): StampedFile {
  const status = fstatSync(descriptor, { bigint: true });
  const stamp = toStamp(status);
  if (!status.isFile()) return { kind: 'unreadable', path, stamp, reason: `${path} is not a regular file` };
  if (status.size > maxBytes) return { kind: 'unreadable', path, stamp, reason: `${path} is larger than 1 MiB` };
  return { kind: 'read', path, stamp, text: readFileSync(descriptor, 'utf8') };
}

/** The stamp of whatever is at the path now. A few microseconds; links are followed. */
export function stampOf(path: string): Stamp {
  try {
    return toStamp(statSync(path, { bigint: true }));
  } catch (error) {
    return { mark: codeOf(error), writtenAtMs: undefined };
  }
}

type Status = Readonly<Record<'ino' | 'size' | 'mtimeNs' | 'ctimeNs' | 'mtimeMs', bigint>>;

function toStamp({ ino, size, mtimeNs, ctimeNs, mtimeMs }: Status): Stamp {
  return { mark: `${ino} ${size} ${mtimeNs} ${ctimeNs}`, writtenAtMs: Number(mtimeMs) };
}

function reasonFor(path: string, error: unknown): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return `there is no file ${path}`;
  if (code === 'EACCES') return `${path} may not be read by this user`;
  return `${path} cannot be read (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
