/** Two reasons to give up, of which one outlives the work. */

/** The signal that the work gets fires when one of the two does. No listener is left on them, which AbortSignal.any would. */
export async function untilEither<T>(
  one: AbortSignal,
  other: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const end = () => either.abort();
  if (one.aborted || other.aborted) end();
  one.addEventListener('abort', end);
  other.addEventListener('abort', end);
  try {
    return await work(either.signal);
  } finally {
    one.removeEventListener('abort', end);
    other.removeEventListener('abort', end);
  }
}
