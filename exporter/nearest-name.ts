/** Suggestions for misspelt names. */

const maxEdits = 3;

/**
 * The candidates closest to `name`, at most `count` of them, the closest first. Case does not count. A name that lacks its
 * beginning, `GPU_TEMP`, finds those that end in it.
 */
export function nearestNames(name: string, candidates: readonly string[], count = 3): readonly string[] {
  const wanted = name.toLowerCase();
  const allowed = Math.min(maxEdits, Math.floor(wanted.length / 3));
  const close = candidates
    .map((candidate) => ({ candidate, edits: editsWithin(wanted, candidate.toLowerCase(), allowed) }))
    .filter(({ edits }) => edits <= allowed)
    .toSorted((left, right) => left.edits - right.edits);
  const best = close.filter(({ edits }) => edits <= (close[0]?.edits ?? 0) + 1).map(({ candidate }) => candidate);
  return (best.length > 0 ? best : endingIn(wanted, candidates)).slice(0, count);
}

function endingIn(wanted: string, candidates: readonly string[]): readonly string[] {
  if (wanted.length < 4) return [];
  return candidates.filter((candidate) => candidate.toLowerCase().endsWith(`_${wanted}`));
}

// Names whose lengths already differ too much are not compared: that also bounds the work for a name of a million letters.
function editsWithin(left: string, right: string, allowed: number): number {
  return Math.abs(left.length - right.length) > allowed ? Infinity : edits(left, right);
}

// Insertions, deletions, replacements and swaps of neighbours that turn one into the other: the optimal string alignment distance.
function edits(left: string, right: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = at(last, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const isSwap = column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const swapped = isSwap ? at(beforeLast, column - 2) + 1 : Infinity;
      current.push(Math.min(replaced, swapped, at(last, column) + 1, at(current, column - 1) + 1));
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
