/** Durations in brackets and after `offset`: literals, numbers of seconds, and since 3.14 arithmetic on them. */
import {
  accept,
  type Cursor,
  complain,
  expectSymbol,
  isKeyword,
  isSymbol,
  missingOperand,
  next,
  peek,
  type Span,
  stop,
} from './cursor.ts';
import { descend } from './nesting.ts';
import { durationRangeError, readDuration, readNumber } from './number-literal.ts';
import type { Token } from './tokens.ts';

/** A duration of the expression; the seconds are known only for a literal. */
export interface Duration extends Span {
  readonly seconds?: number;
}

const PRECEDENCE: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 };
const SIGN_PRECEDENCE = 3;

/** A duration in brackets; one that is known must be greater than zero. */
export function parsePositiveDuration(cursor: Cursor): Duration {
  const duration = parseArithmetic(cursor, 0);
  if (duration.seconds !== undefined && duration.seconds <= 0) {
    complain(cursor, duration, 'the duration must be greater than 0', 'write a duration such as 5m');
  }
  return duration;
}

/**
 * A duration after `offset`. What starts with a literal ends there, so that `a offset 5m + b` adds b; only a duration that
 * starts with a bracket goes on into arithmetic.
 */
export function parseOffsetDuration(cursor: Cursor): Duration {
  const sign = isSign(peek(cursor)) ? next(cursor) : undefined;
  const token = peek(cursor);
  if (sign !== undefined && isSign(token)) {
    cursor.index -= 1;
    return parseArithmetic(cursor, 0);
  }
  if (sign === undefined && isSymbol(token, '(')) return parseArithmetic(cursor, 0);
  if (sign !== undefined && isSymbol(token, '(')) return parseSignedParentheses(cursor, sign);
  const duration = parsePrimary(cursor);
  return sign === undefined ? duration : applySign(cursor, sign, duration);
}

function parseSignedParentheses(cursor: Cursor, sign: Token): Duration {
  next(cursor);
  const duration = parseArithmetic(cursor, 0);
  expectSymbol(cursor, ')');
  // A literal alone was accepted here long before arithmetic was.
  if (duration.seconds !== undefined) limit(cursor, sign, 'a duration in brackets', '3.6');
  return applySign(cursor, sign, duration);
}

function parseArithmetic(cursor: Cursor, least: number): Duration {
  return descend(cursor, () => {
    let left = isSign(peek(cursor)) ? parseSigned(cursor) : parsePrimary(cursor);
    for (;;) {
      const operator = peek(cursor);
      const precedence = operator.kind === 'symbol' ? PRECEDENCE[operator.text] : undefined;
      if (precedence === undefined || precedence < least) return left;
      next(cursor);
      const right = parseArithmetic(cursor, operator.text === '^' ? precedence : precedence + 1);
      checkDivision(cursor, operator, right);
      limit(cursor, operator, 'arithmetic on durations', '3.14');
      left = { from: left.from, to: right.to };
    }
  });
}

function checkDivision(cursor: Cursor, operator: Token, right: Duration): void {
  if (right.seconds !== 0 || !/^[/%]$/.test(operator.text)) return;
  complain(cursor, operator, 'a duration is divided by zero', 'divide by another number');
}

function parseSigned(cursor: Cursor): Duration {
  const sign = next(cursor);
  return applySign(cursor, sign, parseArithmetic(cursor, SIGN_PRECEDENCE));
}

function applySign(cursor: Cursor, sign: Token, { to, seconds }: Duration): Duration {
  if (seconds === undefined) return { from: sign.from, to };
  // 2.42 knows one sign, the minus of an offset.
  const isOld = sign.text === '-' && isKeyword(cursor.tokens[cursor.tokens.indexOf(sign) - 1] ?? sign, 'offset');
  if (!isOld) limit(cursor, sign, 'a signed duration', '3.4');
  return { from: sign.from, to, seconds: sign.text === '-' ? -seconds : seconds };
}

function parsePrimary(cursor: Cursor): Duration {
  const token = peek(cursor);
  if (token.kind === 'number' || token.kind === 'duration' || isKeyword(token, 'inf', 'nan'))
    return parseLiteral(cursor);
  if (isKeyword(token, 'step', 'range', 'min_of', 'max_of')) return parseCall(cursor);
  const opening = accept(cursor, '(');
  if (opening === undefined) return missingOperand(cursor, 'write a duration such as 5m');
  const { seconds } = parseArithmetic(cursor, 0);
  const { to } = expectSymbol(cursor, ')');
  limit(cursor, opening, 'a duration in brackets', '3.14');
  return { from: opening.from, to, ...(seconds === undefined ? {} : { seconds }) };
}

function parseCall(cursor: Cursor): Duration {
  const name = next(cursor);
  limit(cursor, name, `${name.text}() as a duration`, '3.14');
  expectSymbol(cursor, '(');
  if (isKeyword(name, 'min_of', 'max_of')) {
    parseArithmetic(cursor, 0);
    expectSymbol(cursor, ',');
    parseArithmetic(cursor, 0);
  }
  return { from: name.from, to: expectSymbol(cursor, ')').to };
}

function parseLiteral(cursor: Cursor): Duration {
  const token = next(cursor);
  const seconds = literalSeconds(token);
  if (token.kind !== 'duration') limit(cursor, token, 'a number as a duration', '2.54');
  else if (seconds === 0) limit(cursor, token, 'a duration of zero', '2.54');
  const error = durationRangeError(seconds);
  if (error !== undefined) complain(cursor, token, error.message, error.fix);
  return { from: token.from, to: token.to, seconds };
}

function literalSeconds(token: Token): number {
  if (token.kind === 'word') return token.text.toLowerCase() === 'inf' ? Infinity : NaN;
  const read = token.kind === 'duration' ? readDuration(token.text) : readNumber(token.text);
  return read.ok ? read.value : stop(token, read.message, read.fix);
}

function isSign({ kind, text }: Token): boolean {
  return kind === 'symbol' && (text === '-' || text === '+');
}

function limit(cursor: Cursor, { from, to }: Span, what: string, since: string): void {
  cursor.limits.push({ from, to, what, since });
}
