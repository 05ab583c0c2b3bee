/**
 * Calls of the result never overlap, whatever becomes of each. However many ask while one runs, one more run follows, and
 * it answers all of them: it begins after they asked, so it sees what they meant.
 */
export function oneAtATime<T>(task: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined;
  let waiting: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    waiting = undefined;
    const run = task();
    running = run;
    const done = () => {
      if (running === run) running = undefined;
    };
    run.then(done, done);
    return run;
  };
  return () => {
    if (running === undefined) return begin();
    waiting ??= running.then(begin, begin);
    return waiting;
  };
}
