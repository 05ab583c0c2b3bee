/** Scalars in blocks of lines: `|` keeps the line breaks, `>` folds them. */
import {
  type Cursor,
  charAt,
  isBlank,
  isBreak,
  isBreakOrEnd,
  skip,
  skipBlanks,
  skipBreak,
  skipLine,
  YamlError,
} from './cursor.ts';
import { ScalarBuilder } from './scalar-text.ts';
import type { ScalarToken } from './token.ts';

interface Header {
  readonly chomping: string;
  /** 0 when the first line decides. */
  readonly increment: number;
}

interface Break {
  readonly text: string;
  readonly offset: number;
}

interface Block {
  readonly cursor: Cursor;
  readonly isLiteral: boolean;
  readonly builder: ScalarBuilder;
  /** Indentation of the collection around the scalar, -1 at the top. */
  readonly parentIndent: number;
  indent: number;
  /** The break that ended the last line, and the empty lines after it. */
  leading: Break[];
  trailing: Break[];
  startsWithBlank: boolean;
}

/** Reads from `|` or `>` to the last line of the block. */
export function scanBlock(cursor: Cursor, parentIndent: number): ScalarToken {
  const head = cursor.offset;
  const isLiteral = charAt(cursor) === '|';
  skip(cursor);
  const { chomping, increment } = scanHeader(cursor);
  const indent = increment === 0 ? 0 : Math.max(0, parentIndent) + increment;
  const builder = new ScalarBuilder();
  const block: Block = {
    cursor,
    isLiteral,
    builder,
    parentIndent,
    indent,
    leading: [],
    trailing: [],
    startsWithBlank: false,
  };
  skipEmptyLines(block);
  const isEmpty = cursor.column !== block.indent || charAt(cursor) === '';
  const start = isEmpty ? head : cursor.offset;
  while (cursor.column === block.indent && charAt(cursor) !== '') takeLine(block);
  if (chomping !== '-') addAll(block, block.leading);
  if (chomping === '+') addAll(block, block.trailing);
  return { kind: 'scalar', isPlain: false, value: builder.build(), start, end: isEmpty ? head + 1 : cursor.offset };
}

function scanHeader(cursor: Cursor): Header {
  const { offset: start, source } = cursor;
  const written = /^(?:[+-][1-9]?|[1-9][+-]?)?/.exec(source.slice(start, start + 2))?.[0] ?? '';
  skip(cursor, written.length);
  skipBlanks(cursor);
  if (charAt(cursor) === '#') skipLine(cursor);
  if (!isBreakOrEnd(charAt(cursor))) {
    throw new YamlError(
      'something follows on the line of "|" or ">"',
      'start the text on the next line',
      cursor.offset,
    );
  }
  if (isBreak(charAt(cursor))) skipBreak(cursor);
  return { chomping: written.replace(/\d/, ''), increment: Number(written.replace(/[+-]/, '')) };
}

function takeLine(block: Block): void {
  const { cursor, builder, isLiteral } = block;
  const startsWithBlank = isBlank(charAt(cursor));
  const isFolded = !isLiteral && !block.startsWithBlank && !startsWithBlank && block.leading[0]?.text === '\n';
  if (!isFolded) addAll(block, block.leading);
  else if (block.trailing.length === 0) builder.add(' ', block.leading[0]?.offset ?? 0);
  addAll(block, block.trailing);
  block.startsWithBlank = startsWithBlank;
  const from = cursor.offset;
  skipLine(cursor);
  builder.add(cursor.source.slice(from, cursor.offset), from);
  const { offset } = cursor;
  block.leading = isBreak(charAt(cursor)) ? [{ text: skipBreak(cursor), offset }] : [];
  block.trailing = [];
  skipEmptyLines(block);
}

function addAll({ builder }: Block, breaks: readonly Break[]): void {
  for (const { text, offset } of breaks) builder.add(text, offset);
}

/** Moves over indentation and empty lines; the first line with text decides how far the block is indented. */
function skipEmptyLines(block: Block): void {
  const { cursor } = block;
  let widest = 0;
  for (;;) {
    while (isIndentation(block) && charAt(cursor) === ' ') skip(cursor);
    widest = Math.max(widest, cursor.column);
    if (isIndentation(block) && charAt(cursor) === '\t') {
      throw new YamlError('a tab is used as indentation', 'indent with spaces', cursor.offset);
    }
    if (!isBreak(charAt(cursor))) break;
    const { offset } = cursor;
    block.trailing.push({ text: skipBreak(cursor), offset });
  }
  if (block.indent === 0) block.indent = Math.max(widest, block.parentIndent + 1, 1);
}

function isIndentation({ cursor, indent }: Block): boolean {
  return indent === 0 || cursor.column < indent;
}
