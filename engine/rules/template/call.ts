/** Calls functions and methods: counts the arguments, fits each to its parameter, and names the function that failed. */
import type { Expansion } from './expansion.ts';
import { FunctionError, type Parameter, type TemplateFunction } from './function.ts';
import type { Node } from './node.ts';
import { indirect, isObject, isTruthy, typeName, unwrap, type Value } from './value.ts';

/** The value before the `|`, which becomes the last argument. */
export type Piped = { readonly value: Value } | undefined;

/** An argument that is still to be evaluated, for a parameter of the given type. */
export type Argument = (parameter: Parameter) => Value;

export interface Call {
  readonly name: string;
  /** What an error names. */
  readonly node: Node;
  readonly args: readonly Argument[];
  readonly piped: Piped;
}

export function callFunction(run: Expansion, called: TemplateFunction, call: Call): Value {
  checkCount(run, called, call);
  if (called.flaw !== undefined) run.fail('%v', called.flaw);
  if (called.stopsAt !== undefined) return shortCircuit(run, called.stopsAt, call);
  const values = call.args.map((argument, index) => argument(parameterAt(called, index)));
  if (call.piped !== undefined) values.push(fit(run, call.piped.value, parameterAt(called, values.length)));
  const result = apply(run, () => called.apply(values, run.scope), call);
  if (typeof result === 'string') run.checkLength(result);
  return result;
}

/** Fails as `error calling name: …` when `work` does. */
export function apply<T>(run: Expansion, work: () => T, { name, node }: Pick<Call, 'name' | 'node'>): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    run.at(node);
    return run.fail('error calling %s: %w', name, { kind: 'error', message: error.message });
  }
}

function checkCount(run: Expansion, { parameters, rest }: TemplateFunction, { name, args, piped }: Call): void {
  const given = args.length + (piped === undefined ? 0 : 1);
  if (rest !== undefined && given < parameters.length) {
    const values = [name, BigInt(parameters.length), BigInt(args.length)];
    run.fail('wrong number of args for %s: want at least %d got %d', ...values);
  }
  if (rest === undefined && given !== parameters.length) {
    run.fail('wrong number of args for %s: want %d got %d', name, BigInt(parameters.length), BigInt(given));
  }
}

function parameterAt({ parameters, rest }: TemplateFunction, index: number): Parameter {
  return parameters[index] ?? rest ?? 'interface {}';
}

function shortCircuit(run: Expansion, stopsAt: boolean, { args, piped }: Call): Value {
  let value: Value;
  for (const argument of args) {
    value = argument('reflect.Value');
    if (isTruthy(value) === stopsAt) return value;
  }
  return piped === undefined ? value : fit(run, piped.value, 'reflect.Value');
}

const NILABLE: ReadonlySet<Parameter> = new Set([
  'interface {}',
  'reflect.Value',
  'template.queryResult',
  '*template.sample',
  '*time.Location',
]);

/** `nil` for a parameter of the given type; undefined when the type has none. */
export function nilFor(parameter: Parameter): { readonly value: Value } | undefined {
  if (!NILABLE.has(parameter)) return undefined;
  if (parameter === '*template.sample') return { value: { kind: 'pointer', type: 'template.sample', to: undefined } };
  if (parameter === 'template.queryResult') return { value: { kind: 'samples', items: [] } };
  return { value: undefined };
}

/** The value as the parameter takes it; fails with Go's words when it does not fit. */
export function fit(run: Expansion, value: Value, parameter: Parameter): Value {
  if (value === undefined) return (nilFor(parameter) ?? run.fail('invalid value; expected %s', parameter)).value;
  if (parameter === 'reflect.Value') return value;
  const held = unwrap(value);
  if (parameter === 'interface {}') return held;
  if (typeName(held) === parameter) return held;
  if (isObject(held) && held.kind === 'pointer' && held.type === parameter) return indirect(held).value;
  const shown = held === undefined ? value : held;
  return run.fail('wrong type for value; expected %s; got %s', parameter, typeName(shown));
}
