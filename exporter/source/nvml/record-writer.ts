/** Where answers of NVML are recorded to: a new file for each driver process, of bounded size. What goes wrong never stops the reading. */

import { openSync, writeSync } from 'node:fs';
import { messageOf } from './unknown.ts';

const mostFiles = 10;
const mostMebibytes = 64;
const mostBytes = mostMebibytes * 1_048_576;

/** FILE, or FILE.2 and so on where that is there already; nothing is overwritten. Undefined, and said on stderr, when none can be had. */
export function openRecordFile(path: string): number | undefined {
  for (let number = 1; number <= mostFiles; number += 1) {
    try {
      return openSync(number === 1 ? path : `${path}.${number}`, 'ax', 0o600);
    } catch (error) {
      if (!isTaken(error)) return complain(`${path} cannot be written: ${messageOf(error)}`);
    }
  }
  return complain(`there are ${mostFiles} recordings at ${path} already; move them away to record more`);
}

/** Writes line by line until the file is full or cannot be written any more, which is said once on stderr. */
export function createRecordWriter(file: number): (line: string) => void {
  let written = 0;
  return (line) => {
    if (written > mostBytes) return;
    written += Buffer.byteLength(line);
    if (written > mostBytes) complain(`the recording has reached ${mostMebibytes} MiB, and ends here`);
    else if (!append(file, line)) written = Number.POSITIVE_INFINITY;
  };
}

function append(file: number, line: string): boolean {
  try {
    writeSync(file, line);
    return true;
  } catch (error) {
    complain(`the recording ends here: ${messageOf(error)}`);
    return false;
  }
}

function complain(problem: string): undefined {
  console.error(`The answers of NVML are not recorded: ${problem}.`);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
