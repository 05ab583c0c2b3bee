/** The words and signs of an expression, cut where Prometheus cuts them. */
import type { PromqlProblem } from './problem.ts';
import { scanString } from './string-literal.ts';

type TokenKind = 'word' | 'number' | 'duration' | 'string' | 'symbol' | 'broken' | 'end';

/** [from, to) are UTF-16 offsets; only a broken token has a problem, and nothing follows it. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly problem?: PromqlProblem;
}

export interface Tokens {
  /** At least one: the last is `end` or `broken`. */
  readonly list: readonly Token[];
  readonly comments: readonly { readonly from: number; readonly to: number }[];
}

type Mode = 'expression' | 'braces' | 'brackets';
type Rule = readonly [kind: TokenKind, pattern: RegExp];

// A number runs on into what is no number, so that "5x" is reported whole.
const NUMERIC: Rule = ['number', /0[xX][\w.]*|(?:\d|\.\d)(?:[eE][+-]|[\w.])*/y];
const RULES: Readonly<Record<Mode, readonly Rule[]>> = {
  expression: [NUMERIC, ['word', /[a-zA-Z_:][\w:]*/y], ['symbol', /==|!=|<=|<\/|<|>=|>\/|>|=(?!~)|[-,*/%+^()[\]{}@]/y]],
  braces: [
    ['word', /[a-zA-Z_]\w*/y],
    ['symbol', /=~|!~|!=|[=,}]/y],
  ],
  brackets: [NUMERIC, ['word', /(?:step|range|min_of|max_of)(?![a-zA-Z_])/iy], ['symbol', /[-+*/%^(),:\]]/y]],
};
const SPACE = /[ \t\r\n]+/y;
const COMMENT = /#[^\r\n]*/y;
const DURATION = /^\d[\d.]*(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*$/;
const MODE_AFTER: Readonly<Record<string, Mode>> = { '{': 'braces', '[': 'brackets' };

interface Lexing {
  readonly expr: string;
  at: number;
  mode: Mode;
  /** Comments are allowed in brackets only after the first number. */
  hasNumber: boolean;
  readonly list: Token[];
  readonly comments: { from: number; to: number }[];
}

/** Cuts `expr` into tokens up to the first that cannot be one. */
export function tokenise(expr: string): Tokens {
  const lexing: Lexing = { expr, at: 0, mode: 'expression', hasNumber: false, list: [], comments: [] };
  let last: Token;
  do {
    skipBlank(lexing);
    last = nextToken(lexing);
    lexing.list.push(last);
    lexing.at = last.to;
    lexing.hasNumber = lexing.hasNumber || last.kind === 'number' || last.kind === 'duration';
    enterMode(lexing, last);
  } while (last.kind !== 'end' && last.kind !== 'broken');
  return { list: lexing.list, comments: lexing.comments };
}

function skipBlank(lexing: Lexing): void {
  for (;;) {
    const from = lexing.at;
    lexing.at += matchAt(SPACE, lexing)?.length ?? 0;
    const comment = lexing.mode === 'brackets' && !lexing.hasNumber ? undefined : matchAt(COMMENT, lexing);
    if (comment !== undefined) {
      lexing.comments.push({ from: lexing.at, to: lexing.at + comment.length });
      lexing.at += comment.length;
    }
    if (lexing.at === from) return;
  }
}

function enterMode(lexing: Lexing, { kind, text }: Token): void {
  if (kind !== 'symbol') return;
  if (lexing.mode === 'expression') {
    lexing.mode = MODE_AFTER[text] ?? 'expression';
    lexing.hasNumber = false;
  } else if (text === '}' || text === ']') lexing.mode = 'expression';
}

function nextToken(lexing: Lexing): Token {
  const { expr, at, mode } = lexing;
  if (at >= expr.length) return { kind: 'end', text: '', from: at, to: at };
  if (mode !== 'brackets' && /["'`]/.test(expr.charAt(at))) return stringToken(expr, at);
  for (const [kind, pattern] of RULES[mode]) {
    const text = matchAt(pattern, lexing);
    if (text === undefined) continue;
    const isDuration = kind === 'number' && DURATION.test(text);
    return { kind: isDuration ? 'duration' : kind, text, from: at, to: at + text.length };
  }
  return strangeCharacter(lexing);
}

function stringToken(expr: string, from: number): Token {
  const scanned = scanString(expr, from);
  if (scanned.ok) return { kind: 'string', text: expr.slice(from, scanned.to), from, to: scanned.to };
  return { kind: 'broken', text: expr.charAt(from), from, to: scanned.problem.to, problem: scanned.problem };
}

const PLACES = {
  expression: { where: '', fix: 'remove it' },
  braces: { where: ' inside braces', fix: 'remove it; label values are quoted' },
  brackets: { where: ' in a duration', fix: 'write a duration such as 5m' },
} as const;
/** What people write who come from another language. */
const HABITS: Readonly<Record<string, string>> = {
  '&': 'write "and"',
  '|': 'write "or"',
  '!': 'write "!=" or "unless"',
};

function strangeCharacter({ expr, at, mode }: Lexing): Token {
  const character = String.fromCodePoint(expr.codePointAt(at) ?? 0);
  const isMatcher = mode === 'expression' && /^(=~|!~)/.test(expr.slice(at, at + 2));
  const text = isMatcher ? expr.slice(at, at + 2) : character;
  const to = at + text.length;
  const { where, fix } = PLACES[mode];
  const problem = isMatcher
    ? { message: `"${text}" compares labels, inside braces`, fix: 'use == or !=, or move it into the braces' }
    : { message: `unexpected ${text === '"' ? 'quote' : `"${text}"`}${where}`, fix: HABITS[text] ?? fix };
  return { kind: 'broken', text, from: at, to, problem: { from: at, to, ...problem } };
}

function matchAt(pattern: RegExp, { expr, at }: Lexing): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(expr)?.[0];
}
