/** Lists of label names in brackets, as `by`, `without`, `on`, `ignoring` and `group_left` take them. */
import {
  accept,
  type Cursor,
  complain,
  expectSymbol,
  isKeyword,
  isSymbol,
  misplaced,
  next,
  peek,
  unexpected,
} from './cursor.ts';
import { unquote } from './string-literal.ts';
import type { Token } from './tokens.ts';

const LEGACY_NAME = /^[a-zA-Z_]\w*$/;

/** Reads the bracketed list; every other keyword may be a label name too. */
export function parseGrouping(cursor: Cursor): readonly string[] {
  const token = peek(cursor);
  if (!isSymbol(token, '(') && token.kind !== 'end')
    unexpected(token, 'write the labels in brackets, such as (instance)');
  expectSymbol(cursor, '(');
  const labels: string[] = [];
  while (!isSymbol(peek(cursor), ')')) {
    labels.push(parseLabel(cursor));
    if (!accept(cursor, ',') && !isSymbol(peek(cursor), ')')) misplaced(cursor);
  }
  next(cursor);
  return labels;
}

function parseLabel(cursor: Cursor): string {
  const token = peek(cursor);
  if (token.kind === 'end') misplaced(cursor);
  const isName = token.kind === 'string' || (token.kind === 'word' && !isKeyword(token, 'without', 'inf', 'nan'));
  if (!isName) unexpected(token, 'write a label name here');
  next(cursor);
  return token.kind === 'string' ? quotedLabel(cursor, token) : bareLabel(cursor, token);
}

function bareLabel(cursor: Cursor, { from, to, text }: Token): string {
  if (!LEGACY_NAME.test(text)) cursor.limits.push({ from, to, what: 'a colon in a label name', since: '3.0' });
  return text;
}

function quotedLabel(cursor: Cursor, { from, to, text: literal }: Token): string {
  const { text, isUtf8 } = unquote(literal);
  cursor.limits.push({ from, to, what: 'a quoted label name', since: '3.0' });
  if (text === '' || !isUtf8)
    complain(cursor, { from, to }, `${literal} is not a label name`, 'write the name of a label');
  return text;
}
