/** Where a parse stands: the tokens, what was found so far, and the words for what does not fit. */
import { type PromqlProblem, SyntaxStop, type VersionLimit } from './problem.ts';
import type { Selector } from './selector.ts';
import { type Token, tokenise } from './tokens.ts';

/** One parse of one expression; only its own functions change it. */
export interface Cursor {
  readonly expr: string;
  readonly tokens: readonly Token[];
  index: number;
  depth: number;
  /** Brackets that are open, the innermost last. */
  readonly open: Token[];
  /** Problems of types and values; a syntax error ends the parse instead. */
  readonly problems: PromqlProblem[];
  readonly selectors: Selector[];
  readonly limits: VersionLimit[];
}

/** [from, to) of something in the expression. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export function startAt(expr: string): Cursor {
  const tokens = tokenise(expr).list;
  return { expr, tokens, index: 0, depth: 0, open: [], problems: [], selectors: [], limits: [] };
}

const END: Token = { kind: 'end', text: '', from: 0, to: 0 };

/** The token ahead, or the one `distance` after it. */
export function peek(cursor: Cursor, distance = 0): Token {
  return cursor.tokens[cursor.index + distance] ?? cursor.tokens.at(-1) ?? END;
}

export function previous(cursor: Cursor): Token | undefined {
  return cursor.tokens[cursor.index - 1];
}

export function next(cursor: Cursor): Token {
  const token = peek(cursor);
  if (token.kind === 'symbol' && /^[([{]$/.test(token.text)) cursor.open.push(token);
  if (token.kind === 'symbol' && /^[)\]}]$/.test(token.text)) cursor.open.pop();
  cursor.index += 1;
  return token;
}

export function isSymbol({ kind, text }: Token, symbol: string): boolean {
  return kind === 'symbol' && text === symbol;
}

/** Whether the token is the keyword; keywords ignore case. */
export function isKeyword({ kind, text }: Token, ...words: readonly string[]): boolean {
  return kind === 'word' && words.includes(text.toLowerCase());
}

export function accept(cursor: Cursor, symbol: string): Token | undefined {
  return isSymbol(peek(cursor), symbol) ? next(cursor) : undefined;
}

/** The given symbol, or the end of the parse: what stands there instead is reported. */
export function expectSymbol(cursor: Cursor, symbol: string): Token {
  const isCloser = /^[)\]}:]$/.test(peek(cursor).text);
  return accept(cursor, symbol) ?? misplaced(cursor, isCloser ? `add "${symbol}" before it` : undefined);
}

export function complain(cursor: Cursor, { from, to }: Span, message: string, fix: string): void {
  cursor.problems.push({ from, to, message, fix });
}

/** Ends the parse with what is wrong at `span`. */
export function stop({ from, to }: Span, message: string, fix: string): never {
  throw new SyntaxStop({ from, to, message, fix });
}

/** Ends the parse where a name, a number or a bracketed expression is missing. */
export function missingOperand(cursor: Cursor, fix?: string): never {
  const token = peek(cursor);
  refuseBroken(token);
  const before = previous(cursor);
  if (token.kind === 'end') {
    refuseUnclosed(cursor, before !== undefined && !isOpener(before));
    const whole = { from: 0, to: cursor.expr.length };
    if (before === undefined) stop(whole, 'the expression is empty', 'write a PromQL expression');
    stop(before, `${quoted(before)} needs something after it`, 'complete the expression');
  }
  if (/^[)\]},]$/.test(token.text)) somethingMissing(token, 'add what belongs there, or remove what comes before it');
  unexpected(token, fix);
}

/** Ends the parse at a token that cannot follow what came before it. */
export function misplaced(cursor: Cursor, fix?: string): never {
  const token = peek(cursor);
  refuseBroken(token);
  if (token.kind === 'end') {
    refuseUnclosed(cursor, false);
    const before = previous(cursor) ?? token;
    stop(before, `${quoted(before)} needs something after it`, 'complete the expression');
  }
  const isOpen = cursor.open.length > 0;
  if (token.kind !== 'symbol' || /^[({]$/.test(token.text)) somethingMissing(token, fix);
  if (isOpen && /^[)\]}]$/.test(token.text)) somethingMissing(token, fix);
  unexpected(token);
}

function somethingMissing(token: Token, fix = 'add an operator or a comma'): never {
  stop(token, `something is missing before ${quoted(token)}`, fix);
}

/** Ends the parse at a token that has no place here. */
export function unexpected(token: Token, fix = 'remove it, or add what joins it to the expression'): never {
  refuseBroken(token);
  stop(token, `unexpected ${quoted(token)}`, fix);
}

/** A string has its own quotes. */
function quoted({ kind, text }: Token): string {
  return kind === 'string' ? text : `"${text}"`;
}

function refuseBroken({ problem }: Token): void {
  if (problem !== undefined) throw new SyntaxStop(problem);
}

const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

function isOpener({ kind, text }: Token): boolean {
  return kind === 'symbol' && text in CLOSERS;
}

/** An operator right before the end matters more to its writer than the bracket around it. */
function refuseUnclosed(cursor: Cursor, hasOperator: boolean): void {
  const opener = cursor.open.at(-1);
  if (opener === undefined || hasOperator) return;
  stop(opener, `"${opener.text}" is never closed`, `add the missing "${CLOSERS[opener.text]}"`);
}
