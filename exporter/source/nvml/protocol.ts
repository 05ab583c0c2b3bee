/**
 * What the exporter and its driver process say to each other. Requests and events pass through the IPC channel. What the reading
 * thread has to say goes into a pipe of its own, line by line and synchronously: it has left the process before the next driver
 * call, which may never return.
 */

import type { GpuIdentity } from '../../snapshot.ts';
import type { NvmlReading, ReaderMemory } from './reading.ts';
import type { SupportReport } from './support.ts';
import { isRecord, type Unknown } from './unknown.ts';

/** The pipe of the reading thread, as the driver process sees it: behind stdin, stdout, stderr and the IPC channel. */
export const reportFd = 4;

/** What answers for the driver: NVML itself, perhaps recorded on the way, or a recording. */
export type LibraryChoice =
  | { readonly kind: 'library'; readonly path?: string | undefined; readonly record?: string | undefined }
  | { readonly kind: 'replay'; readonly file: string };

export interface ChildOptions {
  readonly library: LibraryChoice;
  /** How many processes to list for each GPU; 0 does not ask for them. */
  readonly maxProcesses: number;
}

/** `skip` names GPUs as the reader does; `memory` is what the process before this one knew. */
export type Question =
  | { readonly kind: 'read'; readonly skip: readonly string[]; readonly memory?: ReaderMemory | undefined }
  | { readonly kind: 'examine' };

export type Request = Question & { readonly id: number };

/** What the reading thread is about to touch; no GPU means the driver as a whole. */
export interface Touching {
  readonly gpu?: string | undefined;
  readonly step: string;
}

/** What a process that waits for its next question is at. */
export const idleStep = 'idle';

export type Answer =
  | { readonly kind: 'reading'; readonly id: number; readonly reading: NvmlReading }
  | { readonly kind: 'support'; readonly id: number; readonly support: SupportReport }
  | { readonly kind: 'unavailable'; readonly id: number; readonly reason: string; readonly message: string };

/** A GPU has said who it is, as far as it could. */
export interface Introduction {
  readonly kind: 'met';
  readonly identity: GpuIdentity;
}

export type Report = ({ readonly kind: 'touching' } & Touching) | Introduction | Answer;

/** What the driver process says on its own. */
export type ChildEvent = HeardEvent | RecordingEnd;

/** What it hears from the driver, and whether it listens. */
export type HeardEvent =
  | { readonly kind: 'xid'; readonly uuid?: string | undefined; readonly code: number }
  | { readonly kind: 'watch'; readonly state: WatchState; readonly uuids: readonly string[] };

/** Nothing more is recorded by this process; `why` completes "the recording has ended: …". */
interface RecordingEnd {
  readonly kind: 'recording_ended';
  readonly why: string;
}

/** `unsupported` where no GPU can report XIDs, `down` while nobody listens for them. */
export type WatchState = 'watching' | 'unsupported' | 'down';

/** One line of the pipe; undefined for anything that is no report. */
export function parseReport(line: string): Report | undefined {
  const value = parseJson(line);
  if (!isRecord(value)) return undefined;
  if (value.kind === 'touching') return isTouching(value) ? { ...value, kind: 'touching' } : undefined;
  return isIntroduction(value) || isAnswer(value) ? value : undefined;
}

/** One message of the driver process; undefined for anything that is no event. */
export function parseEvent(value: unknown): ChildEvent | undefined {
  return isEvent(value) ? value : undefined;
}

/** One message to the driver process. Throws on anything else: the exporter and its driver process are of one version. */
export function parseRequest(value: unknown): Request {
  if (isRequest(value)) return value;
  throw new Error('the exporter has asked for something that the driver process does not know');
}

/** The argument the driver process is started with. Throws on anything else, as parseRequest does. */
export function parseChildOptions(text: string | undefined): ChildOptions {
  const value = parseJson(text ?? '');
  if (isChildOptions(value)) return value;
  throw new Error('the driver process is started by the exporter, with its options as one argument');
}

/** Cuts text that arrives in pieces into lines of at most `maxLength`, and gives each complete one to `onLine`. */
export function createLineCutter(maxLength: number, onLine: (line: string) => void): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split('\n').map((line) => line.slice(0, maxLength));
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}

function isTouching(value: Unknown): value is Unknown & Touching {
  return isOptionalText(value.gpu) && typeof value.step === 'string';
}

function isIntroduction(value: Unknown): value is Introduction & Unknown {
  if (value.kind !== 'met' || !isRecord(value.identity)) return false;
  const { index, uuid, pciBusId, modelName } = value.identity;
  return typeof index === 'number' && [uuid, pciBusId, modelName].every((text) => typeof text === 'string');
}

function isAnswer(value: Unknown): value is Answer & Unknown {
  if (typeof value.id !== 'number') return false;
  if (value.kind === 'reading') return isReading(value.reading);
  if (value.kind === 'support') return isRecord(value.support);
  return value.kind === 'unavailable' && typeof value.reason === 'string' && typeof value.message === 'string';
}

function isReading(value: unknown): value is NvmlReading {
  if (!isRecord(value) || typeof value.session !== 'number' || !isRecord(value.memory)) return false;
  const lists = [value.gpus, value.failures, value.callErrors, value.memory.gpus];
  return lists.every((list) => Array.isArray(list) && list.every(isRecord));
}

function isEvent(value: unknown): value is ChildEvent {
  if (!isRecord(value)) return false;
  if (value.kind === 'xid') return isOptionalText(value.uuid) && typeof value.code === 'number';
  if (value.kind === 'recording_ended') return typeof value.why === 'string';
  return value.kind === 'watch' && isWatchState(value.state) && isTexts(value.uuids);
}

function isWatchState(value: unknown): value is WatchState {
  return value === 'watching' || value === 'unsupported' || value === 'down';
}

function isRequest(value: unknown): value is Request {
  if (!isRecord(value) || typeof value.id !== 'number') return false;
  if (value.kind === 'examine') return true;
  return value.kind === 'read' && isTexts(value.skip) && (value.memory === undefined || isRecord(value.memory));
}

function isChildOptions(value: unknown): value is ChildOptions {
  return isRecord(value) && typeof value.maxProcesses === 'number' && isLibraryChoice(value.library);
}

function isLibraryChoice(value: unknown): value is LibraryChoice {
  if (!isRecord(value)) return false;
  if (value.kind === 'replay') return typeof value.file === 'string';
  return value.kind === 'library' && isOptionalText(value.path) && isOptionalText(value.record);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
