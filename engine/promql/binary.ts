/** Binary operators: their precedence, their modifiers, and what may stand on both sides. */
import { type Cursor, complain, isKeyword, isSymbol, next, peek, type Span, stop } from './cursor.ts';
import { parseGrouping } from './grouping.ts';
import { type Operand, operand, typeName } from './operand.ts';
import type { Token } from './tokens.ts';

const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};

/** What a sign before an expression leaves to it: `-a ^ b` is `-(a ^ b)`, and `-a * b` is `(-a) * b`. */
export const OPERAND_OF_SIGN = 6;

/** How tightly the token binds as an operator; undefined when it is none. */
export function precedenceOf({ kind, text }: Token): number | undefined {
  if (kind !== 'word' && kind !== 'symbol') return undefined;
  return Object.hasOwn(PRECEDENCE, text.toLowerCase()) ? PRECEDENCE[text.toLowerCase()] : undefined;
}

/** An operator with what is written between it and its right side. */
export interface Operator extends Span {
  /** In lower case. */
  readonly name: string;
  readonly isBool: boolean;
  readonly matching?: Matching;
}

interface Matching {
  readonly isOn: boolean;
  readonly labels: readonly string[];
  readonly group?: { readonly name: string; readonly labels: readonly string[] };
}

export function parseOperator(cursor: Cursor): Operator {
  const token = next(cursor);
  const isBool = isKeyword(peek(cursor), 'bool') && next(cursor) !== undefined;
  const matching = parseMatching(cursor);
  refuseFill(cursor);
  const name = token.text.toLowerCase();
  if (/^(<\/|>\/)$/.test(name)) {
    cursor.limits.push({ from: token.from, to: token.to, what: `the operator ${name}`, since: '3.11' });
  }
  return { from: token.from, to: token.to, name, isBool, ...(matching === undefined ? {} : { matching }) };
}

function parseMatching(cursor: Cursor): Matching | undefined {
  if (!isKeyword(peek(cursor), 'on', 'ignoring')) return undefined;
  const isOn = isKeyword(next(cursor), 'on');
  const labels = parseGrouping(cursor);
  if (!isKeyword(peek(cursor), 'group_left', 'group_right')) return { isOn, labels };
  const name = next(cursor).text.toLowerCase();
  const hasLabels = isSymbol(peek(cursor), '(');
  return { isOn, labels, group: { name, labels: hasLabels ? parseGrouping(cursor) : [] } };
}

function refuseFill(cursor: Cursor): void {
  const token = peek(cursor);
  if (!isKeyword(token, 'fill', 'fill_left', 'fill_right') || !isSymbol(peek(cursor, 1), '(')) return;
  const fix = 'remove it: it needs --enable-feature=promql-binop-fill-modifiers';
  stop(token, `"${token.text}" is an experimental modifier`, fix);
}

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];
const SET_OPERATORS = ['and', 'or', 'unless'];

/** The operation as one operand, its sides checked. */
export function combine(cursor: Cursor, left: Operand, operator: Operator, right: Operand): Operand {
  checkBool(cursor, left, operator, right);
  for (const side of [left, right]) checkSide(cursor, operator, side);
  checkMatching(cursor, operator, left.type === 'vector' && right.type === 'vector');
  const hasNumber = left.type === 'number' || right.type === 'number';
  if (hasNumber && SET_OPERATORS.includes(operator.name)) {
    complain(
      cursor,
      operator,
      `"${operator.name}" is only allowed between vectors`,
      'use a metric, or wrap the number in vector(…)',
    );
  }
  const isNumber = left.type === 'number' && right.type === 'number';
  return operand({ from: left.from, to: right.to }, isNumber ? 'number' : 'vector');
}

function checkBool(cursor: Cursor, left: Operand, operator: Operator, right: Operand): void {
  const isComparison = COMPARISONS.includes(operator.name);
  if (operator.isBool && !isComparison) {
    complain(cursor, operator, '"bool" is only allowed after a comparison', 'remove "bool"');
  }
  if (isComparison && !operator.isBool && left.type === 'number' && right.type === 'number') {
    complain(cursor, operator, 'comparing two numbers needs "bool"', `write ${operator.name} bool`);
  }
}

function checkSide(cursor: Cursor, { name }: Operator, side: Operand): void {
  if (side.type === 'number' || side.type === 'vector') return;
  const fix =
    side.type === 'range' ? 'wrap it in a function such as rate(…) or max_over_time(…)' : 'use a metric or a number';
  complain(cursor, side, `"${name}" takes instant vectors and numbers, this is ${typeName(side.type)}`, fix);
}

function checkMatching(cursor: Cursor, operator: Operator, isBetweenVectors: boolean): void {
  const { matching } = operator;
  if (matching === undefined) return;
  checkRepeatedLabels(cursor, operator, matching);
  if (!isBetweenVectors && matching.labels.length > 0) {
    const clause = matching.isOn ? 'on' : 'ignoring';
    complain(cursor, operator, `"${clause}" is only allowed between two instant vectors`, `remove ${clause} (…)`);
  }
  if (isBetweenVectors && matching.group !== undefined && SET_OPERATORS.includes(operator.name)) {
    const { name } = matching.group;
    complain(cursor, operator, `"${name}" is not allowed with "${operator.name}"`, `remove ${name}`);
  }
}

function checkRepeatedLabels(cursor: Cursor, operator: Operator, { isOn, labels, group }: Matching): void {
  if (!isOn || group === undefined) return;
  for (const label of new Set(labels.filter((name) => group.labels.includes(name)))) {
    const message = `the label "${label}" is in both "on" and "${group.name}"`;
    complain(cursor, operator, message, `remove it from ${group.name}: "on" already makes it the same`);
  }
}
