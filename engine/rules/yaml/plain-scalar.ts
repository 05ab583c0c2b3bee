/** Scalars without quotes, which may go on over several lines. */
import { type Cursor, charAt, isBlank, isBreak, isDocumentMarker, isGap, YamlError } from './cursor.ts';
import { LineFolder } from './line-folder.ts';
import type { ScalarToken } from './token.ts';

export interface PlainContext {
  readonly isFlow: boolean;
  /** Indentation of the collection around the scalar; lines that belong to the scalar are indented further. */
  readonly indent: number;
}

/** Reads the scalar; `endsLine` tells that it ended with a line break, so that a key may follow. */
export function scanPlain(cursor: Cursor, context: PlainContext): { token: ScalarToken; endsLine: boolean } {
  const folder = new LineFolder(cursor);
  const start = cursor.offset;
  let end = start;
  while (!isDocumentMarker(cursor) && charAt(cursor) !== '#') {
    const from = cursor.offset;
    while (isPlainChar(cursor, context.isFlow)) folder.take();
    if (cursor.offset > from) end = cursor.offset;
    if (!isBlank(charAt(cursor)) && !isBreak(charAt(cursor))) break;
    skipGap(cursor, folder, context.indent + 1);
    if (!context.isFlow && cursor.column <= context.indent) break;
  }
  const token: ScalarToken = { kind: 'scalar', isPlain: true, value: folder.build(), start, end };
  return { token, endsLine: folder.isAtLineStart };
}

function isPlainChar(cursor: Cursor, isFlow: boolean): boolean {
  const char = charAt(cursor);
  if (isGap(char)) return false;
  if (char === ':' && isGap(charAt(cursor, 1))) return false;
  return !isFlow || !',?[]{}'.includes(char);
}

function skipGap(cursor: Cursor, folder: LineFolder, indent: number): void {
  for (let char = charAt(cursor); isBlank(char) || isBreak(char); char = charAt(cursor)) {
    if (char === '\t' && folder.isAtLineStart && cursor.column < indent) {
      throw new YamlError('a tab is used as indentation', 'indent with spaces', cursor.offset);
    }
    if (isBreak(char)) folder.takeBreak();
    else folder.takeBlank();
  }
}
