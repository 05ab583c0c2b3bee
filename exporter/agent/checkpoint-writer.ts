/** Writes the lines of one file, one write at a time: appended while all is well, everything anew after trouble. */

import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { writeDurably } from '../durable-file.ts';
import { messageOf } from '../message-of.ts';

export interface WriterOptions {
  readonly file: string;
  /** Lines that may be appended before the file is written anew. */
  readonly rewriteEvery: number;
  /** All that the file should hold, with every line that was appended so far. */
  readonly whole: () => string;
  /** A clock that is never set, in milliseconds. */
  readonly steadyMs: () => number;
  /** Called when writing begins to fail, and with undefined when it works again. */
  readonly onTurn: (problem: string | undefined) => void;
}

export interface CheckpointWriter {
  append(line: string): void;
  /** Why the lines are not safe on disk; undefined when they are. */
  problem(): string | undefined;
  /** Resolves when every line so far is written, or could not be, or a disk that hangs has been given time enough. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

// A write that takes longer is a disk that hangs.
const slowWriteMs = 10_000;
const patienceMs = 1_000;

export function createWriter({ file, rewriteEvery, whole, steadyMs, onTurn }: WriterOptions): CheckpointWriter {
  let pending: string[] = [];
  // False while the file lacks lines that are no longer pending.
  let isWhole = false;
  let output: FileHandle | undefined;
  let appended = 0;
  let failure: string | undefined;
  let writing: { readonly done: Promise<void>; readonly sinceMs: number } | undefined;

  function append(line: string): void {
    if (pending.length >= rewriteEvery) {
      pending = [];
      isWhole = false;
    }
    pending.push(line);
    writing ??= { done: drain(), sinceMs: steadyMs() };
  }

  async function drain(): Promise<void> {
    try {
      while (pending.length > 0) await writePending();
      turnTo(undefined);
    } catch (error) {
      isWhole = false;
      turnTo(`the checkpoint cannot be written (${reasonOf(error)})`);
    } finally {
      writing = undefined;
    }
  }

  async function writePending(): Promise<void> {
    const lines = pending;
    pending = [];
    // Appended first even where the file is about to be written anew: that takes long enough for a process to be killed.
    if (isWhole) await output?.appendFile(lines.join(''));
    appended += lines.length;
    if (!isWhole || output === undefined || appended >= rewriteEvery) await rewrite();
  }

  async function rewrite(): Promise<void> {
    const text = whole();
    // From here on only what comes while this is being written is missing.
    pending = [];
    isWhole = true;
    appended = 0;
    await output?.close();
    output = undefined;
    await writeDurably(file, text);
    output = await open(file, 'a');
  }

  function turnTo(problem: string | undefined): void {
    const isTurn = (problem === undefined) !== (failure === undefined);
    failure = problem;
    if (isTurn) onTurn(problem);
  }

  function problem(): string | undefined {
    const writingMs = writing === undefined ? 0 : steadyMs() - writing.sinceMs;
    if (writingMs <= slowWriteMs) return failure;
    return `a write to the checkpoint has been under way for ${Math.round(writingMs / 1000)} s`;
  }

  async function settled(): Promise<void> {
    await Promise.race([writing?.done, delay(patienceMs, undefined, { ref: false })]);
  }

  async function close(): Promise<void> {
    await settled();
    // A write that hangs keeps its handle: to close it would wait for the same disk.
    if (writing === undefined) await output?.close();
  }

  return { append, problem, settled, close };
}

/** What the system says, without the path. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return message.split(', ')[0] ?? message;
}
