/** Comments and blank space between the words of YAML. */
import { type Cursor, charAt, isBlank, isBreak, skip, skipBreak, skipLine } from './cursor.ts';

// The reader of Prometheus looks no further for a comment than this.
const LOOK_AHEAD = 512;

export interface GapContext {
  readonly isFlow: boolean;
  /** Tabs must not indent what may be a key. */
  mayStartKey: boolean;
}

/** Moves to the next word; a new line in a block makes a key possible. */
export function skipGap(cursor: Cursor, context: GapContext): void {
  for (;;) {
    while (charAt(cursor) === ' ' || (charAt(cursor) === '\t' && (context.isFlow || !context.mayStartKey)))
      skip(cursor);
    if (charAt(cursor) === '#') skipComments(cursor);
    if (!isBreak(charAt(cursor))) return;
    skipBreak(cursor);
    if (!context.isFlow) context.mayStartKey = true;
  }
}

/** Moves over the comment at the cursor, and those on the lines after it. */
function skipComments(cursor: Cursor): void {
  for (let ahead = 0; ahead !== -1; ahead = nextComment(cursor)) {
    const target = cursor.offset + ahead;
    while (cursor.offset < target) {
      if (isBreak(charAt(cursor))) skipBreak(cursor);
      else skip(cursor);
    }
    skipLine(cursor);
  }
}

function nextComment(cursor: Cursor): number {
  for (let ahead = 1; ahead < LOOK_AHEAD; ahead++) {
    const char = charAt(cursor, ahead);
    if (char === '#') return ahead;
    if (!isBlank(char) && !isBreak(char)) return -1;
  }
  return -1;
}

/** Moves over a comment on the line of the word that was just read. */
export function skipTrailingComment(cursor: Cursor): void {
  if (isAtLineStart(cursor)) return;
  for (let ahead = 0; ahead < LOOK_AHEAD; ahead++) {
    const char = charAt(cursor, ahead);
    if (isBlank(char)) continue;
    if (char === '#') skipLine(cursor);
    return;
  }
}

function isAtLineStart({ source, offset }: Cursor): boolean {
  let before = offset - 1;
  while (isBlank(source[before] ?? '')) before--;
  return before < 0 || isBreak(source[before] ?? '');
}
