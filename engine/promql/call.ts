/** Function calls and aggregations: the arguments, and whether they are the ones that the function takes. */
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
  previous,
  stop,
} from './cursor.ts';
import { parseExpression } from './expression.ts';
import {
  AGGREGATIONS,
  type AggregationSignature,
  FUNCTIONS,
  type FunctionSignature,
  type PromqlResult,
} from './functions.ts';
import { parseGrouping } from './grouping.ts';
import { conversionFix, type Operand, operand, typeName } from './operand.ts';
import type { Token } from './tokens.ts';

const EXPERIMENTAL_FIX = 'use a stable one: this needs --enable-feature=promql-experimental-functions';

/** A call; the cursor stands at the name, and a bracket follows it. */
export function parseCall(cursor: Cursor): Operand {
  const name = next(cursor);
  const signature = FUNCTIONS.get(name.text);
  if (signature === undefined) {
    stop(name, `"${name.text}" is not a PromQL function`, 'check its spelling in the PromQL function list');
  }
  const args = parseArguments(cursor);
  const span = { from: name.from, to: previous(cursor)?.to ?? name.to };
  if (signature.isExperimental) {
    complain(cursor, name, `${name.text}() is an experimental function`, EXPERIMENTAL_FIX);
  } else {
    checkCount(cursor, name, signature, args.length);
    checkTypes(cursor, name, signature, args);
  }
  limitFunction(cursor, name, signature);
  return operand(span, signature.result);
}

function limitFunction(cursor: Cursor, { from, to, text }: Token, { since, until }: FunctionSignature): void {
  if (since !== undefined) cursor.limits.push({ from, to, what: `${text}()`, since });
  if (until !== undefined) cursor.limits.push({ from, to, what: `${text}()`, until });
}

function parseArguments(cursor: Cursor): Operand[] {
  expectSymbol(cursor, '(');
  if (accept(cursor, ')')) return [];
  const args = [parseExpression(cursor)];
  while (accept(cursor, ',')) {
    if (isSymbol(peek(cursor), ')')) missingOperand(cursor);
    args.push(parseExpression(cursor));
  }
  expectSymbol(cursor, ')');
  return args;
}

function checkCount(cursor: Cursor, name: Token, signature: FunctionSignature, count: number): void {
  const least = signature.required.length;
  const most = signature.optional === undefined ? least : signature.isEndless ? Infinity : least + 1;
  if (count >= least && count <= most) return;
  const bound = least === most ? '' : count < least ? 'at least ' : 'at most ';
  const wanted = count < least ? least : most;
  const message = `${name.text}() takes ${bound}${countOf(wanted)}, not ${count}`;
  complain(cursor, name, message, `write ${usage(name.text, signature)}`);
}

function countOf(count: number): string {
  if (count === 0) return 'no argument';
  return count === 1 ? '1 argument' : `${count} arguments`;
}

function usage(name: string, { required, optional, isEndless }: FunctionSignature): string {
  const tail = optional === undefined ? [] : [`[${optional}]${isEndless ? '…' : ''}`];
  return `${name}(${[...required, ...tail].join(', ')})`;
}

function checkTypes(cursor: Cursor, name: Token, signature: FunctionSignature, args: readonly Operand[]): void {
  args.forEach((argument, index) => {
    const wanted = signature.required[index] ?? signature.optional;
    if (wanted === undefined || argument.type === wanted) return;
    const message = `argument ${index + 1} of ${name.text}() is ${typeName(argument.type)}, it takes ${typeName(wanted)}`;
    complain(cursor, argument, message, conversionFix(argument.type, wanted));
  });
}

/** Whether the name ahead starts an aggregation; otherwise it is a metric that shares the name. */
export function isAggregation(cursor: Cursor): boolean {
  const after = peek(cursor, 1);
  const isCalled = isSymbol(after, '(') || isKeyword(after, 'by', 'without');
  return isCalled && AGGREGATIONS.has(peek(cursor).text.toLowerCase());
}

/** An aggregation, with its grouping before or after the arguments. */
export function parseAggregation(cursor: Cursor): Operand {
  const name = next(cursor);
  const isGrouped = parseClause(cursor);
  const args = parseArguments(cursor);
  if (!isGrouped) parseClause(cursor);
  checkAggregation(cursor, name, args);
  return operand({ from: name.from, to: previous(cursor)?.to ?? name.to }, 'vector');
}

function parseClause(cursor: Cursor): boolean {
  if (!isKeyword(peek(cursor), 'by', 'without')) return false;
  next(cursor);
  parseGrouping(cursor);
  return true;
}

function checkAggregation(cursor: Cursor, name: Token, args: readonly Operand[]): void {
  const { parameter, isExperimental }: AggregationSignature = AGGREGATIONS.get(name.text.toLowerCase()) ?? {};
  const wanted: readonly PromqlResult[] = parameter === undefined ? ['vector'] : [parameter, 'vector'];
  if (isExperimental) complain(cursor, name, `${name.text}() is an experimental aggregation`, EXPERIMENTAL_FIX);
  else if (args.length !== wanted.length) refuseCount(cursor, name, wanted, args.length);
  else for (const [index, argument] of args.entries()) checkAggregated(cursor, name, argument, wanted[index]);
}

function refuseCount(cursor: Cursor, name: Token, wanted: readonly PromqlResult[], count: number): void {
  const message = `${name.text}() takes ${countOf(wanted.length)}, not ${count}`;
  complain(cursor, name, message, `write ${name.text}(${wanted.join(', ')})`);
}

function checkAggregated(cursor: Cursor, name: Token, argument: Operand, wanted: PromqlResult | undefined): void {
  if (wanted === undefined || argument.type === wanted) return;
  const role = wanted === 'vector' ? `${name.text}() aggregates` : `the parameter of ${name.text}() is`;
  const message = `${role} ${typeName(wanted)}, this is ${typeName(argument.type)}`;
  complain(cursor, argument, message, conversionFix(argument.type, wanted));
}
