/**
 * Reads the fields of a rule file one by one. A bad field is reported at its place, and reading goes on without it. A
 * rule file is accepted, refused and understood exactly as by Prometheus' own parser, which the library that reads policies
 * is not able to: hence a second reader, with ./yaml below it.
 */
import type { Diagnostic, Position } from '../policy/diagnostics.ts';
import { parseDuration } from '../policy/duration.ts';
import type { LineIndex } from '../policy/line-index.ts';
import { nearestName } from '../policy/nearest-name.ts';
import { entriesOf } from './yaml/entries.ts';
import { meaningOf, type ScalarMeaning } from './yaml/meaning.ts';
import { followAlias, type ScalarNode, type YamlNode } from './yaml/node.ts';
import { offsetOf } from './yaml/scalar-text.ts';

/** The file that is being read, and the list that its problems go to. */
export interface RuleFileReader {
  readonly file: string;
  readonly lines: LineIndex;
  readonly problems: Diagnostic[];
  /** How many more copies of values may be read: aliases and merges can make a small file stand for a huge one. */
  copiesLeft: number;
}

/** One value of the file. */
export interface Field {
  readonly reader: RuleFileReader;
  /** Whether it was written elsewhere, and an alias or a merge brought it here. */
  readonly isCopy: boolean;
  /** What messages call it. */
  readonly label: string;
  /** Undefined when it is missing or null. */
  readonly node: Exclude<YamlNode, { kind: 'alias' }> | undefined;
  /** Where it was written; for what is missing, where it belongs. */
  readonly place: Position;
}

/** The fields of a mapping by name; what is not written is a field without a node. */
export interface Fields {
  field(name: string): Field;
}

type Report = Pick<Diagnostic, 'message' | 'fix'> & Partial<Pick<Diagnostic, 'severity'>>;

/** Reports a problem at the field, or at `place`. */
export function report({ reader, place: own }: Field, problem: Report, place: Position = own): void {
  reader.problems.push({ file: reader.file, ...place, severity: 'error', ...problem });
}

/** The whole file as a field. */
export function rootField(reader: RuleFileReader, root: YamlNode): Field {
  return fieldOf({ reader, isCopy: false }, root, 'the file');
}

function fieldOf({ reader, isCopy: isPart }: Pick<Field, 'reader' | 'isCopy'>, node: YamlNode, label: string): Field {
  const isCopy = isPart || node.kind === 'alias';
  if (isCopy && --reader.copiesLeft < 0) throw new TooManyCopies();
  const place = reader.lines.position(node.start, node.end);
  const target = followAlias(node);
  return { reader, isCopy, label, node: isNull(target) ? undefined : target, place };
}

/** Thrown when aliases expand to more than any rule file holds. */
export class TooManyCopies extends Error {}

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && meaningOf(node).kind === 'null';
}

/** The field as a mapping with no other keys than `names`; undefined when it is null or, reported, something else. */
export function readFields(field: Field, names: readonly string[]): Fields | undefined {
  const found = readEntries(field, `write keys under it: ${names.join(', ')}`);
  if (found === undefined) return undefined;
  const fields = new Map<string, Field>();
  for (const { name, key, value } of found) {
    if (!names.includes(name)) reportUnknown(field, { name, key, names });
    else if (fields.has(name)) reportTwice(field, name, key);
    else fields.set(name, value);
  }
  const absent = (name: string): Field => ({ ...field, label: `"${name}"`, node: undefined });
  return { field: (name) => fields.get(name) ?? absent(name) };
}

function reportUnknown(
  field: Field,
  { name, key, names }: { name: string; key: Position; names: readonly string[] },
): void {
  const near = nearestName(name, names);
  const fix = near === undefined ? `remove it; known keys are ${names.join(', ')}` : `write "${near}"`;
  report(field, { message: `unknown key "${name}"`, fix }, key);
}

function reportTwice(field: Field, name: string, key: Position): void {
  report(field, { message: `duplicate key "${name}"`, fix: 'keep one of the two' }, key);
}

export interface Entry {
  readonly name: string;
  readonly key: Position;
  readonly value: Field;
}

/** A mapping of any names to fields, such as labels; empty when it is null or, reported, no mapping. */
export function readNamed(field: Field): readonly Entry[] {
  return readEntries(field, 'write "name: value" lines under it') ?? [];
}

function readEntries(field: Field, fix: string): readonly Entry[] | undefined {
  const { reader, node } = field;
  if (node === undefined) return undefined;
  if (node.kind !== 'mapping') {
    report(field, { message: `${field.label} must be a mapping`, fix });
    return undefined;
  }
  const { entries, faults } = entriesOf(node);
  for (const { start, end, message, fix } of faults) report(field, { message, fix }, reader.lines.position(start, end));
  return entries.map(({ name, key, value, isMerged }) => {
    const place = reader.lines.position(key.start, key.end);
    const read = fieldOf({ reader, isCopy: field.isCopy || isMerged }, value, `"${name}"`);
    return { name, key: place, value: value.start === value.end ? { ...read, place } : read };
  });
}

/** The items of a list; none when it is null or, reported, no list. Items that are null count as not written. */
export function readList(field: Field, itemLabel: string): readonly Field[] {
  const { node } = field;
  if (node === undefined) return [];
  if (node.kind === 'sequence') {
    const items = node.items.map((item, index) => fieldOf(field, item, `${itemLabel} ${index + 1}`));
    return items.filter((item) => item.node !== undefined);
  }
  report(field, { message: `${field.label} must be a list`, fix: 'start each item with "- "' });
  return [];
}

/** A text; undefined when it is null or, reported, no text. Numbers and booleans are the text they were written as. */
export function readText(field: Field): string | undefined {
  const meaning = readScalar(field, 'text');
  return meaning === undefined || meaning.kind === 'null' ? undefined : meaning.text;
}

type Valid = Exclude<ScalarMeaning, { kind: 'misfit' }>;

function readScalar(field: Field, wanted: string): Valid | undefined {
  const { node } = field;
  if (node === undefined) return undefined;
  if (node.kind !== 'scalar') {
    report(field, { message: `${field.label} must be ${wanted}`, fix: 'write one value, on the same line' });
    return undefined;
  }
  const meaning = meaningOf(node);
  if (meaning.kind !== 'misfit') return meaning;
  report(field, { message: meaning.message, fix: 'remove the tag' });
  return undefined;
}

// Prometheus counts nanoseconds in 64 bits.
const LONGEST_MS = 9_223_372_036_854;

/** Milliseconds of a duration; undefined when it is null or, reported, none. */
export function readDuration(field: Field): number | undefined {
  const text = readText(field);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms <= LONGEST_MS) return ms;
  report(field, durationProblem(text, ms));
  return undefined;
}

function durationProblem(text: string, ms: number | undefined): Report {
  if (ms !== undefined) return { message: `"${text}" is longer than 292 years`, fix: 'write a shorter duration' };
  if (text === '')
    return { message: 'the duration is empty', fix: 'write it like 30s, 5m or 1h30m, or remove the key' };
  const fix = /^\d+$/.test(text)
    ? `add a unit: ${text}s`
    : 'write it like 30s, 5m or 1h30m: whole numbers, largest unit first';
  return { message: `"${text}" is not a duration`, fix };
}

/** A whole number, 0 when it is null or, reported, none. Fractions are cut, as Prometheus cuts them. */
export function readInteger(field: Field): number {
  const meaning = readScalar(field, 'a whole number');
  if (meaning === undefined || meaning.kind === 'null') return 0;
  const number = meaning.kind === 'text' ? Number.NaN : meaning.number;
  if (number < 2 ** 63) return Math.trunc(number);
  report(field, { message: `${field.label} must be a whole number`, fix: 'write it without quotes, like 100' });
  return 0;
}

/** Where characters [from, to) of the field's text were written. */
export function placeInText(field: Field, from: number, to: number): Position {
  const { reader, node } = field;
  if (node?.kind !== 'scalar') return field.place;
  const start = offsetOf(node.value, from);
  if (start === undefined) return field.place;
  return reader.lines.position(start, endOffset(node, from, to));
}

/** An empty range lies behind the last character. */
function endOffset({ value }: ScalarNode, from: number, to: number): number {
  const last = offsetOf(value, Math.max(from, to - 1)) ?? 0;
  return last + 1;
}
