/** Calls of the result run one after another, in the order in which they were asked for, whatever becomes of each. */
export function oneAtATime<T>(task: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(task, task);
    last = next;
    return next;
  };
}
