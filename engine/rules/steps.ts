/** Long work cut into steps: done at once, or with room for other work in between. */
import { setImmediate } from 'node:timers/promises';

/** Yields wherever it may pause; returns its result. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Gateways are answered this often while rules are loaded. */
const SLICE_MS = 8;

export function atOnce<Result>(steps: Steps<Result>): Result {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Lets everything that waits have its turn after each slice of the work. Rejects with what the work throws. */
export async function gently<Result>(steps: Steps<Result>): Promise<Result> {
  let until = performance.now() + SLICE_MS;
  let step = steps.next();
  while (!step.done) {
    if (performance.now() >= until) {
      await setImmediate();
      until = performance.now() + SLICE_MS;
    }
    step = steps.next();
  }
  return step.value;
}
