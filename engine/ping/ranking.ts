/** The few highest of many, without sorting the many. */

export interface Ranking<T> {
  add(item: T): void;
  /** The highest first; of equals the one that came first. */
  list(): readonly T[];
}

/** Keeps the `most` items with the highest rank. */
export function ranking<T>(most: number, rankOf: (item: T) => number): Ranking<T> {
  const kept: { readonly item: T; readonly rank: number }[] = [];
  return {
    add: (item) => {
      const rank = rankOf(item);
      if (kept.length === most && rank <= (kept.at(-1)?.rank ?? 0)) return;
      const above = kept.findLastIndex((other) => other.rank >= rank);
      kept.splice(above + 1, 0, { item, rank });
      if (kept.length > most) kept.pop();
    },
    list: () => kept.map(({ item }) => item),
  };
}
