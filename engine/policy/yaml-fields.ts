/**
 * Reads a YAML document value by value. A bad one is reported at its place, and reading goes on without it. The values
 * may be secrets, and what is reported ends up in logs: problems name places and keys, and quote no value.
 * Plain data from a library's parser is enough here; rule files need more than that, and have a reader in engine/rules.
 */
import type { Diagnostic, Position } from './diagnostics.ts';
import { parseDuration } from './duration.ts';
import { nearestName } from './nearest-name.ts';
import { isMapping, type Mapping } from './tree.ts';
import type { YamlDocument, YamlPath } from './yaml.ts';

/** One value of the document that is being read, and the list that its problems go to. */
export interface Field {
  readonly document: YamlDocument;
  readonly path: YamlPath;
  readonly value: unknown;
  readonly problems: Diagnostic[];
}

/** The whole document as a field. */
export function rootField(document: YamlDocument, problems: Diagnostic[]): Field {
  return { document, path: [], value: document.value, problems };
}

/** The field under `key`; its value is undefined when the mapping lacks it. */
export function child(field: Field, key: string | number): Field {
  const { value } = field;
  const own = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  return { ...field, path: [...field.path, key], value: own ? Reflect.get(value, key) : undefined };
}

/** True when nothing is written: the key is missing, or nothing follows it. */
export function isBlank({ value }: Field): boolean {
  return value === undefined || value === null;
}

/** True when the key is there, whatever follows it. */
export function isWritten({ value }: Field): boolean {
  return value !== undefined;
}

/** Reports a problem at the field's value, or at `position`. Neither text may quote a value. */
export function complain(field: Field, message: string, fix: string, position?: Position): void {
  const place = position ?? field.document.locate(field.path);
  field.problems.push({ file: field.document.file, ...place, severity: 'error', message, fix });
}

/** Reports a problem at the key of the field. */
export function complainOfKey(field: Field, message: string, fix: string): void {
  complain(field, message, fix, field.document.locate(field.path, 'key'));
}

/** The field as a mapping with no other keys than `keys`; undefined, and reported, when it is something else. */
export function readMapping(field: Field, keys: readonly string[]): Mapping | undefined {
  const mapping = readAnyMapping(field, `write keys under it: ${keys.join(', ')}`);
  if (mapping === undefined) return undefined;
  for (const key of Object.keys(mapping).filter((name) => !keys.includes(name))) complainUnknown(field, key, keys);
  return mapping;
}

/** The field as a mapping with any keys; undefined, and reported, when it is something else. */
export function readAnyMapping(field: Field, fix: string): Mapping | undefined {
  if (isMapping(field.value)) return field.value;
  complain(field, `${label(field)} must be a mapping`, fix);
  return undefined;
}

function complainUnknown(field: Field, key: string, keys: readonly string[]): void {
  const near = nearestName(key, keys);
  // A word far from every key may be a part of a password: unquoted, a comma ends one in { braces }.
  const [name, fix] =
    near === undefined ? ['', `remove it; known keys are ${keys.join(', ')}`] : [` "${key}"`, `write "${near}"`];
  complainOfKey(child(field, key), `unknown key${name}`, fix);
}

/** The items of a list; none, and reported, when the field is something else. */
export function readList(field: Field): Field[] {
  if (isBlank(field)) return [];
  if (Array.isArray(field.value)) return field.value.map((_, index) => child(field, index));
  complain(field, `${label(field)} must be a list`, 'start each item with "- "');
  return [];
}

/** A text; numbers and booleans count as the text they were written as, like in Prometheus. */
export function readText(field: Field): string | undefined {
  const { value } = field;
  if (isBlank(field)) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return writtenText(field);
  complain(field, `${label(field)} must be text`, 'write one value, on the same line');
  return undefined;
}

function writtenText({ document, path }: Field): string {
  const { line, column, endColumn } = document.locate(path);
  return (document.source.split(/\r\n|\r|\n/)[line - 1] ?? '').slice(column - 1, endColumn - 1);
}

/** The texts of a list. */
export function readTexts(field: Field): string[] {
  return readList(field).flatMap((item) => readText(item) ?? []);
}

/** Milliseconds of a duration; `absent` when the field is missing or wrong. */
export function readDuration(field: Field, absent: number): number {
  const text = readText(field);
  if (text === undefined) return absent;
  const ms = parseDuration(text);
  if (ms === undefined) complain(field, `${label(field)} must be a duration`, 'write it like 30s, 5m or 1h30m');
  return ms ?? absent;
}

/** A whole number from 0; `absent` when the field is missing or wrong. */
export function readCount(field: Field, absent: number): number {
  const { value } = field;
  if (isBlank(field)) return absent;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  complain(field, `${label(field)} must be a whole number`, 'write it without quotes, like 100');
  return absent;
}

/** `true` or `false`; `absent` when the field is missing or wrong. */
export function readFlag(field: Field, absent: boolean): boolean {
  const { value } = field;
  if (isBlank(field)) return absent;
  if (typeof value === 'boolean') return value;
  // Prometheus reads YAML 1.1, which has more words for the two.
  if (typeof value === 'string' && /^(yes|on|no|off)$/i.test(value)) return /^(yes|on)$/i.test(value);
  complain(field, `${label(field)} must be true or false`, 'write true or false, without quotes');
  return absent;
}

/** One of the named choices; `absent` when the field is missing or wrong. */
export function readChoice<const Name extends string>(field: Field, names: readonly Name[], absent: Name): Name {
  const text = readText(field);
  if (text === undefined) return absent;
  const chosen = names.find((name) => name === text);
  if (chosen === undefined)
    complain(field, `${label(field)} must be one of its choices`, `write one of ${names.join(', ')}`);
  return chosen ?? absent;
}

/** A mapping of any names to fields. */
export function readNamed(field: Field): [name: string, value: Field][] {
  if (isBlank(field)) return [];
  const mapping = readAnyMapping(field, 'write "name: value" lines under it');
  return Object.keys(mapping ?? {}).map((name) => [name, child(field, name)]);
}

function label({ path }: Field): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  return typeof last === 'number' ? `item ${last + 1}` : `"${last}"`;
}
