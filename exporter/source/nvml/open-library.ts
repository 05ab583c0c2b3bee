/** The library that was asked for: NVML itself, recorded where that is wanted, or a recording in its place. */

import { readFileSync } from 'node:fs';
import { messageOf } from '../../message-of.ts';
import { type NvmlLibrary, openNvml } from './library.ts';
import type { LibraryChoice } from './protocol.ts';
import { createRecordWriter } from './record-writer.ts';
import { recordingLibrary } from './recording.ts';
import { replayLibrary } from './replay.ts';

const now = Date.now;

export interface Recorded {
  /** The open file to record to. */
  readonly recordFile: number | undefined;
  /** Told at most once. */
  readonly onRecordingEnd: (why: string) => void;
}

/** Throws when it cannot be had, saying why. */
export function openLibrary(choice: LibraryChoice, { recordFile, onRecordingEnd }: Recorded): NvmlLibrary {
  if (choice.kind === 'replay') return replay(choice.file);
  const library = open(choice.path);
  if (recordFile === undefined) return library;
  return recordingLibrary(library, { write: createRecordWriter(recordFile, onRecordingEnd), now });
}

function replay(file: string): NvmlLibrary {
  return replayLibrary(textOf(file), { file, now });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`The recording ${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

function open(path: string | undefined): NvmlLibrary {
  try {
    return openNvml(path);
  } catch (error) {
    throw new Error(`${messageOf(error)} ${path === undefined ? searched : given}`, { cause: error });
  }
}

const searched =
  'It was looked for along LD_LIBRARY_PATH and where ldconfig -p lists libraries: install the NVIDIA driver, or give the container access to it.';
const given = 'Give the path of the library that came with the NVIDIA driver, or none to have it looked for.';
