/** Values inside a template, with the Go types that texts and errors depend on. */

/** An untyped nil is undefined, a float64 a number, an int a bigint. */
export type Value = undefined | string | number | bigint | boolean | GoObject;

export type GoObject =
  | Interface
  | Whole
  | Complex
  | Html
  | GoMap
  | Bytes
  | Samples
  | Pointer
  | Struct
  | Time
  | Location
  | Failure;

/** A value that Go knows only as `interface {}`: what a function that expects something else is told. */
interface Interface {
  readonly kind: 'interface';
  readonly held: Value;
}

/** A whole number of another type than int. */
export interface Whole {
  readonly kind: 'whole';
  readonly type: 'uint8' | 'uint64' | 'int64' | 'time.Duration' | 'time.Month' | 'time.Weekday';
  readonly value: bigint;
}

export interface Complex {
  readonly kind: 'complex';
  readonly real: number;
  readonly imaginary: number;
}

/** What `safeHtml` returns: text that is no `string`. */
interface Html {
  readonly kind: 'html';
  readonly text: string;
}

export interface GoMap {
  readonly kind: 'map';
  readonly holds: 'string' | 'interface {}';
  readonly entries: Readonly<Record<string, Value>>;
}

export interface Bytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** The result of `query`; `sortByLabel` sorts it in place, as in Prometheus. */
export interface Samples {
  readonly kind: 'samples';
  readonly items: Pointer[];
}

export interface Pointer {
  readonly kind: 'pointer';
  readonly type: 'template.sample' | 'time.Time' | 'time.Duration' | 'time.Location';
  /** Undefined for a nil pointer. */
  readonly to: Value;
}

export interface Struct {
  readonly kind: 'struct';
  readonly type: string;
  readonly fields: Readonly<Record<string, Value>>;
}

/** An instant, always UTC. */
export interface Time {
  readonly kind: 'time';
  /** Nanoseconds since the epoch. */
  readonly ns: bigint;
}

interface Location {
  readonly kind: 'location';
}

/** An error on its way into an error's text. */
interface Failure {
  readonly kind: 'error';
  readonly message: string;
}

export const SAMPLE_TYPE = 'template.sample';

/** Go's name of the value's type, as `%T` and the errors show it. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return '<nil>';
    case 'string':
      return 'string';
    case 'number':
      return 'float64';
    case 'bigint':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'object':
      return objectType(value);
  }
}

function objectType(value: GoObject): string {
  switch (value.kind) {
    case 'interface':
      return 'interface {}';
    case 'whole':
    case 'struct':
      return value.type;
    case 'complex':
      return 'complex128';
    case 'html':
      return 'template.HTML';
    case 'map':
      return `map[string]${value.holds}`;
    case 'bytes':
      return '[]uint8';
    case 'samples':
      return 'template.queryResult';
    case 'pointer':
      return `*${value.type}`;
    case 'time':
      return 'time.Time';
    case 'location':
      return 'time.Location';
    case 'error':
      return '*errors.errorString';
  }
}

export function isObject(value: Value): value is GoObject {
  return typeof value === 'object';
}

/** What an `interface {}` holds; any other value itself. */
export function unwrap(value: Value): Value {
  return isObject(value) && value.kind === 'interface' ? value.held : value;
}

/** The value at the end of pointers and interfaces, and whether that is a nil of one of them. */
export function indirect(value: Value): { readonly value: Value; readonly isNil: boolean } {
  let current = value;
  while (isObject(current) && (current.kind === 'pointer' || current.kind === 'interface')) {
    const next: Value = current.kind === 'pointer' ? current.to : current.held;
    if (next === undefined) return { value: current, isNil: true };
    current = next;
  }
  return { value: current, isNil: false };
}

/** What `if`, `with`, `and`, `or` and `not` take for true: everything but the zero of the type. */
export function isTruthy(value: Value): boolean {
  const held = unwrap(value);
  if (!isObject(held)) return held !== undefined && held !== false && held !== '' && held !== 0 && held !== 0n;
  switch (held.kind) {
    case 'whole':
      return held.value !== 0n;
    case 'complex':
      return held.real !== 0 || held.imaginary !== 0;
    case 'html':
      return held.text !== '';
    case 'map':
    case 'samples':
    case 'bytes':
      return lengthOf(held) > 0;
    case 'pointer':
      return held.to !== undefined;
    default:
      return true;
  }
}

export function lengthOf(value: GoMap | Samples | Bytes): number {
  if (value.kind === 'map') return Object.keys(value.entries).length;
  return value.kind === 'bytes' ? value.bytes.length : value.items.length;
}

/** The whole number in a value of any integer type. */
export function wholeOf(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return isObject(value) && value.kind === 'whole' ? value.value : undefined;
}

/** The text in a value of any string type. */
export function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return isObject(value) && value.kind === 'html' ? value.text : undefined;
}

/** The keys of a map in the order Go walks and prints them: by bytes, which for text is by code point. */
export function sortedKeys(map: GoMap): string[] {
  return Object.keys(map.entries).sort(compareText);
}

/** Negative, zero or positive as Go's `<` on strings: by bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const left = [...a];
  const right = [...b];
  const at = left.findIndex((letter, index) => letter !== right[index]);
  if (at === -1) return -1;
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
}
