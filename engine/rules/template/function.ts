/** What a function of the templates is, to the part that calls it. */
import type { TemplateData, TemplateWorld } from './template.ts';
import type { Value } from './value.ts';

/** Go's name of the type a parameter takes. `interface {}` takes everything, `reflect.Value` everything as it comes. */
export type Parameter =
  | 'string'
  | 'int'
  | 'interface {}'
  | 'reflect.Value'
  | 'template.queryResult'
  | '*template.sample'
  | 'time.Time'
  | 'time.Duration'
  | '*time.Location';

/** What functions may use of the expansion that calls them. */
export interface Scope {
  readonly data: TemplateData;
  readonly world: TemplateWorld;
  /** The answer to a query; suspends the expansion until there is one. */
  answer(expr: string): Value;
  /** Executes a template that `define` named; undefined when there is none of that name. */
  render(name: string, data: Value): string | undefined;
}

export interface TemplateFunction {
  readonly parameters: readonly Parameter[];
  /** The type of any number of further arguments. */
  readonly rest?: Parameter;
  /** `and` and `or` evaluate no further than they need; this is the truth at which they stop. */
  readonly stopsAt?: boolean;
  /** Why Go can never call it. */
  readonly flaw?: string;
  /** The result; throws FunctionError when the function fails. */
  apply(values: readonly Value[], scope: Scope): Value;
}

export type FunctionTable = Readonly<Record<string, TemplateFunction>>;

/** A function failed on its arguments; the message is Go's. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
}

/** A function of one text. */
export function ofText(apply: (text: string) => Value): TemplateFunction {
  return { parameters: ['string'], apply: ([text]) => apply(String(text)) };
}

/** The text that an argument of type `string` holds. */
export function text(value: Value): string {
  return typeof value === 'string' ? value : '';
}
