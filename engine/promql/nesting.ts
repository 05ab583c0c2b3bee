/** The guard against an expression that nests deeper than the parser's own stack. */
import { type Cursor, peek, stop } from './cursor.ts';

// Far above any expression a person wrote, and far below what the stack of the runtime holds.
const MAX_DEPTH = 250;

/** Runs `parse` one level deeper, or ends the parse where the nesting is absurd. */
export function descend<Result>(cursor: Cursor, parse: () => Result): Result {
  if (cursor.depth >= MAX_DEPTH) {
    const { from, to } = peek(cursor);
    stop({ from, to }, `the expression is nested more than ${MAX_DEPTH} levels deep`, 'use a recording rule');
  }
  cursor.depth += 1;
  const result = parse();
  cursor.depth -= 1;
  return result;
}
