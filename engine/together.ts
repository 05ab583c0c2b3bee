/** Work that stands and falls together. */

type Work = (until: AbortSignal) => Promise<void>;

/**
 * Does all of it until the signal aborts. When one ends, however it does, the others are told to end as well: an engine of
 * which a part has died must not look alive. Rejects with what the first one rejected with, after all have ended.
 */
export async function together(signal: AbortSignal, works: readonly Work[]): Promise<void> {
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  const running = works.map((work) => work(until).finally(() => end.abort()));
  const ended = await Promise.allSettled(running);
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason;
}
