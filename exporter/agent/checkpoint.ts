/**
 * Keeps the history in a file: each event is appended at once, and now and then the file is written anew, short. A disk that
 * fails costs nothing but safety: the agent goes on in memory, and tries again with each event.
 */

import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { acquireLock, type FileLock } from '../file-lock.ts';
import { eventLine, historyLine, restore } from './checkpoint-lines.ts';
import { type CheckpointWriter, createWriter, reasonOf } from './checkpoint-writer.ts';
import { emptyHistory, type History, type HistoryEvent } from './history.ts';

export interface CheckpointOptions {
  readonly file: string;
  readonly agentId: string;
  /** Events between two compactions. */
  readonly rewriteEvery: number;
  readonly maxSpans: number;
  /** A clock that is never set, in milliseconds. */
  readonly steadyMs: () => number;
  /** Called when writing begins to fail, and with undefined when it works again. */
  readonly onTurn: (problem: string | undefined) => void;
}

export interface Checkpoint {
  /** Writes the event in the background; `history` is what it led to. */
  append(event: HistoryEvent, history: History): void;
  /** Why the history is not safe on disk; undefined when it is. */
  problem(): string | undefined;
  /** Resolves when every event so far is written, or could not be. */
  settled(): Promise<void>;
  /** Writes what is left and lets the file go. */
  close(): Promise<void>;
}

export interface OpenCheckpoint {
  readonly kind: 'opened';
  readonly checkpoint: Checkpoint;
  /** What an earlier process left. */
  readonly history: History;
  /** What is wrong with the file, for people. */
  readonly complaint: string | undefined;
}

/** Takes the file for this process. `held`: another process has it. A file that cannot be used is a complaint, no error. */
export async function openCheckpoint(options: CheckpointOptions): Promise<OpenCheckpoint | { readonly kind: 'held' }> {
  try {
    await mkdir(dirname(options.file), { recursive: true });
    const lock = acquireLock(`${options.file}.lock`);
    return lock === undefined ? { kind: 'held' } : await openLocked(options, lock);
  } catch (error) {
    return openInMemory(options.file, reasonOf(error));
  }
}

async function openLocked(options: CheckpointOptions, lock: FileLock): Promise<OpenCheckpoint> {
  try {
    const { history, complaint } = await readBack(options);
    return { kind: 'opened', checkpoint: checkpointOf(options, lock, history), history, complaint };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function checkpointOf(options: CheckpointOptions, lock: FileLock, restored: History): Checkpoint {
  let latest = restored;
  let closing: Promise<void> | undefined;
  const writer: CheckpointWriter = createWriter({ ...options, whole: () => historyLine(options.agentId, latest) });
  return {
    append: (event, history) => {
      latest = history;
      writer.append(eventLine(event));
    },
    problem: writer.problem,
    settled: writer.settled,
    close: () => (closing ??= writer.close().finally(lock.release)),
  };
}

// A file that is there but cannot be read is left as it is: writing over it would destroy what it may still hold.
function openInMemory(file: string, reason: string): OpenCheckpoint {
  const problem = `the checkpoint cannot be used (${reason})`;
  const done = async () => undefined;
  const checkpoint = { append: () => undefined, problem: () => problem, settled: done, close: done };
  const fix = 'checks are kept in memory only; make the file readable and writable, then start the agent again';
  return { kind: 'opened', checkpoint, history: emptyHistory, complaint: `${file}: ${reason}: ${fix}` };
}

async function readBack({ file, agentId, maxSpans }: CheckpointOptions) {
  const { history, damagedLines, otherAgent } = restore(await textOf(file), agentId, maxSpans);
  const damage = damagedLines === 1 ? 'one line is damaged' : `${damagedLines} lines are damaged`;
  const trouble = otherAgent === undefined ? damage : `it is the checkpoint of the agent "${otherAgent}"`;
  if (otherAgent === undefined && damagedLines === 0) return { history, complaint: undefined };
  await copyFile(file, `${file}.damaged`);
  return { history, complaint: `${file}: ${trouble}: a copy is kept as ${file}.damaged, the rest was taken over` };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
