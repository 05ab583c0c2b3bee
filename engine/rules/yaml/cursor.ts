/** A place in a YAML text that only moves forward, with the line and column that indentation is measured by. */

export interface Cursor {
  readonly source: string;
  offset: number;
  /** From 0. */
  line: number;
  /** From 0. */
  column: number;
}

/** Why a text is no YAML, and where. Thrown inside this folder only; `parseDocument` turns it into a value. */
export class YamlError extends Error {
  readonly start: number;
  readonly end: number;
  readonly fix: string;

  constructor(message: string, fix: string, start: number, end = start + 1) {
    super(message);
    this.start = start;
    this.end = end;
    this.fix = fix;
  }
}

/** The character `ahead` of the cursor; empty at the end of the text. NUL ends it too: it is no character of YAML. */
export function charAt({ source, offset }: Cursor, ahead = 0): string {
  const char = source[offset + ahead];
  return char === undefined || char === '\0' ? '' : char;
}

/** Moves over characters of one line. */
export function skip(cursor: Cursor, count = 1): void {
  cursor.offset += count;
  cursor.column += count;
}

/** Moves over one line break and returns what it means: every kind but U+2028 and U+2029 is a line feed. */
export function skipBreak(cursor: Cursor): string {
  const char = charAt(cursor);
  cursor.offset += char === '\r' && charAt(cursor, 1) === '\n' ? 2 : 1;
  cursor.line++;
  cursor.column = 0;
  return char === '\u2028' || char === '\u2029' ? char : '\n';
}

/** Moves over spaces and tabs. */
export function skipBlanks(cursor: Cursor): void {
  while (isBlank(charAt(cursor))) skip(cursor);
}

/** Moves to the end of the line. */
export function skipLine(cursor: Cursor): void {
  while (!isBreakOrEnd(charAt(cursor))) skip(cursor);
}

export function isBlank(char: string): boolean {
  return char === ' ' || char === '\t';
}

export function isBreak(char: string): boolean {
  return char === '\n' || char === '\r' || char === '\u0085' || char === '\u2028' || char === '\u2029';
}

export function isBreakOrEnd(char: string): boolean {
  return char === '' || isBreak(char);
}

export function isGap(char: string): boolean {
  return isBlank(char) || isBreakOrEnd(char);
}

export function isNameChar(char: string): boolean {
  return /^[0-9A-Za-z_-]$/.test(char);
}

/** Whether `---` or `...` stands alone at the start of the line: it ends a document wherever it is. */
export function isDocumentMarker(cursor: Cursor): boolean {
  if (cursor.column !== 0 || !isGap(charAt(cursor, 3))) return false;
  const mark = cursor.source.slice(cursor.offset, cursor.offset + 3);
  return mark === '---' || mark === '...';
}
