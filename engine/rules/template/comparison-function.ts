/** Go's `eq ne lt le gt ge`, which compare values of one kind only. */

import { NO_FLAGS } from './flags.ts';
import { FunctionError, type FunctionTable } from './function.ts';
import { compareText, isObject, textOf, typeName, unwrap, type Value, wholeOf } from './value.ts';
import { formatVerb } from './verb.ts';

export const COMPARISON_FUNCTIONS: FunctionTable = {
  eq: {
    parameters: ['reflect.Value'],
    rest: 'reflect.Value',
    apply: ([first, ...others]) => isAnyEqual(first, others),
  },
  ne: { parameters: ['reflect.Value', 'reflect.Value'], apply: ([a, b]) => !isAnyEqual(a, [b]) },
  lt: { parameters: ['reflect.Value', 'reflect.Value'], apply: ([a, b]) => isLess(a, b) },
  le: { parameters: ['reflect.Value', 'reflect.Value'], apply: ([a, b]) => isLess(a, b) || isAnyEqual(a, [b]) },
  gt: { parameters: ['reflect.Value', 'reflect.Value'], apply: ([a, b]) => !(isLess(a, b) || isAnyEqual(a, [b])) },
  ge: { parameters: ['reflect.Value', 'reflect.Value'], apply: ([a, b]) => !isLess(a, b) },
};

type Basic = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string' | 'other';

function basicKind(value: Value): Basic {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float';
  if (textOf(value) !== undefined) return 'string';
  if (isObject(value) && value.kind === 'complex') return 'complex';
  if (wholeOf(value) === undefined) return 'other';
  return isObject(value) && value.kind === 'whole' && value.type.startsWith('uint') ? 'uint' : 'int';
}

function isAnyEqual(value: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new FunctionError('missing argument for comparison');
  const first = unwrap(value);
  return others.some((other) => isEqual(first, unwrap(other)));
}

function isEqual(a: Value, b: Value): boolean {
  const [kindA, kindB] = [basicKind(a), basicKind(b)];
  if (kindA !== kindB && !areWhole(kindA, kindB)) return failUnlessNil(a, b);
  switch (kindA) {
    case 'int':
    case 'uint':
      return wholeOf(a) === wholeOf(b);
    case 'string':
      return textOf(a) === textOf(b);
    case 'complex':
      return isObject(a) && isObject(b) && a.kind === 'complex' && b.kind === 'complex' && isSameComplex(a, b);
    case 'other':
      return isSameObject(a, b);
    default:
      return a === b;
  }
}

function isSameComplex(a: { real: number; imaginary: number }, b: { real: number; imaginary: number }): boolean {
  return a.real === b.real && a.imaginary === b.imaginary;
}

/** Values of two kinds are not equal when one is nil, and else a mistake. */
function failUnlessNil(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return false;
  throw new FunctionError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function isSameObject(a: Value, b: Value): boolean {
  const [isNilA, isNilB] = [isNil(a), isNil(b)];
  const isSameKind = reflectKind(a) === reflectKind(b);
  if (!isSameKind && a !== undefined && b !== undefined) {
    const [textA, textB] = [shown(a), formatVerb(b, 'v', NO_FLAGS)];
    throw new FunctionError(`non-comparable types ${textA}: ${typeName(a)}, ${typeName(b)}: ${textB}`);
  }
  if (isNilA || isNilB) return isNilA === isNilB;
  if (!isComparable(b)) throw new FunctionError(`non-comparable type ${shown(b)}: ${typeName(b)}`);
  return a === b || (isObject(a) && isObject(b) && a.kind === 'time' && b.kind === 'time' && a.ns === b.ns);
}

function shown(value: Value): string {
  return formatVerb(value, 's', NO_FLAGS);
}

function isNil(value: Value): boolean {
  return value === undefined || (isObject(value) && value.kind === 'pointer' && value.to === undefined);
}

function reflectKind(value: Value): string {
  if (!isObject(value)) return typeof value;
  if (value.kind === 'time' || value.kind === 'location') return 'struct';
  return value.kind === 'bytes' || value.kind === 'samples' ? 'slice' : value.kind;
}

function isComparable(value: Value): boolean {
  return isObject(value) && (value.kind === 'pointer' || value.kind === 'time' || value.kind === 'location');
}

function isLess(left: Value, right: Value): boolean {
  const [a, b] = [unwrap(left), unwrap(right)];
  const [kindA, kindB] = [basicKind(a), basicKind(b)];
  if (kindA === 'other' || kindB === 'other') throw new FunctionError('invalid type for comparison');
  if (kindA !== kindB && !areWhole(kindA, kindB)) return failUnlessNil(a, b);
  switch (kindA) {
    case 'float':
      return typeof a === 'number' && typeof b === 'number' && a < b;
    case 'string':
      return compareText(textOf(a) ?? '', textOf(b) ?? '') < 0;
    case 'int':
    case 'uint':
      return (wholeOf(a) ?? 0n) < (wholeOf(b) ?? 0n);
    default:
      throw new FunctionError('invalid type for comparison');
  }
}

function areWhole(a: Basic, b: Basic): boolean {
  return (a === 'int' || a === 'uint') && (b === 'int' || b === 'uint');
}
