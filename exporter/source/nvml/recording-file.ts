/** Reading a recording: every line is checked before the first is used. */

import type { CallValue } from './calls.ts';
import type { Answer } from './library.ts';
import { decode, recordingFormat, recordingVersion } from './recording.ts';
import { isRecord, type Unknown } from './unknown.ts';

export interface Recording {
  /** The first holds what came before any round. */
  readonly rounds: readonly (readonly RecordedCall[])[];
  readonly events: readonly RecordedEvent[];
  /** Where the last line was cut off, and what that means; that line is left out. */
  readonly warning: string | undefined;
}

export interface RecordedCall extends Answer<unknown> {
  readonly call: string;
  readonly args: readonly unknown[];
}

export interface RecordedEvent {
  /** Since the recording began. */
  readonly afterMs: number;
  readonly event: CallValue<'nvmlEventSetWait_v2'>;
}

/** Throws an Error that begins with file and line when the text is no recording, or one that is damaged before its last line. */
export function parseRecording(text: string, file: string): Recording {
  const { lines, warning } = linesOf(text, file);
  const startedMs = checkHeader(parseFirst(lines[0]?.line), `${file}:1`);
  const entries = lines.map(({ line, at }) => ({ value: parseLine(line, at), at }));
  const rounds: RecordedCall[][] = [[]];
  const events: RecordedEvent[] = [];
  let before = 0;
  for (const { value, at } of entries) {
    if (isHeader(value)) {
      checkHeader(value, at);
      before = rounds.length - 1;
    } else if (isEvent(value)) events.push({ afterMs: value.atMs - startedMs, event: value.event });
    else if (isCall(value) && before + value.round <= rounds.length) addCall(rounds, before + value.round, value);
    else throw new Error(`${at}: this is neither an answer nor an event. ${recordAgain}`);
  }
  if (rounds.length > 1) return { rounds, events, warning };
  throw new Error(`${file}:${entries.length}: the recording ends before its first round. ${recordAgain}`);
}

interface Line {
  readonly line: string;
  readonly at: string;
}

// Each line was written with its line break. What is behind the last one was cut off by a full disk or a sudden end, unless
// somebody's editor has only taken the break away.
function linesOf(
  text: string,
  file: string,
): { readonly lines: readonly Line[]; readonly warning: string | undefined } {
  const lines = text.split('\n').map((line, index) => ({ line, at: `${file}:${index + 1}` }));
  const last = lines.at(-1);
  if (lines.length === 1 || last === undefined || isJson(last.line)) return { lines, warning: undefined };
  const cutOff = `${last.at}: this line was cut off and is left out; the recording is replayed up to it.`;
  return { lines: lines.slice(0, -1), warning: last.line === '' ? undefined : cutOff };
}

// Rounds follow one another: a call belongs to a round that is there, or begins the next.
function addCall(rounds: RecordedCall[][], round: number, call: RecordedCall): void {
  if (round === rounds.length) rounds.push([]);
  rounds[round]?.push(call);
}

const recordAgain = 'Record again with NVML_RECORD_FILE.';
const nameAnother = 'Name a file that was written with NVML_RECORD_FILE.';

function parseLine(line: string, at: string): unknown {
  try {
    return decode(line);
  } catch {
    throw new Error(`${at}: this line is damaged. Remove it, or record again.`);
  }
}

function parseFirst(line: string | undefined): unknown {
  return line !== undefined && isJson(line) ? decode(line) : undefined;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** When the recording began, in milliseconds since the epoch. */
function checkHeader(header: unknown, at: string): number {
  if (!isHeader(header)) {
    throw new Error(
      `${at}: this is not a recording of NVML: the file does not begin with the header of one. ${nameAnother}`,
    );
  }
  if (header.version === recordingVersion) return Date.parse(header.date) || 0;
  const versions = `The recording has format version ${header.version}, and this exporter reads version ${recordingVersion}`;
  throw new Error(`${at}: ${versions}. ${recordAgain}`);
}

function isHeader(value: unknown): value is Unknown & { readonly date: string } {
  return isRecord(value) && value.format === recordingFormat;
}

function isCall(value: unknown): value is RecordedCall & { readonly round: number } {
  if (!isRecord(value) || typeof value.call !== 'string' || !Array.isArray(value.args)) return false;
  return Number.isSafeInteger(value.round) && Number(value.round) >= 0 && Number.isSafeInteger(value.code);
}

function isEvent(value: unknown): value is Pick<RecordedEvent, 'event'> & { readonly atMs: number } {
  return isRecord(value) && typeof value.atMs === 'number' && isRecord(value.event);
}
