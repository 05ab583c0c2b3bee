/** What may stand before a value or a document: anchors, aliases, tags and directives. */
import {
  type Cursor,
  charAt,
  isBlank,
  isBreak,
  isBreakOrEnd,
  isGap,
  isNameChar,
  skip,
  skipBlanks,
  skipBreak,
  skipLine,
  YamlError,
} from './cursor.ts';
import type { DirectiveToken, NameToken, TagToken } from './token.ts';

/** Reads `&name` or `*name`. */
export function scanName(cursor: Cursor): NameToken {
  const start = cursor.offset;
  const kind = charAt(cursor) === '&' ? 'anchor' : 'alias';
  skip(cursor);
  const name = scanWord(cursor);
  const next = charAt(cursor);
  if (name !== '' && (isGap(next) || '?:,]}%@`'.includes(next))) return { kind, name, start, end: cursor.offset };
  const fix = `use letters, digits, - and _ for the name of the ${kind}, and quote a text that starts with "${kind === 'anchor' ? '&' : '*'}"`;
  throw new YamlError(`this is no ${kind}`, fix, start, cursor.offset + 1);
}

/** Reads `!suffix`, `!handle!suffix`, `!<uri>` or a lone `!`. */
export function scanTag(cursor: Cursor): TagToken {
  const start = cursor.offset;
  const parts = charAt(cursor, 1) === '<' ? scanVerbatim(cursor) : scanShorthand(cursor);
  if (!isGap(charAt(cursor))) throw tagError(cursor, start);
  return { kind: 'tag', ...parts, start, end: cursor.offset };
}

function scanVerbatim(cursor: Cursor): { handle: string; suffix: string } {
  const start = cursor.offset;
  skip(cursor, 2);
  const suffix = scanUri(cursor);
  if (suffix === '' || charAt(cursor) !== '>') throw tagError(cursor, start);
  skip(cursor);
  return { handle: '', suffix };
}

function scanShorthand(cursor: Cursor): { handle: string; suffix: string } {
  const start = cursor.offset;
  const handle = scanHandle(cursor);
  const rest = scanUri(cursor);
  if (handle.length > 1 && handle.endsWith('!')) {
    if (rest === '') throw tagError(cursor, start);
    return { handle, suffix: rest };
  }
  const suffix = handle.slice(1) + rest;
  return suffix === '' ? { handle: '', suffix: '!' } : { handle: '!', suffix };
}

function scanHandle(cursor: Cursor): string {
  skip(cursor);
  const word = scanWord(cursor);
  if (charAt(cursor) !== '!') return `!${word}`;
  skip(cursor);
  return `!${word}!`;
}

function scanUri(cursor: Cursor): string {
  const start = cursor.offset;
  for (let char = charAt(cursor); char !== '' && /[\w\-;/?:@&=+$,.!~*'()[\]%]/.test(char); char = charAt(cursor)) {
    if (char === '%' && !/^%[0-9a-fA-F]{2}/.test(cursor.source.slice(cursor.offset, cursor.offset + 3))) {
      throw tagError(cursor, start);
    }
    skip(cursor);
  }
  return cursor.source.slice(start, cursor.offset);
}

function tagError(cursor: Cursor, start: number): YamlError {
  return new YamlError('this is no tag', 'remove it, or quote a text that starts with "!"', start, cursor.offset + 1);
}

/** Reads the line of a `%YAML` or `%TAG` directive. */
export function scanDirective(cursor: Cursor): DirectiveToken {
  const start = cursor.offset;
  skip(cursor);
  const name = scanWord(cursor);
  skipBlanks(cursor);
  const directive = directiveOf(cursor, name, start);
  const end = cursor.offset;
  skipBlanks(cursor);
  if (charAt(cursor) === '#') skipLine(cursor);
  if (!isBreakOrEnd(charAt(cursor))) throw directiveError(start, cursor.offset);
  if (isBreak(charAt(cursor))) skipBreak(cursor);
  return { ...directive, start, end };
}

function directiveOf(cursor: Cursor, name: string, start: number) {
  if (name === 'YAML') return { kind: '%YAML' as const, version: scanVersion(cursor, start) };
  if (name !== 'TAG' || charAt(cursor) !== '!') throw directiveError(start, cursor.offset);
  const handle = scanHandle(cursor);
  if ((handle !== '!' && !handle.endsWith('!')) || !isBlank(charAt(cursor))) throw directiveError(start, cursor.offset);
  skipBlanks(cursor);
  const prefix = scanUri(cursor);
  if (prefix === '' || !isGap(charAt(cursor))) throw directiveError(start, cursor.offset);
  return { kind: '%TAG' as const, handle, prefix };
}

function scanVersion(cursor: Cursor, start: number): string {
  const version = /^\d{1,2}\.\d{1,2}(?!\d)/.exec(cursor.source.slice(cursor.offset, cursor.offset + 6))?.[0];
  if (version === undefined) throw directiveError(start, cursor.offset);
  skip(cursor, version.length);
  return version;
}

function directiveError(start: number, end: number): YamlError {
  return new YamlError(
    'this is no directive of YAML',
    'remove the line, or quote a text that starts with "%"',
    start,
    end,
  );
}

function scanWord(cursor: Cursor): string {
  const start = cursor.offset;
  while (isNameChar(charAt(cursor))) skip(cursor);
  return cursor.source.slice(start, cursor.offset);
}
