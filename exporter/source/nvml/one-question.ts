/** One question to a driver process of its own, which is gone afterwards: for looking before anything is relied on. */

import { type DriverProcessOptions, startDriverProcess } from './driver-process.ts';
import type { ChildOptions, Question } from './protocol.ts';
import type { Outcome } from './question-watch.ts';

/** Comes back within the limits, also when the driver does not. Nothing is recorded. */
export async function askOnce(options: DriverProcessOptions, question: Question): Promise<Outcome> {
  const process = startDriverProcess({ ...options, child: withoutRecording(options.child) });
  const outcome = await process.ask(question);
  // One that has answered gives the library back, and leaves its compiled code for the next to start faster.
  if (outcome.kind === 'answered') process.dismiss();
  else process.kill();
  await process.endsWithin(options.limits.endMs);
  process.kill();
  return outcome;
}

function withoutRecording({ library, ...rest }: ChildOptions): ChildOptions {
  return { ...rest, library: library.kind === 'library' ? { kind: 'library', path: library.path } : library };
}
