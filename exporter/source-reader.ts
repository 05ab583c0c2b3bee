/** One read of a source at a time, and never waited for longer than a limit. */

import type { ReadResult } from './collector.ts';
import { messageOf } from './message-of.ts';
import type { Source } from './snapshot.ts';
import { firstWithin } from './waiting.ts';

interface SourceReader {
  /** Never rejects, never longer than the limit. */
  read(): Promise<ReadResult>;
  /** Tells the read under way to give up. */
  abort(): void;
}

interface PendingRead {
  readonly reading: Promise<ReadResult>;
  readonly controller: AbortController;
}

/**
 * Reads with a time limit. A source that ignores its abort signal keeps its read pending: later reads wait for that one
 * instead of piling up more.
 */
export function createReader(source: Source, timeoutMs: number): SourceReader {
  let pending: PendingRead | undefined;
  const forget = () => {
    pending = undefined;
  };

  async function read(): Promise<ReadResult> {
    pending ??= beginRead(source, forget);
    const { reading, controller } = pending;
    const first = await firstWithin(reading, timeoutMs);
    if (first === undefined) controller.abort();
    return first ?? timedOut(timeoutMs);
  }

  return { read, abort: () => pending?.controller.abort() };
}

function beginRead(source: Source, onSettled: () => void): PendingRead {
  const controller = new AbortController();
  return { controller, reading: attempt(source, controller.signal).finally(onSettled) };
}

async function attempt(source: Source, signal: AbortSignal): Promise<ReadResult> {
  try {
    return { kind: 'read', snapshot: await source.read(signal) };
  } catch (error) {
    return {
      kind: 'failed',
      failure: { reason: 'error', message: messageOf(error) },
    };
  }
}

function timedOut(timeoutMs: number): ReadResult {
  const message = `the source did not answer within ${timeoutMs} ms; the driver may be wedged`;
  return { kind: 'failed', failure: { reason: 'timeout', message } };
}
