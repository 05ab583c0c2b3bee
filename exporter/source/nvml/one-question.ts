/** One question to a driver process of its own, which is gone afterwards: for looking before anything is relied on. */

import { setTimeout as delay } from 'node:timers/promises';
import { type DriverProcessOptions, startDriverProcess } from './driver-process.ts';
import type { ChildOptions, Question } from './protocol.ts';
import type { Outcome } from './question-watch.ts';

/** Comes back within the limits, also when the driver does not. Nothing is recorded. */
export async function askOnce(options: DriverProcessOptions, question: Question): Promise<Outcome> {
  const process = startDriverProcess({ ...options, child: withoutRecording(options.child) });
  const waiting = holdOpen();
  try {
    return await process.ask(question);
  } finally {
    process.kill();
    await Promise.race([process.ended, delay(options.limits.endMs, undefined, { ref: false })]);
    clearInterval(waiting);
  }
}

// A driver process never keeps the exporter from ending. Here its answer is all there is to wait for.
function holdOpen(): NodeJS.Timeout {
  return setInterval(() => undefined, 60_000);
}

function withoutRecording({ library, ...rest }: ChildOptions): ChildOptions {
  return { ...rest, library: library.kind === 'library' ? { kind: 'library', path: library.path } : library };
}
