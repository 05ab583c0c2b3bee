/**
 * PromQL, checked as `promtool check rules` checks it, before Prometheus sees it: syntax, types, argument counts, label
 * matching, durations, strings and regular expressions.
 *
 * What any release from 2.42 to 3.14 accepts without a feature flag is accepted; `versionLimits` says what not all of them do.
 */
import { type Cursor, misplaced, peek, startAt } from './cursor.ts';
import { parseExpression } from './expression.ts';
import type { PromqlResult } from './functions.ts';
import type { Operand } from './operand.ts';
import { type PromqlProblem, SyntaxStop, type VersionLimit } from './problem.ts';
import type { Selector } from './selector.ts';
import { tokenise } from './tokens.ts';

export type { PromqlResult } from './functions.ts';
export type { PromqlProblem, VersionLimit } from './problem.ts';
export type { Matcher, Selector } from './selector.ts';

// Far above any expression a person wrote; it bounds what one file can cost.
const MAX_LENGTH = 100_000;

/** Every problem of `expr` that can be known without a server; empty when there is none. A syntax error comes alone. */
export function checkPromql(expr: string): readonly PromqlProblem[] {
  return parse(expr).problems;
}

/** What a valid expression yields; a vector where it is not valid. */
export function promqlResult(expr: string): PromqlResult {
  return parse(expr).operand?.type ?? 'vector';
}

/** The selectors of a valid expression, in the order written: which series it reads. Empty where it is not valid. */
export function selectorsOf(expr: string): readonly Selector[] {
  const { problems, selectors } = parse(expr);
  return problems.length === 0 ? selectors : [];
}

/** The parts of a valid expression that only some releases of Prometheus from 2.42 on accept; empty where it is not valid. */
export function versionLimits(expr: string): readonly VersionLimit[] {
  const { problems, limits } = parse(expr);
  return problems.length === 0 ? limits : [];
}

/** Whether `expr` is a vector selector and nothing else: no function, operator, offset, `@`, range or comment. */
export function isPlainSelector(expr: string): boolean {
  const { problems, operand, selectors } = parse(expr);
  const [selector] = selectors;
  const isBare = selector !== undefined && expr.slice(selector.from, selector.to) === expr.trim();
  return problems.length === 0 && operand?.form === 'selector' && isBare;
}

/** Whether a trailing comment would swallow what is appended to the expression. */
export function endsInComment(expr: string): boolean {
  const last = tokenise(expr).comments.at(-1);
  return last !== undefined && last.to >= expr.trimEnd().length;
}

interface Parsed {
  readonly problems: readonly PromqlProblem[];
  readonly selectors: readonly Selector[];
  readonly limits: readonly VersionLimit[];
  readonly operand?: Operand;
}

function parse(expr: string): Parsed {
  const refusal = refuseText(expr);
  if (refusal !== undefined) return { problems: [refusal], selectors: [], limits: [] };
  const cursor = startAt(expr);
  try {
    const operand = parseWhole(cursor);
    return { problems: cursor.problems, selectors: cursor.selectors, limits: cursor.limits, operand };
  } catch (error) {
    if (error instanceof SyntaxStop) return { problems: [error.problem], selectors: [], limits: [] };
    throw error;
  }
}

function refuseText(expr: string): PromqlProblem | undefined {
  if (expr.trim() === '') {
    return { from: 0, to: expr.length, message: 'the expression is empty', fix: 'write a PromQL expression' };
  }
  if (expr.length <= MAX_LENGTH) return undefined;
  const message = `the expression is longer than ${MAX_LENGTH} characters`;
  return { from: 0, to: 1, message, fix: 'use a recording rule' };
}

function parseWhole(cursor: Cursor): Operand {
  const operand = parseExpression(cursor);
  if (peek(cursor).kind !== 'end') misplaced(cursor);
  return operand;
}
