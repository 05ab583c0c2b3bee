/** Waiting that ends: for a time, or for work that may never be done. */

import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after `ms`, or as soon as `signal` aborts. Holds the process open meanwhile. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/**
 * What `work` comes to, or undefined when it takes longer than `ms`. Unless `ref` says so the timer does not hold the process
 * open: work that never ends must not keep it from ending.
 */
export async function firstWithin<T>(
  work: Promise<T>,
  ms: number,
  { ref = false }: { readonly ref?: boolean } = {},
): Promise<T | undefined> {
  const timer = new AbortController();
  const late = delay(ms, undefined, { ref, signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
