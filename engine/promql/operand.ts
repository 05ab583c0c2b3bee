/** What the parser knows of an expression it has read. */
import type { Span } from './cursor.ts';
import type { PromqlResult } from './functions.ts';

/** The forms that decide what may follow: a range only a selector, an offset only a selector, a range or a subquery. */
export type OperandForm = 'selector' | 'range' | 'subquery' | 'other';

export interface Operand extends Span {
  readonly form: OperandForm;
  readonly type: PromqlResult;
  /** `computed` is an offset that only evaluation knows; a literal offset of zero is none. */
  readonly offset: 'none' | 'literal' | 'computed';
  readonly at: 'none' | 'time' | 'edge';
}

export function operand(span: Span, type: PromqlResult, form: OperandForm = 'other'): Operand {
  return { from: span.from, to: span.to, type, form, offset: 'none', at: 'none' };
}

const WORDS: Readonly<Record<PromqlResult, string>> = {
  vector: 'an instant vector',
  range: 'a range vector',
  number: 'a number',
  string: 'a string',
};

/** The type in words, with its article. */
export function typeName(type: PromqlResult): string {
  return WORDS[type];
}

/** How to make an expression of type `got` into one of type `wanted`. */
export function conversionFix(got: PromqlResult, wanted: PromqlResult): string {
  return FIXES[wanted][got] ?? FIXES[wanted].otherwise;
}

type Fixes = Readonly<Partial<Record<PromqlResult, string>> & Record<'otherwise', string>>;

const FIXES: Readonly<Record<PromqlResult, Fixes>> = {
  range: {
    vector: 'add a range, such as [5m], to the selector',
    otherwise: 'write a selector with a range, such as up[5m]',
  },
  vector: {
    range: 'wrap it in a function such as rate(…) or max_over_time(…)',
    number: 'use a metric, or wrap it in vector(…)',
    otherwise: 'remove the quotes if it is a metric',
  },
  number: { vector: 'write a number, or wrap it in scalar(…)', otherwise: 'write a number' },
  string: { otherwise: 'write it in quotes' },
};
