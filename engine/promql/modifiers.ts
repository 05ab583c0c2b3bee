/** What may follow a selector: a range, a subquery, `offset` and `@`. */
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
  previous,
  type Span,
  stop,
  unexpected,
} from './cursor.ts';
import { parseOffsetDuration, parsePositiveDuration } from './duration-expression.ts';
import { readDuration, readNumber } from './number-literal.ts';
import { type Operand, typeName } from './operand.ts';

/** Everything that binds to `base` alone, in the order written. */
export function parseModifiers(cursor: Cursor, base: Operand): Operand {
  let result = base;
  for (;;) {
    const token = peek(cursor);
    if (isSymbol(token, '[')) result = parseBrackets(cursor, result);
    else if (isKeyword(token, 'offset')) result = parseOffset(cursor, result);
    else if (isSymbol(token, '@')) result = parseAt(cursor, result);
    else if (isKeyword(token, 'anchored', 'smoothed')) refuseExtended(cursor);
    else return result;
  }
}

function refuseExtended(cursor: Cursor): never {
  const token = peek(cursor);
  const fix = 'remove it: it needs --enable-feature=promql-extended-range-selectors';
  return stop(token, `"${token.text}" is an experimental modifier`, fix);
}

function parseBrackets(cursor: Cursor, base: Operand): Operand {
  const opening = next(cursor);
  parsePositiveDuration(cursor);
  const isSubquery = accept(cursor, ':') !== undefined;
  if (isSubquery && !isSymbol(peek(cursor), ']')) parsePositiveDuration(cursor);
  const span = { from: base.from, to: expectSymbol(cursor, ']').to };
  if (isSubquery) {
    checkSubquery(cursor, base);
    return { ...span, form: 'subquery', type: 'range', offset: 'none', at: 'none' };
  }
  checkRange(cursor, base, { from: opening.from, to: span.to });
  return { ...base, ...span, form: 'range', type: 'range' };
}

function checkSubquery(cursor: Cursor, base: Operand): void {
  if (base.type === 'vector') return;
  const message = `a subquery needs an instant vector before it, this is ${typeName(base.type)}`;
  complain(cursor, base, message, 'put it after a vector: max_over_time(rate(up[5m])[1h:1m])');
}

function checkRange(cursor: Cursor, base: Operand, brackets: Span): void {
  if (base.form !== 'selector') {
    const fix = 'put it on the selector, or write a subquery such as [5m:]';
    complain(cursor, brackets, 'a range is only allowed on a selector', fix);
  } else if (base.offset === 'literal') {
    complain(cursor, brackets, 'the range must come before the offset', 'write up[5m] offset 1h');
  } else if (base.at === 'time') {
    complain(cursor, brackets, 'the range must come before the @', 'write up[5m] @ 1700000000');
  }
}

function parseOffset(cursor: Cursor, base: Operand): Operand {
  const keyword = next(cursor);
  const { seconds } = parseOffsetDuration(cursor);
  const span = { from: base.from, to: previous(cursor)?.to ?? keyword.to };
  if (base.form === 'other') {
    refuseModifier(cursor, base, 'offset');
    return { ...base, ...span };
  }
  if (base.offset !== 'none') complain(cursor, keyword, 'the offset is set twice', 'keep one of the two');
  return { ...base, ...span, offset: offsetOf(seconds) };
}

function offsetOf(seconds: number | undefined): Operand['offset'] {
  if (seconds === undefined) return 'computed';
  return Math.round(seconds * 1e9) === 0 ? 'none' : 'literal';
}

function refuseModifier(cursor: Cursor, base: Operand, modifier: string): void {
  const message = `${modifier} is only allowed on a selector, a range or a subquery`;
  complain(cursor, base, message, `move the ${modifier} to the selector inside`);
}

function parseAt(cursor: Cursor, base: Operand): Operand {
  const sign = next(cursor);
  const at = isKeyword(peek(cursor), 'start', 'end') ? parseEdge(cursor) : parseTime(cursor);
  const span = { from: base.from, to: previous(cursor)?.to ?? sign.to };
  if (base.form === 'other') {
    refuseModifier(cursor, base, '@');
    return { ...base, ...span };
  }
  if (base.at !== 'none') complain(cursor, sign, 'the @ is set twice', 'keep one of the two');
  return { ...base, ...span, at };
}

function parseEdge(cursor: Cursor): 'edge' {
  next(cursor);
  expectSymbol(cursor, '(');
  expectSymbol(cursor, ')');
  return 'edge';
}

const MAX_TIME = 2 ** 63;

function parseTime(cursor: Cursor): 'time' {
  if (!accept(cursor, '-')) accept(cursor, '+');
  const token = peek(cursor);
  const isNumber = token.kind === 'number' || token.kind === 'duration' || isKeyword(token, 'inf', 'nan');
  if (token.kind === 'end') misplaced(cursor);
  if (!isNumber) unexpected(token, 'write a Unix time in seconds, start() or end() after the @');
  next(cursor);
  const what = token.kind === 'duration' ? 'a duration as a time' : '"_" between digits';
  if (token.kind === 'duration' || token.text.includes('_')) {
    cursor.limits.push({ from: token.from, to: token.to, what, since: '2.54' });
  }
  const read = token.kind === 'duration' ? readDuration(token.text) : readNumber(token.text);
  if (!read.ok && token.kind !== 'word') stop(token, read.message, read.fix);
  if (read.ok && Math.abs(read.value) < MAX_TIME) return 'time';
  complain(cursor, token, `${token.text} is not a time`, 'write a Unix time in seconds, start() or end()');
  return 'time';
}
