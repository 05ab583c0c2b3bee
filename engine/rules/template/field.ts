/** Fields of structures, entries of maps and methods: what stands behind a dot. */
import { type Argument, callFunction, type Piped } from './call.ts';
import type { Expansion } from './expansion.ts';
import type { FunctionTable } from './function.ts';
import type { Node } from './node.ts';
import { textOfStringer } from './stringer.ts';
import { durationMethods, nameMethods, timeMethods } from './time-method.ts';
import { indirect, isObject, typeName, type Value } from './value.ts';

export interface FieldAccess {
  readonly receiver: Value;
  readonly name: string;
  readonly node: Node;
  readonly args: readonly Argument[];
  readonly piped: Piped;
}

/** The value of a field, entry or method of `receiver`. */
export function readField(run: Expansion, access: FieldAccess): Value {
  const { receiver, name } = access;
  if (receiver === undefined) return undefined;
  const { value, isNil } = indirect(receiver);
  if (isNil && isObject(value) && value.kind === 'interface') return failNil(run, access);
  const methods = isNil ? {} : methodsOf(value);
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method !== undefined) return callFunction(run, method, access);
  return readMember(run, access, value) ?? failMissing(run, access, isNil);
}

function methodsOf(value: Value): FunctionTable {
  if (!isObject(value)) return {};
  if (value.kind === 'time') return timeMethods(value.ns);
  if (value.kind === 'whole' && value.type === 'time.Duration') return durationMethods(value.value);
  const name = textOfStringer(value);
  return name === undefined ? {} : nameMethods(name);
}

/** Undefined when the value has no such member; what a member lacks is an empty interface, never undefined. */
function readMember(run: Expansion, access: FieldAccess, value: Value): Value {
  const { name } = access;
  if (!isObject(value)) return undefined;
  if (value.kind === 'struct' && Object.hasOwn(value.fields, name)) {
    if (hasArguments(access)) run.fail('%s has arguments but cannot be invoked as function', name);
    return value.fields[name];
  }
  if (value.kind === 'time' && /^(?:wall|ext|loc)$/.test(name)) {
    run.fail('%s is an unexported field of struct type %s', name, typeName(access.receiver));
  }
  if (value.kind !== 'map') return undefined;
  if (hasArguments(access)) run.fail('%s is not a method but has arguments', name);
  if (Object.hasOwn(value.entries, name)) return value.entries[name];
  return value.holds === 'string' ? '' : { kind: 'interface', held: undefined };
}

function hasArguments({ args, piped }: FieldAccess): boolean {
  return args.length > 0 || piped !== undefined;
}

function failNil(run: Expansion, { receiver, name }: FieldAccess): never {
  return run.fail('nil pointer evaluating %s.%s', typeName(receiver), name);
}

function failMissing(run: Expansion, access: FieldAccess, isNil: boolean): never {
  const { receiver, name } = access;
  const isSample = isObject(receiver) && receiver.kind === 'pointer' && receiver.type === 'template.sample';
  if (isNil && isSample && (name === 'Labels' || name === 'Value')) return failNil(run, access);
  return run.fail("can't evaluate field %s in type %s", name, typeName(receiver));
}
