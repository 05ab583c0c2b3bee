/**
 * PromQL, checked against Prometheus' own grammar before Prometheus sees it.
 *
 * Caught here: everything the grammar rejects (unclosed brackets and quotes, missing operands, unknown functions),
 * invalid regular expressions, selectors that match everything.
 * Left to Prometheus: argument counts and types (`rate(up)`), vector-matching cardinality, durations out of range, and
 * functions newer or more experimental than the server.
 */

import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { regexError } from './regex.ts';

/** A problem in an expression; [from, to) are UTF-16 offsets into it. */
export interface PromqlProblem {
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly fix: string;
}

export type PromqlResult = 'vector' | 'range' | 'number' | 'string';

// Far above any expression a person wrote; it bounds the nesting that has to be walked.
const MAX_LENGTH = 10_000;

/** Every problem of `expr` that can be known without a server; empty when there is none. */
export function checkPromql(expr: string): readonly PromqlProblem[] {
  if (expr.trim() === '') {
    return [{ from: 0, to: expr.length, message: 'the expression is empty', fix: 'write a PromQL expression' }];
  }
  if (expr.length > MAX_LENGTH) {
    return [
      {
        from: 0,
        to: 1,
        message: `the expression is longer than ${MAX_LENGTH} characters`,
        fix: 'use a recording rule',
      },
    ];
  }
  const tree = parser.parse(expr);
  const syntax = syntaxProblem(expr, tree);
  return syntax === undefined ? selectorProblems(expr, tree) : [syntax];
}

/** Whether `expr` is a vector selector and nothing else: no function, operator, offset, `@`, range or comment. */
export function isPlainSelector(expr: string): boolean {
  const top = parser.parse(expr).topNode;
  const selector = top.firstChild;
  const isAlone = selector?.name === 'VectorSelector' && selector.nextSibling === null;
  return isAlone && checkPromql(expr).length === 0;
}

/** What a valid expression yields. Only a vector carries labels, so only a vector has a value per GPU. */
export function promqlResult(expr: string): PromqlResult {
  const node = parser.parse(expr).topNode.firstChild;
  return node === null ? 'vector' : resultOf(expr, node);
}

/** Whether a trailing comment would swallow what is appended to the expression. */
export function endsInComment(expr: string): boolean {
  return parser.parse(expr.trimEnd()).topNode.lastChild?.name === 'LineComment';
}

const WRAPPERS: readonly string[] = ['ParenExpr', 'UnaryExpr', 'OffsetExpr', 'StepInvariantExpr'];
const NUMBER_FUNCTIONS: readonly string[] = ['scalar', 'time', 'pi'];

function resultOf(expr: string, node: SyntaxNode): PromqlResult {
  const operands = childrenOf(node).filter(isExpression);
  if (WRAPPERS.includes(node.name) && operands[0]) return resultOf(expr, operands[0]);
  if (node.name === 'BinaryExpr') {
    return operands.every((operand) => resultOf(expr, operand) === 'number') ? 'number' : 'vector';
  }
  if (node.name === 'FunctionCall' && node.firstChild) {
    return NUMBER_FUNCTIONS.includes(textOf(expr, node.firstChild)) ? 'number' : 'vector';
  }
  return LEAF_RESULTS[node.name] ?? 'vector';
}

const LEAF_RESULTS: Readonly<Record<string, PromqlResult>> = {
  NumberDurationLiteral: 'number',
  StringLiteral: 'string',
  MatrixSelector: 'range',
  SubqueryExpr: 'range',
};

function isExpression(node: SyntaxNode): boolean {
  return /(Expr|Selector|Call|Literal)$/.test(node.name);
}

/** Only the first error: the parser's recovery makes the later ones unreliable. */
function syntaxProblem(expr: string, tree: Tree): PromqlProblem | undefined {
  const error = nodesOf(tree, (node) => node.type.isError)[0];
  if (error === undefined) return undefined;
  return error.from === error.to ? missingProblem(expr, error) : unexpectedProblem(expr, error);
}

const OPENERS: Readonly<Record<string, { readonly open: string; readonly close: string }>> = {
  LabelMatchers: { open: '{', close: '}' },
  ParenExpr: { open: '(', close: ')' },
  FunctionCallBody: { open: '(', close: ')' },
  GroupingLabels: { open: '(', close: ')' },
  MatrixSelector: { open: '[', close: ']' },
  SubqueryExpr: { open: '[', close: ']' },
};

/** The parser had to invent a token. */
function missingProblem(expr: string, error: SyntaxNode): PromqlProblem {
  const bracket = error.parent && OPENERS[error.parent.name];
  const isAtEnd = error.from >= expr.trimEnd().length;
  if (bracket && isAtEnd && error.parent) {
    const from = expr.indexOf(bracket.open, error.parent.from);
    return {
      from,
      to: from + 1,
      message: `"${bracket.open}" is never closed`,
      fix: `add the missing "${bracket.close}"`,
    };
  }
  if (isAtEnd) return afterLast(expr, error);
  const { from, to } = tokenAt(expr, error.from);
  return {
    from,
    to,
    message: `something is missing before "${expr.slice(from, to)}"`,
    fix: 'add an operator or a comma',
  };
}

function afterLast(expr: string, error: SyntaxNode): PromqlProblem {
  const operator = error.prevSibling;
  const to = expr.trimEnd().length;
  const from = operator?.from ?? Math.max(0, to - 1);
  return { from, to, message: `"${expr.slice(from, to)}" needs something after it`, fix: 'complete the expression' };
}

/** The parser met a token that has no place here. */
function unexpectedProblem(expr: string, error: SyntaxNode): PromqlProblem {
  const callee = error.prevSibling;
  if (expr[error.from] === '(' && callee?.name === 'Identifier') {
    const message = `"${textOf(expr, callee)}" is not a PromQL function`;
    return { from: callee.from, to: callee.to, message, fix: 'check its spelling in the PromQL function list' };
  }
  const { from, to } = tokenAt(expr, error.from);
  const token = expr.slice(from, to);
  if (/^["'`]/.test(token)) return { from, to, message: 'the quote is never closed', fix: `close it with ${token[0]}` };
  if (error.parent?.name === 'UnquotedLabelMatcher') {
    return { from, to, message: `label values are quoted`, fix: `write "${token}"` };
  }
  return { from, to, message: `unexpected "${token}"`, fix: 'remove it, or add what joins it to the expression' };
}

function tokenAt(expr: string, from: number): { from: number; to: number } {
  const token = /^(?:\w+|["'`].*|[^\s])/.exec(expr.slice(from))?.[0] ?? '';
  return { from, to: from + Math.max(1, token.length) };
}

function selectorProblems(expr: string, tree: Tree): PromqlProblem[] {
  const matchers = nodesOf(tree, (node) => /^(Unq|Q)uotedLabelMatcher$/.test(node.name));
  const bare = nodesOf(
    tree,
    (node) => node.name === 'VectorSelector' && textOf(expr, node).replace(/\s/g, '') === '{}',
  );
  return [
    ...matchers.flatMap((matcher) => regexProblem(expr, matcher)),
    ...bare.map(({ from, to }) => ({ from, to, message: '{} matches every series', fix: 'name a metric or a label' })),
  ];
}

function regexProblem(expr: string, matcher: SyntaxNode): PromqlProblem[] {
  const operator = matcher.getChild('MatchOp');
  const literal = matcher.lastChild;
  if (!operator || literal?.name !== 'StringLiteral' || !textOf(expr, operator).includes('~')) return [];
  const quoted = textOf(expr, literal);
  // A backslash escape in a quoted string needs Go's unquoting rules; raw and escape-free strings cover real rules.
  if (quoted.includes('\\') && !quoted.startsWith('`')) return [];
  const reason = regexError(quoted.slice(1, -1));
  if (reason === undefined) return [];
  const fix = 'correct the RE2 pattern (no look-around, no back-references)';
  return [{ from: literal.from, to: literal.to, message: `invalid regular expression: ${reason}`, fix }];
}

function nodesOf(tree: Tree, isWanted: (node: SyntaxNode) => boolean): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  tree.iterate({
    enter(reference) {
      if (isWanted(reference.node)) found.push(reference.node);
    },
  });
  return found;
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

function textOf(expr: string, node: SyntaxNode): string {
  return expr.slice(node.from, node.to);
}
