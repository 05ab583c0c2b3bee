/** Go's own functions: logic, printing, length, indexing and slicing. */
import { FunctionError, type FunctionTable } from './function.ts';
import { fromBytes, toBytes, utf8Length } from './go-bytes.ts';
import { print, printf, println } from './printf.ts';
import { indirect, isObject, isTruthy, lengthOf, textOf, typeName, unwrap, type Value, wholeOf } from './value.ts';

export const BUILTIN_FUNCTIONS: FunctionTable = {
  and: { parameters: ['reflect.Value'], rest: 'reflect.Value', stopsAt: false, apply: (values) => values.at(-1) },
  or: { parameters: ['reflect.Value'], rest: 'reflect.Value', stopsAt: true, apply: (values) => values.at(-1) },
  not: { parameters: ['reflect.Value'], apply: ([value]) => !isTruthy(value) },
  print: { parameters: [], rest: 'interface {}', apply: print },
  println: { parameters: [], rest: 'interface {}', apply: println },
  printf: {
    parameters: ['string'],
    rest: 'interface {}',
    apply: ([format, ...values]) => printf(String(format), values),
  },
  len: { parameters: ['reflect.Value'], apply: ([value]) => length(value) },
  index: { parameters: ['reflect.Value'], rest: 'reflect.Value', apply: ([item, ...indexes]) => index(item, indexes) },
  slice: { parameters: ['reflect.Value'], rest: 'reflect.Value', apply: ([item, ...indexes]) => slice(item, indexes) },
};

function length(value: Value): bigint {
  if (value === undefined) throw new FunctionError('reflect: call of reflect.Value.Type on zero Value');
  const { value: item, isNil } = indirect(value);
  if (isNil) throw new FunctionError('len of nil pointer');
  const text = textOf(item);
  if (text !== undefined) return BigInt(utf8Length(text));
  if (isObject(item) && (item.kind === 'map' || item.kind === 'samples' || item.kind === 'bytes')) {
    return BigInt(lengthOf(item));
  }
  throw new FunctionError(`len of type ${typeName(item)}`);
}

function index(value: Value, indexes: readonly Value[]): Value {
  let item = unwrap(value);
  if (item === undefined) throw new FunctionError('index of untyped nil');
  for (const at of indexes) item = indexOnce(item, unwrap(at));
  return item;
}

function indexOnce(value: Value, at: Value): Value {
  const { value: item, isNil } = indirect(value);
  if (isNil) throw new FunctionError('index of nil pointer');
  if (isObject(item) && item.kind === 'map') {
    const missing: Value = item.holds === 'string' ? '' : { kind: 'interface', held: undefined };
    const key = keyOf(at);
    return Object.hasOwn(item.entries, key) ? item.entries[key] : missing;
  }
  const text = textOf(item);
  const bytes = text === undefined ? undefined : toBytes(text);
  if (bytes !== undefined) return byteAt(bytes, position(at, bytes.length));
  if (isObject(item) && item.kind === 'bytes') return byteAt(item.bytes, position(at, item.bytes.length));
  if (isObject(item) && item.kind === 'samples') return elementAt(item.items, position(at, item.items.length));
  throw new FunctionError(`can't index item of type ${typeName(item)}`);
}

function keyOf(value: Value): string {
  if (value === undefined) throw new FunctionError('value is nil; should be of type string');
  if (typeof value === 'string') return value;
  throw new FunctionError(`value has type ${typeName(value)}; should be string`);
}

/** The position just behind the last element passes here and fails where it is used, as in Go. */
function position(value: Value, size: number): number {
  const at = wholeOf(value);
  if (value === undefined) throw new FunctionError('cannot index slice/array with nil');
  if (at === undefined) throw new FunctionError(`cannot index slice/array with type ${typeName(value)}`);
  if (at < 0n || at > BigInt(size)) throw new FunctionError(`index out of range: ${at}`);
  return Number(at);
}

function byteAt(bytes: Uint8Array, at: number): Value {
  const byte = bytes[at];
  if (byte === undefined) throw new FunctionError('reflect: string index out of range');
  return { kind: 'whole', type: 'uint8', value: BigInt(byte) };
}

function elementAt(items: readonly Value[], at: number): Value {
  if (at >= items.length) throw new FunctionError('reflect: slice index out of range');
  return items[at];
}

function slice(value: Value, indexes: readonly Value[]): Value {
  const start = unwrap(value);
  if (start === undefined) throw new FunctionError('slice of untyped nil');
  const { value: item, isNil } = indirect(start);
  if (isNil) throw new FunctionError('slice of nil pointer');
  if (indexes.length > 3) throw new FunctionError(`too many slice indexes: ${indexes.length}`);
  const text = textOf(item);
  if (text !== undefined) return sliceText(item, toBytes(text), indexes);
  if (!isObject(item) || item.kind !== 'samples') throw new FunctionError(`can't slice item of type ${typeName(item)}`);
  const [from, to] = bounds(indexes, item.items.length);
  return { kind: 'samples', items: item.items.slice(from, to) };
}

function sliceText(item: Value, bytes: Uint8Array, indexes: readonly Value[]): Value {
  if (indexes.length === 3) throw new FunctionError('cannot 3-index slice a string');
  const [from, to] = bounds(indexes, bytes.length);
  const text = fromBytes(bytes.subarray(from, to));
  return typeof item === 'string' ? text : { kind: 'html', text };
}

function bounds(indexes: readonly Value[], size: number): readonly [number, number] {
  const [from = 0, to = size, limit] = indexes.map((at) => position(at, size));
  if (from > to) throw new FunctionError(`invalid slice index: ${from} > ${to}`);
  if (limit !== undefined && to > limit) throw new FunctionError(`invalid slice index: ${to} > ${limit}`);
  return [from, to];
}
