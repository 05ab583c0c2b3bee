/** Evaluates pipelines: commands, their arguments, and the variables they set. */
import { type Argument, apply, callFunction, fit, nilFor, type Piped } from './call.ts';
import type { Expansion } from './expansion.ts';
import { readField } from './field.ts';
import { FunctionError, type Parameter } from './function.ts';
import { FUNCTIONS } from './function-table.ts';
import type { Chain, Command, Identifier, Node, NumberLiteral, Operand, Pipe } from './node.ts';
import { nodeText } from './node-text.ts';
import { textOf, typeName, unwrap, type Value } from './value.ts';

/** The value of a pipeline. The variables it declares stay until whoever called removes them. */
export function evaluatePipe(run: Expansion, dot: Value, pipe: Pipe | undefined): Value {
  if (pipe === undefined) return undefined;
  run.at(pipe);
  let piped: Piped;
  for (const command of pipe.commands) piped = { value: unwrap(evaluateCommand(run, dot, command, piped)) };
  const value = piped?.value;
  for (const {
    path: [name = ''],
  } of pipe.variables) {
    if (pipe.isAssignment) run.assign(name, value);
    else run.declare(name, value);
  }
  return value;
}

function evaluateCommand(run: Expansion, dot: Value, command: Command, piped: Piped): Value {
  const [first, ...others] = command.operands;
  if (first === undefined) return undefined;
  const args = others.map(
    (operand): Argument =>
      (parameter) =>
        evaluateArgument(run, dot, operand, parameter),
  );
  switch (first.kind) {
    case 'field':
      run.at(first);
      return readPath(run, { receiver: dot, path: first.path, node: first, args, piped });
    case 'chain':
      return readChain(run, dot, first, { args, piped });
    case 'identifier':
      return evaluateFunction(run, first, { node: command, args, piped, operands: others, dot });
    case 'variable':
      return readVariable(run, first, { args, piped });
    case 'pipe':
      refuseArguments(run, first, { args, piped });
      return evaluatePipe(run, dot, first);
    default:
      run.at(first);
      refuseArguments(run, first, { args, piped });
      return first.kind === 'nil' ? run.fail('nil is not a command') : constant(run, dot, first);
  }
}

interface Given {
  readonly args: readonly Argument[];
  readonly piped: Piped;
}

const NOTHING: Given = { args: [], piped: undefined };

function refuseArguments(run: Expansion, operand: Operand, { args, piped }: Given): void {
  if (args.length > 0 || piped !== undefined) run.fail("can't give argument to non-function %s", nodeText(operand));
}

/** The value of a constant where nothing says what type it should have. */
function constant(run: Expansion, dot: Value, operand: Operand): Value {
  switch (operand.kind) {
    case 'dot':
      return dot;
    case 'bool':
      return operand.isTrue;
    case 'string':
      return operand.text;
    case 'number':
      return idealNumber(run, operand);
    default:
      return run.fail("can't evaluate command %q", nodeText(operand));
  }
}

function idealNumber(run: Expansion, literal: NumberLiteral): Value {
  run.at(literal);
  const { text, complex, float64, int64 } = literal;
  if (complex !== undefined) return { kind: 'complex', ...complex };
  const isWhole = text.startsWith("'") || (/^0[xX]./.test(text) && !/[pP]/.test(text));
  if (float64 !== undefined && !isWhole && /[.eEpP]/.test(text)) return float64;
  return int64 ?? run.fail('%s overflows int', text);
}

interface PathAccess extends Given {
  readonly receiver: Value;
  readonly path: readonly string[];
  readonly node: Node;
}

/** Only the last name of a path can be a method that takes arguments. */
function readPath(run: Expansion, { receiver, path, node, args, piped }: PathAccess): Value {
  let value = receiver;
  path.forEach((name, index) => {
    const given = index === path.length - 1 ? { args, piped } : NOTHING;
    value = readField(run, { receiver: value, name, node, ...given });
  });
  return value;
}

function readChain(run: Expansion, dot: Value, chain: Chain, given: Given): Value {
  run.at(chain);
  const receiver = evaluateInner(run, dot, chain.operand);
  return readPath(run, { receiver, path: chain.path, node: chain, ...given });
}

function evaluateInner(run: Expansion, dot: Value, operand: Operand): Value {
  run.at(operand);
  if (operand.kind === 'pipe') return evaluatePipe(run, dot, operand);
  if (operand.kind === 'identifier')
    return evaluateFunction(run, operand, { node: operand, operands: [], dot, ...NOTHING });
  return constant(run, dot, operand);
}

function readVariable(run: Expansion, variable: Extract<Operand, { kind: 'variable' }>, given: Given): Value {
  run.at(variable);
  const [name = '', ...path] = variable.path;
  const receiver = run.variable(name);
  if (path.length > 0) return readPath(run, { receiver, path, node: variable, ...given });
  refuseArguments(run, variable, given);
  return receiver;
}

interface FunctionCall extends Given {
  readonly node: Node;
  readonly operands: readonly Operand[];
  readonly dot: Value;
}

function evaluateFunction(run: Expansion, identifier: Identifier, call: FunctionCall): Value {
  run.at(identifier);
  const { name } = identifier;
  if (name === 'call') return refuseCall(run, call);
  const called = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (called === undefined) return run.fail('%q is not a defined function', name);
  return callFunction(run, called, { ...call, name });
}

/** Rules hold no functions as values, so `call` always fails; its arguments fail first, as in Go. */
function refuseCall(run: Expansion, { node, operands, args, piped }: FunctionCall): Value {
  if (args.length === 0 && piped === undefined) {
    run.fail('wrong number of args for %s: want at least %d got %d', 'call', 1n, 0n);
  }
  const values = args.map((argument) => argument('reflect.Value'));
  if (piped !== undefined) values.push(fit(run, piped.value, 'reflect.Value'));
  const target = unwrap(values[0]);
  const [first] = operands;
  const name = first === undefined ? (textOf(target) ?? `<${typeName(target)} Value>`) : nodeText(first);
  const reason = target === undefined ? 'call of nil' : `non-function ${name} of type ${typeName(target)}`;
  return apply(run, () => fail(reason), { name: 'call', node });
}

function fail(reason: string): never {
  throw new FunctionError(reason);
}

function evaluateArgument(run: Expansion, dot: Value, operand: Operand, parameter: Parameter): Value {
  run.at(operand);
  switch (operand.kind) {
    case 'dot':
      return fit(run, dot, parameter);
    case 'nil':
      return (nilFor(parameter) ?? run.fail('cannot assign nil to %s', parameter)).value;
    case 'field':
      run.at(operand);
      return fit(run, readPath(run, { receiver: dot, path: operand.path, node: operand, ...NOTHING }), parameter);
    case 'variable':
      return fit(run, readVariable(run, operand, NOTHING), parameter);
    case 'pipe':
    case 'identifier':
      return fit(run, evaluateInner(run, dot, operand), parameter);
    case 'chain':
      return fit(run, readChain(run, dot, operand, NOTHING), parameter);
    default:
      return literal(run, dot, operand, parameter);
  }
}

/** A constant as an argument takes the type of the parameter, if it can. */
function literal(run: Expansion, dot: Value, operand: Operand, parameter: Parameter): Value {
  run.at(operand);
  switch (parameter) {
    case 'interface {}':
    case 'reflect.Value':
      return constant(run, dot, operand);
    case 'string':
      return operand.kind === 'string' ? operand.text : run.fail('expected string; found %s', nodeText(operand));
    case 'int':
    case 'time.Duration':
      return wholeLiteral(run, operand, parameter);
    default:
      return run.fail("can't handle %s for arg of type %s", nodeText(operand), parameter);
  }
}

function wholeLiteral(run: Expansion, operand: Operand, parameter: 'int' | 'time.Duration'): Value {
  const value = operand.kind === 'number' ? operand.int64 : undefined;
  if (value === undefined) return run.fail('expected integer; found %s', nodeText(operand));
  return parameter === 'int' ? value : { kind: 'whole', type: parameter, value };
}
