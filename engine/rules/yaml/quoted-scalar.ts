/** Scalars in single or double quotes. */
import { type Cursor, charAt, isBlank, isBreak, isDocumentMarker, isGap, skip, YamlError } from './cursor.ts';
import { LineFolder } from './line-folder.ts';
import type { ScalarToken } from './token.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
};

const CODE_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Reads from the opening quote to the closing one. */
export function scanQuoted(cursor: Cursor): ScalarToken {
  const start = cursor.offset;
  const quote = charAt(cursor);
  const folder = new LineFolder(cursor);
  skip(cursor);
  while (charAt(cursor) !== quote || isDoubled(cursor)) {
    checkOpen(cursor, start);
    if (isGap(charAt(cursor))) takeGap(cursor, folder);
    else if (quote === '"' && charAt(cursor) === '\\') takeEscape(cursor, folder);
    else if (quote === "'" && isDoubled(cursor)) folder.take("'", 2);
    else folder.take();
  }
  folder.join();
  skip(cursor);
  return { kind: 'scalar', isPlain: false, value: folder.build(), start, end: cursor.offset };
}

function isDoubled(cursor: Cursor): boolean {
  return charAt(cursor) === "'" && charAt(cursor, 1) === "'";
}

function checkOpen(cursor: Cursor, start: number): void {
  if (isDocumentMarker(cursor)) {
    throw new YamlError('a document marker stands inside a quoted text', 'close the quote before it', cursor.offset);
  }
  if (charAt(cursor) === '') throw new YamlError('the quote is never closed', 'close it', start);
}

function takeGap(cursor: Cursor, folder: LineFolder): void {
  for (let char = charAt(cursor); isBlank(char) || isBreak(char); char = charAt(cursor)) {
    if (isBreak(char)) folder.takeBreak();
    else folder.takeBlank();
  }
}

function takeEscape(cursor: Cursor, folder: LineFolder): void {
  const name = charAt(cursor, 1);
  if (isBreak(name)) {
    folder.takeEscapedBreak();
    takeGap(cursor, folder);
    return;
  }
  const length = CODE_LENGTHS[name];
  if (length === undefined) folder.take(escaped(cursor, name), 2);
  else folder.take(codePoint(cursor, length), 2 + length);
}

function escaped({ offset }: Cursor, name: string): string {
  const text = Object.hasOwn(ESCAPES, name) ? ESCAPES[name] : undefined;
  if (text !== undefined) return text;
  throw new YamlError(`"\\${name}" is no escape`, 'double the backslash, or use single quotes', offset, offset + 2);
}

function codePoint(cursor: Cursor, length: number): string {
  const start = cursor.offset + 2;
  const digits = cursor.source.slice(start, start + length);
  const value = /^[0-9a-fA-F]+$/.test(digits) && digits.length === length ? Number.parseInt(digits, 16) : Number.NaN;
  if (value <= 0x10ffff && (value < 0xd800 || value > 0xdfff)) return String.fromCodePoint(value);
  const fix = `write ${length} hexadecimal digits of a Unicode character`;
  throw new YamlError('the escape names no character', fix, cursor.offset, start + length);
}
