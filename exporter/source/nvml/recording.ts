/**
 * Answers of NVML, written down to be given again. A recording is lines of JSON: a header, then one line for each answer, in rounds
 * that begin where the GPUs are counted, and one for each event with the time at which it came. A process that goes on with the
 * recording of another one begins with a header of its own, and counts its rounds anew.
 */

import type { CallName } from './calls.ts';
import type { Answer, NvmlLibrary } from './library.ts';

export const recordingFormat = 'gpu-uptime NVML recording';
export const recordingVersion = 1;

/** The call with which a reader begins a round. */
export const roundCall = 'nvmlDeviceGetCount_v2' satisfies CallName;

export interface Recorder {
  /** Takes one line, with its line break. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The same library, all of whose answers are written down. The header comes with the first of them. */
export function recordingLibrary(library: NvmlLibrary, { write, now }: Recorder): NvmlLibrary {
  const put = (line: object) => write(`${encode(line)}\n`);
  let round = 0;
  let hasHeader = false;

  function record(name: CallName, args: readonly unknown[], answer: Answer<unknown>): void {
    if (!hasHeader) put(header(library, { name, code: answer.code, atMs: now() }));
    hasHeader = true;
    if (name === roundCall) round += 1;
    put({ round, call: name, args, ...answer });
  }

  return {
    path: library.path,
    call: (name, ...args) => {
      const answer = library.call(name, ...args);
      record(name, args, answer);
      return answer;
    },
    waitForEvent: async (set, timeoutMs) => {
      const answer = await library.waitForEvent(set, timeoutMs);
      if (answer.code === 0) put({ atMs: now(), event: answer.value });
      return answer;
    },
  };
}

interface FirstCall {
  readonly name: CallName;
  readonly code: number;
  readonly atMs: number;
}

// The driver tells its version once it is initialised, which is what a reader does first.
function header(library: NvmlLibrary, { name, code, atMs }: FirstCall): object {
  const isInitialised = name === 'nvmlInit_v2' && code === 0;
  const driver = isInitialised ? library.call('nvmlSystemGetDriverVersion').value : undefined;
  return {
    format: recordingFormat,
    version: recordingVersion,
    driver: driver ?? null,
    date: new Date(atMs).toISOString(),
  };
}

/** JSON in which handles are objects of their own. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? { handle: part.toString(16) } : part));
}

/** Undoes `encode`. What JSON has no word for is missing. Throws on text that is no JSON. */
export function decode(text: string): unknown {
  return JSON.parse(text, (_key, part) => {
    if (part === null) return undefined;
    return isHandle(part) ? BigInt(`0x${part.handle}`) : part;
  });
}

function isHandle(value: unknown): value is { readonly handle: string } {
  return typeof value === 'object' && value !== null && 'handle' in value && /^[0-9a-f]+$/.test(String(value.handle));
}
