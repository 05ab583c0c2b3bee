/** Where answers of NVML are recorded to: a new file for each driver process, of bounded size. What goes wrong never stops the reading. */

import { closeSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { messageOf } from '../../message-of.ts';

const mostFiles = 10;
const mostMebibytes = 64;
const mostBytes = mostMebibytes * 1_048_576;

/** Told at most once, with what completes "the recording has ended: …". */
export type OnRecordingEnd = (why: string) => void;

/** FILE, or FILE.2 and so on where that is there already; nothing is overwritten. Undefined, and told, when none can be had. */
export function openRecordFile(path: string, onEnd: OnRecordingEnd): number | undefined {
  try {
    const free = createFree(path);
    if (free !== undefined) return free.file;
    onEnd(allTaken(path));
  } catch (error) {
    onEnd(`${path} cannot be written: ${messageOf(error)}`);
  }
  return undefined;
}

/** Writes line by line until the file is full or cannot be written any more. */
export function createRecordWriter(file: number, onEnd: OnRecordingEnd): (line: string) => void {
  let written = 0;
  const end = (why: string) => {
    written = Number.POSITIVE_INFINITY;
    onEnd(why);
  };
  return (line) => {
    if (written > mostBytes) return;
    written += Buffer.byteLength(line);
    if (written > mostBytes) end(`it has reached ${mostMebibytes} MiB`);
    else append(file, line, end);
  };
}

export type RecordFileCheck =
  | { readonly kind: 'writable' }
  /** Driver processes come and go, so this is no mistake of the settings. */
  | { readonly kind: 'full' | 'refused'; readonly message: string };

/** Tries whether a recording could be begun: the file is made and taken away again, which is what a directory cannot promise. */
export function checkRecordFile(path: string): RecordFileCheck {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a directory');
    const free = createFree(path);
    if (free === undefined) return { kind: 'full', message: allTaken(path) };
    closeSync(free.file);
    unlinkSync(free.name);
    return { kind: 'writable' };
  } catch (error) {
    return { kind: 'refused', message: `${path} cannot be written: ${messageOf(error)}` };
  }
}

interface CreatedFile {
  readonly file: number;
  readonly name: string;
}

/** Undefined when every name is taken. Throws when a file cannot be made. */
function createFree(path: string): CreatedFile | undefined {
  for (let number = 1; number <= mostFiles; number += 1) {
    const name = number === 1 ? path : `${path}.${number}`;
    try {
      return { file: openSync(name, 'ax', 0o600), name };
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  return undefined;
}

// A disk that fills up takes a part of the line and no error: the next write tells.
function append(file: number, line: string, end: OnRecordingEnd): void {
  try {
    const bytes = Buffer.from(line);
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  } catch (error) {
    end(messageOf(error));
  }
}

function allTaken(path: string): string {
  return `there are ${mostFiles} recordings at ${path} already; move them away to record more`;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
