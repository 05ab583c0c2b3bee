/** Selectors: the metric name and the label matchers in braces. */
import {
  accept,
  type Cursor,
  complain,
  isSymbol,
  misplaced,
  next,
  peek,
  type Span,
  stop,
  unexpected,
} from './cursor.ts';
import { fullMatcher, regexError } from './regex.ts';
import { type StringValue, unquote } from './string-literal.ts';
import type { Token } from './tokens.ts';

export interface Matcher {
  readonly label: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** One selector of an expression; [from, to) covers the name and the braces, not a range or an offset. */
export interface Selector extends Span {
  /** The one metric it reads; undefined when matchers alone decide. */
  readonly name: string | undefined;
  /** In the order written, without the one that gave the name. */
  readonly matchers: readonly Matcher[];
}

const METRIC_NAME = '__name__';
// Go reads (?<name>…) since 1.22.
const NAMED_GROUP = /(?<!\\)\(\?</;
/** 2.42 looks for the end of a literal beyond the pattern, and misses its own closing bracket. */
const OPEN_LITERAL = /(?<!\\)\\Q(?!.*\\E)/s;
/** What 3.x takes as plain alternatives without compiling it, so that its bytes need not be UTF-8. */
const LITERALS = /^[^.*+?()[\]{}^$\\]*$/;

/** Reads a selector; `name` is its metric name, already taken, when one stands before the braces. */
export function parseSelector(cursor: Cursor, name?: Token): Span {
  const brace = peek(cursor);
  const matchers = isSymbol(brace, '{') ? parseBraces(cursor) : [];
  const from = name?.from ?? brace.from;
  const to = cursor.tokens[cursor.index - 1]?.to ?? from;
  checkSelector(cursor, { from, to }, name?.text, matchers);
  const named = name === undefined ? matchers.find(({ label, op }) => label === METRIC_NAME && op === '=') : undefined;
  cursor.selectors.push({
    name: name?.text ?? named?.value,
    matchers: matchers.filter((matcher) => matcher !== named),
    from,
    to,
  });
  return { from, to };
}

function checkSelector(cursor: Cursor, span: Span, name: string | undefined, matchers: readonly Matcher[]): void {
  const second = matchers.find(({ label }) => label === METRIC_NAME);
  if (name !== undefined && second !== undefined) {
    const fix = 'keep the name before the braces or the one inside them';
    complain(cursor, span, `the metric name is set twice, "${name}" and "${second.value}"`, fix);
  }
  if (name === undefined && !matchers.some(refusesEmpty)) {
    const text = cursor.expr.slice(span.from, span.to).replace(/\s/g, '');
    const what = text === '{}' ? '{} matches every series' : 'every matcher also matches an absent label';
    complain(cursor, span, what, 'name a metric or a label');
  }
}

/** A label that is absent is an empty one; a selector needs a matcher that excludes it. */
function refusesEmpty({ op, value }: Matcher): boolean {
  switch (op) {
    case '=':
      return value !== '';
    case '!=':
      return value === '';
    case '=~':
      return !matchesEmpty(value);
    case '!~':
      return matchesEmpty(value);
  }
}

/** A pattern that is not valid has its own problem. */
function matchesEmpty(pattern: string): boolean {
  return regexError(pattern) === undefined && fullMatcher(pattern)('');
}

function parseBraces(cursor: Cursor): Matcher[] {
  next(cursor);
  const matchers: Matcher[] = [];
  while (!isSymbol(peek(cursor), '}')) {
    matchers.push(parseMatcher(cursor));
    if (!accept(cursor, ',') && !isSymbol(peek(cursor), '}')) misplaced(cursor);
  }
  next(cursor);
  return matchers;
}

function parseMatcher(cursor: Cursor): Matcher {
  const label = peek(cursor);
  if (label.kind !== 'word' && label.kind !== 'string') {
    if (label.kind === 'end') misplaced(cursor);
    unexpected(label, 'write a label name, or close the braces');
  }
  next(cursor);
  if (label.kind === 'string') limitQuoted(cursor, label);
  const name = label.kind === 'string' ? unquote(label.text).text : label.text;
  const op = matchOperator(peek(cursor));
  if (op !== undefined) return parseValue(cursor, name, op);
  if (label.kind === 'string') return { label: METRIC_NAME, op: '=', value: name };
  if (peek(cursor).kind === 'end') misplaced(cursor);
  return unexpected(peek(cursor), `compare the label "${name}" with =, !=, =~ or !~`);
}

function limitQuoted(cursor: Cursor, { from, to }: Span): void {
  cursor.limits.push({ from, to, what: 'a quoted name', since: '3.0' });
}

function matchOperator({ kind, text }: Token): Matcher['op'] | undefined {
  return kind === 'symbol' && (text === '=' || text === '!=' || text === '=~' || text === '!~') ? text : undefined;
}

function parseValue(cursor: Cursor, label: string, op: Matcher['op']): Matcher {
  next(cursor);
  const literal = peek(cursor);
  if (literal.kind === 'word') stop(literal, 'label values are quoted', `write "${literal.text}"`);
  if (literal.kind !== 'string') {
    if (literal.kind === 'end') misplaced(cursor);
    unexpected(literal, 'write the value in quotes');
  }
  next(cursor);
  const value = unquote(literal.text);
  if (op === '=~' || op === '!~') checkRegex(cursor, literal, value);
  return { label, op, value: value.text };
}

function checkRegex(cursor: Cursor, { from, to }: Token, { text, isUtf8 }: StringValue): void {
  if (!isUtf8 && LITERALS.test(text)) {
    cursor.limits.push({ from, to, what: 'a regular expression that is not UTF-8', since: '3.0' });
    return;
  }
  if (NAMED_GROUP.test(text)) cursor.limits.push({ from, to, what: 'a group named without a P', since: '2.51' });
  if (OPEN_LITERAL.test(text)) cursor.limits.push({ from, to, what: 'a \\Q without \\E', since: '2.53' });
  const reason = isUtf8 ? regexError(text) : 'it is not UTF-8';
  if (reason === undefined) return;
  const fix = 'correct the RE2 pattern (no look-around, no back-references)';
  complain(cursor, { from, to }, `invalid regular expression: ${reason}`, fix);
}
