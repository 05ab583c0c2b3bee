/** One limit for all of a piece of work, whichever part of it is slow. */

/** `late`: the time was over first. `stopped`: the caller gave up. */
export type Ending<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'late' }
  | { readonly kind: 'stopped' };

// Made once: an error looks up where it was made, and every ping ends.
const OVER = new Error('the time for this is over');

/**
 * Does the work, but waits no longer than `ms` and until `stop`. The signal that the work gets fires in any case when this
 * returns, so nothing it opened outlives it. No timer and no listener is left. Rejects only as the work does.
 */
export async function withinTime<T>(
  ms: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Ending<T>> {
  const over = new AbortController();
  const ended = Promise.withResolvers<Ending<T>>();
  const end = (kind: 'late' | 'stopped') => () => {
    ended.resolve({ kind });
    over.abort(OVER);
  };
  const [onLate, onStop] = [end('late'), end('stopped')];
  const timer = setTimeout(onLate, ms);
  stop.addEventListener('abort', onStop);
  try {
    if (stop.aborted) return { kind: 'stopped' };
    const done = work(over.signal).then((value): Ending<T> => ({ kind: 'done', value }));
    return await Promise.race([ended.promise, done]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', onStop);
    over.abort(OVER);
  }
}
