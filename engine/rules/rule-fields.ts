/** Reads the fields of a rule file one by one. A bad field is reported at its place, and reading goes on without it. */
import type { Diagnostic, Position } from '../policy/diagnostics.ts';
import { parseDuration } from '../policy/duration.ts';
import { nearestName } from '../policy/nearest-name.ts';
import type { YamlDocument, YamlPath } from '../policy/yaml.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** One value of the document that is being read, and the list that its problems go to. */
export interface Field {
  readonly document: YamlDocument;
  readonly path: YamlPath;
  readonly value: unknown;
  readonly problems: Diagnostic[];
}

/** The field under `key`; its value is undefined when the mapping lacks it. */
export function child(field: Field, key: string | number): Field {
  const { value } = field;
  const own = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  return { ...field, path: [...field.path, key], value: own ? Reflect.get(value, key) : undefined };
}

/** Reports a problem at the field's value, or at `position`. */
export function complain(field: Field, message: string, fix: string, position?: Position): void {
  const place = position ?? field.document.locate(field.path);
  field.problems.push({ file: field.document.file, ...place, severity: 'error', message, fix });
}

/** The field as a mapping with no other keys than `keys`; undefined, and reported, when it is something else. */
export function readMapping(field: Field, keys: readonly string[]): Mapping | undefined {
  const { value } = field;
  if (!isMapping(value)) {
    complain(field, `${label(field)} must be a mapping`, `write keys under it: ${keys.join(', ')}`);
    return undefined;
  }
  for (const key of Object.keys(value).filter((key) => !keys.includes(key))) complainUnknown(field, key, keys);
  return value;
}

function complainUnknown(field: Field, key: string, keys: readonly string[]): void {
  const near = nearestName(key, keys);
  const fix = near === undefined ? `remove it; known keys are ${keys.join(', ')}` : `write "${near}"`;
  complain(field, `unknown key "${key}"`, fix, field.document.locate([...field.path, key], 'key'));
}

/** The items of a list; none, and reported, when the field is something else. */
export function readList(field: Field): Field[] {
  if (field.value === undefined || field.value === null) return [];
  if (Array.isArray(field.value)) return field.value.map((_, index) => child(field, index));
  complain(field, `${label(field)} must be a list`, 'start each item with "- "');
  return [];
}

/** A text; numbers and booleans count as the text they were written as, like in Prometheus. */
export function readText(field: Field): string | undefined {
  const { value } = field;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return writtenText(field);
  complain(field, `${label(field)} must be text`, 'write one value, on the same line');
  return undefined;
}

function writtenText({ document, path }: Field): string {
  const { line, column, endColumn } = document.locate(path);
  return (document.source.split(/\r\n|\r|\n/)[line - 1] ?? '').slice(column - 1, endColumn - 1);
}

/** Milliseconds of a duration; `absent` when the field is missing or wrong. */
export function readDuration(field: Field, absent: number): number {
  const text = readText(field);
  if (text === undefined) return absent;
  const ms = parseDuration(text);
  if (ms === undefined) complain(field, `"${text}" is not a duration`, 'write it like 30s, 5m or 1h30m');
  return ms ?? absent;
}

/** A whole number, 0 when missing or wrong. */
export function readInteger(field: Field): number {
  if (field.value === undefined || field.value === null) return 0;
  if (typeof field.value === 'number' && Number.isSafeInteger(field.value)) return field.value;
  complain(field, `${label(field)} must be a whole number`, 'write it without quotes, like 100');
  return 0;
}

/** A mapping of label or annotation names to fields. */
export function readNamed(field: Field): [name: string, value: Field][] {
  const { value } = field;
  if (value === undefined || value === null) return [];
  if (isMapping(value)) return Object.keys(value).map((name) => [name, child(field, name)]);
  complain(field, `${label(field)} must be a mapping`, 'write "name: value" lines under it');
  return [];
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function label({ path }: Field): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  return typeof last === 'number' ? `item ${last + 1}` : `"${last}"`;
}
