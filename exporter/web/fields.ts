/** Reads typed values out of a YAML tree, one reader per kind of value, and notes everything that is wrong on the way. */

import { nearestNames } from '../nearest-name.ts';
import type { Place, Problem, YamlEntry, YamlMapping, YamlNode, YamlScalar } from '../yaml-tree.ts';

/** A value, and where it is written. */
interface Written<T> {
  readonly value: T;
  readonly place: Place;
}

/** Where a reader stands: the dotted path for messages, and the list its problems go to. */
export interface Spot {
  readonly path: string;
  readonly problems: Problem[];
}

/** Undefined where the value cannot be used; the problem has been noted then. */
export type Reader<T> = (node: YamlNode, spot: Spot) => T | undefined;

/** What was read of a mapping: a key is absent where it is not given, empty or unusable. */
export type Fields<T> = { readonly [Key in keyof T]?: Written<T[Key]> };

/** Reads a mapping whose keys are those of `readers`; any other key is a problem. */
export function readFields<T>(
  node: YamlNode,
  spot: Spot,
  readers: { readonly [Key in keyof T]: Reader<T[Key]> },
): Fields<T> {
  const fields: { [Key in keyof T]?: Written<T[Key]> } = {};
  for (const { key, keyPlace, value } of entriesOf(node, spot)) {
    if (!isKeyOf(readers, key)) noteUnknown(spot, { key, place: keyPlace, known: Object.keys(readers) });
    else if (!isNothing(value)) {
      const read = readers[key](value, { ...spot, path: pathTo(spot, key) });
      if (read !== undefined) fields[key] = { value: read, place: value.place };
    }
  }
  return fields;
}

function isKeyOf<T extends object>(readers: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(readers, key);
}

/** The entries of a mapping with any keys; none, and a problem, for a list or a text. */
export function entriesOf(node: YamlNode, spot: Spot): readonly YamlEntry[] {
  if (isNothing(node)) return [];
  if (isMapping(node)) return node.entries;
  note(spot, {
    place: node.place,
    message: `${spot.path || 'the file'} is ${aKind(node)}`,
    fix: 'write "key: value" lines',
  });
  return [];
}

/** Any text. As the exporter-toolkit reads it, a number or a bare true is text where text is asked for. */
export const text: Reader<string> = (node, spot) => {
  if (node.kind === 'text') return node.text;
  note(spot, { place: node.place, message: `${spot.path} is ${aKind(node)}`, fix: 'give one text' });
  return undefined;
};

const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['true', 'yes', 'on', 'y'].map((word) => [word, true])),
  ...Object.fromEntries(['false', 'no', 'off', 'n'].map((word) => [word, false])),
};

/** true or false, in all the spellings of YAML 1.1. */
export const flag: Reader<boolean> = (node, spot) => {
  const truth = node.kind === 'text' && node.isPlain ? truths[casedAsYaml(node.text)] : undefined;
  if (truth === undefined)
    note(spot, {
      place: node.place,
      message: `${spot.path} is ${shown(node)}`,
      fix: 'give true or false, without quotes',
    });
  return truth;
};

// YAML 1.1 knows true, True and TRUE, and no other case.
function casedAsYaml(word: string): string {
  return /^([a-z]+|[A-Z]+|[A-Z][a-z]+)$/.test(word) ? word.toLowerCase() : word;
}

/** A whole number from `min` on. */
export function wholeNumber(min: number): Reader<number> {
  return (node, spot) => {
    const value = node.kind === 'text' && node.isPlain && /^\d{1,9}$/.test(node.text) ? Number(node.text) : -1;
    if (value >= min) return value;
    note(spot, {
      place: node.place,
      message: `${spot.path} is ${shown(node)}`,
      fix: `give a whole number, ${min} or more`,
    });
    return undefined;
  };
}

const unitMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds, written as Go writes durations: 500ms, 1.5s, 1m30s, or 0. */
export const duration: Reader<number> = (node, spot) => {
  const ms = node.kind === 'text' ? parseDuration(node.text) : undefined;
  if (ms === undefined)
    note(spot, {
      place: node.place,
      message: `${spot.path} is ${shown(node)}`,
      fix: 'give a number with its unit, such as 500ms, 1s or 2m',
    });
  return ms;
};

function parseDuration(written: string): number | undefined {
  if (written === '0') return 0;
  if (!/^(\d{1,12}(\.\d{1,12})?(ns|us|µs|μs|ms|s|m|h))+$/.test(written)) return undefined;
  const parts = written.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * unitMs[unit as keyof typeof unitMs], 0);
}

/** One of the names of a table, and what the table says of it. */
export function oneOf<T>(table: Readonly<Record<string, T>>): Reader<T> {
  return (node, spot) => {
    if (node.kind === 'text' && Object.hasOwn(table, node.text)) return table[node.text];
    note(spot, {
      place: node.place,
      message: `${spot.path} is ${shown(node)}`,
      fix: choiceOf(Object.keys(table), node),
    });
    return undefined;
  };
}

// A long list is no help to somebody who has mistyped one name of it.
function choiceOf(names: readonly string[], node: YamlNode): string {
  const [nearest] = names.length > 6 && node.kind === 'text' ? nearestNames(node.text, names, 1) : [];
  return nearest === undefined ? `give one of ${names.join(', ')}` : `write ${nearest}`;
}

/** A list, each item with its own reader; items that cannot be used are left out. */
export function listOf<T>(reader: Reader<T>): Reader<readonly T[]> {
  return (node, spot) => {
    if (node.kind === 'list')
      return node.items
        .map((item, nth) => reader(item, { ...spot, path: `${spot.path}[${nth}]` }))
        .filter((item) => item !== undefined);
    note(spot, {
      place: node.place,
      message: `${spot.path} is ${aKind(node)}`,
      fix: 'write one "- value" line for each',
    });
    return undefined;
  };
}

/** A value as it may be shown: short, and only where it is no secret. */
export function shown(node: YamlNode): string {
  return node.kind === 'text' ? quoted(node.text) : aKind(node);
}

/** Quoted, and cut where it is long. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

/** Adds a problem to the list of the spot. */
export function note({ problems }: Spot, problem: Problem): void {
  problems.push(problem);
}

function noteUnknown(spot: Spot, { key, place, known }: { key: string; place: Place; known: readonly string[] }): void {
  const [nearest] = nearestNames(key, known, 1);
  const fix = nearest === undefined ? `known here are ${known.join(', ')}` : `write ${nearest}, or remove it`;
  note(spot, { place, message: `${spot.path || 'the file'} has no key ${quoted(key)}`, fix });
}

/** `key` below a spot; the top of the file has no name of its own. */
export function pathTo({ path }: Spot, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function isMapping(node: YamlNode): node is YamlMapping {
  return node.kind === 'mapping';
}

/** What YAML takes for null: `key:` with nothing after it, ~ and the word. */
export function isNothing(node: YamlNode): node is YamlScalar {
  return node.kind === 'text' && node.isPlain && ['', '~', 'null', 'Null', 'NULL'].includes(node.text);
}

function aKind({ kind }: YamlNode): string {
  return kind === 'text' ? 'plain text' : `a ${kind}`;
}
