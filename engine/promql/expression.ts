/** The grammar of PromQL, one expression at a time, with the precedences of Prometheus' own parser. */
import { combine, OPERAND_OF_SIGN, parseOperator, precedenceOf } from './binary.ts';
import { isAggregation, parseAggregation, parseCall } from './call.ts';
import {
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
import { parseModifiers } from './modifiers.ts';
import { descend } from './nesting.ts';
import { readDuration, readNumber } from './number-literal.ts';
import { type Operand, operand, typeName } from './operand.ts';
import { parseSelector } from './selector.ts';

/** An expression whose operators bind at least as tightly as `least`. */
export function parseExpression(cursor: Cursor, least = 0): Operand {
  return descend(cursor, () => {
    let left = parseOperand(cursor);
    for (;;) {
      const precedence = precedenceOf(peek(cursor));
      if (precedence === undefined || precedence < least) return left;
      const operator = parseOperator(cursor);
      const right = parseExpression(cursor, operator.name === '^' ? precedence : precedence + 1);
      left = combine(cursor, left, operator, right);
    }
  });
}

function parseOperand(cursor: Cursor): Operand {
  const token = peek(cursor);
  if (isSymbol(token, '-') || isSymbol(token, '+')) return parseSigned(cursor);
  return parseModifiers(cursor, parsePrimary(cursor));
}

function parseSigned(cursor: Cursor): Operand {
  const sign = next(cursor);
  const { type, from, to } = parseExpression(cursor, OPERAND_OF_SIGN);
  if (type !== 'number' && type !== 'vector') {
    const message = `"${sign.text}" takes an instant vector or a number, this is ${typeName(type)}`;
    complain(cursor, { from, to }, message, 'remove the sign, or put it before the function around this');
  }
  return operand({ from: sign.from, to }, type);
}

function parsePrimary(cursor: Cursor): Operand {
  const token = peek(cursor);
  switch (token.kind) {
    case 'number':
    case 'duration':
      return parseNumber(cursor);
    case 'string':
      return operand(next(cursor), 'string');
    case 'word':
      return parseWord(cursor);
    default:
      break;
  }
  if (isSymbol(token, '{')) return selectorOperand(parseSelector(cursor));
  if (isSymbol(token, '(')) return parseParentheses(cursor);
  return missingOperand(cursor);
}

function parseNumber(cursor: Cursor): Operand {
  const token = next(cursor);
  const isDuration = token.kind === 'duration';
  const read = isDuration ? readDuration(token.text) : readNumber(token.text);
  if (!read.ok) stop(token, read.message, read.fix);
  const what = isDuration ? 'a duration as a number' : '"_" between digits';
  if (isDuration || token.text.includes('_'))
    cursor.limits.push({ from: token.from, to: token.to, what, since: '2.54' });
  return operand(token, 'number');
}

function parseParentheses(cursor: Cursor): Operand {
  const { from } = next(cursor);
  const { type } = parseExpression(cursor);
  return operand({ from, to: expectSymbol(cursor, ')').to }, type);
}

/** Words that no metric can have as its name, with the place they belong to; all others can name a metric. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  ['on', 'write it once, right after an operator: a * on (instance) b'],
  ['ignoring', 'write it once, right after an operator: a * ignoring (instance) b'],
  ['group_left', 'write on (…) or ignoring (…) before it'],
  ['group_right', 'write on (…) or ignoring (…) before it'],
  ['bool', 'write it right after a comparison: a > bool 0'],
  ['atan2', 'write something before it: it is an operator'],
]);
/** Keywords that may name a metric but never a function. */
const NEVER_CALLED = [
  'and',
  'or',
  'unless',
  'by',
  'without',
  'offset',
  'anchored',
  'smoothed',
  'fill',
  'fill_left',
  'fill_right',
];

function parseWord(cursor: Cursor): Operand {
  const token = peek(cursor);
  if (isKeyword(token, 'inf', 'nan')) return operand(next(cursor), 'number');
  const place = RESERVED.get(token.text.toLowerCase());
  if (place !== undefined) stop(token, `"${token.text}" cannot stand here`, place);
  if (isAggregation(cursor)) return parseAggregation(cursor);
  const isCall = isSymbol(peek(cursor, 1), '(') && !token.text.includes(':') && !isKeyword(token, ...NEVER_CALLED);
  if (isCall) return parseCall(cursor);
  next(cursor);
  return selectorOperand(parseSelector(cursor, token));
}

function selectorOperand(span: Span): Operand {
  return operand(span, 'vector', 'selector');
}
