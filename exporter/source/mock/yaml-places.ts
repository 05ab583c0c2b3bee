/** A YAML document as plain data, and where each part of it is written. */

import { constructFromEvents, EVENT_ID, type Event, getScalarValue, parseEvents, YAMLException } from 'js-yaml';
import type { Diagnostic } from '../../diagnostic.ts';

export type YamlPath = readonly (string | number)[];

/** Part of a file that a message is about. */
type Place = Pick<Diagnostic, 'line' | 'column' | 'endColumn'>;

export type YamlResult =
  | { readonly kind: 'read'; readonly value: unknown; readonly locate: Locate }
  | { readonly kind: 'broken'; readonly diagnostics: readonly Diagnostic[] };

/** Where a value, or its key, is written. What is not written at all is found at the nearest thing around it. */
export type Locate = (path: YamlPath, part: 'key' | 'value') => Place;

/** Half-open range of offsets into the source. */
interface Range {
  readonly start: number;
  readonly end: number;
}

interface Written {
  readonly key: Range | undefined;
  readonly value: Range;
}

interface Problem {
  readonly range: Range;
  readonly message: string;
  readonly fix: string;
}

interface Walk {
  readonly source: string;
  readonly events: readonly Event[];
  readonly written: Map<string, Written>;
  readonly problems: Problem[];
  cursor: number;
}

const maxCharacters = 1024 * 1024;
const maxDepth = 16;

/** Reads one document. Nothing that `source` holds makes it throw. */
export function readYaml(source: string): YamlResult {
  if (source.length > maxCharacters) return broken(source, [tooLong]);
  try {
    return construct(source, parseEvents(source, { maxDepth }));
  } catch (error) {
    // Exceptions of other kinds may escape js-yaml on hostile input; they are the file's fault all the same.
    const start = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
    const reason = error instanceof YAMLException ? error.reason : 'it cannot be parsed';
    return broken(source, [
      { range: { start, end: start + 1 }, message: `not YAML: ${reason}`, fix: syntaxFix(reason) },
    ]);
  }
}

const atStart: Range = { start: 0, end: 1 };
const tooLong: Problem = {
  range: atStart,
  message: `the file is longer than ${maxCharacters} characters`,
  fix: 'split it',
};
const several: Problem = { range: atStart, message: 'the file holds several YAML documents', fix: 'keep one' };

function syntaxFix(reason: string): string {
  if (reason.includes('tab')) return 'indent with spaces';
  if (reason.includes('indentation')) return 'align this line with its siblings';
  return 'look for an unclosed quote or bracket, or a missing space after ":"';
}

function broken(source: string, problems: readonly Problem[]): YamlResult {
  const diagnostics = problems.map(({ range, message, fix }) => ({ ...placeOf(source, range), message, fix }));
  return { kind: 'broken', diagnostics };
}

function construct(source: string, events: Event[]): YamlResult {
  const walk: Walk = { source, events, written: new Map(), problems: [], cursor: 1 };
  const first = next(walk);
  if (first !== undefined) visit(walk, first, { path: [], key: undefined });
  if (events.slice(walk.cursor).some(({ type }) => type === EVENT_ID.DOCUMENT)) walk.problems.push(several);
  if (walk.problems.length > 0) return broken(source, walk.problems);
  const locate: Locate = (path, part) => placeOf(source, rangeOf(walk.written, path, part));
  return { kind: 'read', value: constructFromEvents(events, { source })[0] ?? null, locate };
}

type NodeEvent = Exclude<Event, { type: typeof EVENT_ID.POP | typeof EVENT_ID.DOCUMENT }>;

// The event at the cursor, consumed; undefined, and the closing event consumed, at the end of a collection.
function next(walk: Walk): NodeEvent | undefined {
  const event = walk.events[walk.cursor++];
  return event === undefined || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT ? undefined : event;
}

interface Spot {
  readonly path: YamlPath;
  readonly key: Range | undefined;
}

function visit(walk: Walk, event: NodeEvent, { path, key }: Spot): void {
  walk.written.set(JSON.stringify(path), { key, value: ownRange(event, key) });
  if (event.type === EVENT_ID.ALIAS)
    walk.problems.push({
      range: ownRange(event, key),
      message: 'aliases are not understood here',
      fix: 'write the value itself',
    });
  if (event.type === EVENT_ID.SEQUENCE) visitItems(walk, path);
  if (event.type === EVENT_ID.MAPPING) visitEntries(walk, path);
}

function visitItems(walk: Walk, path: YamlPath): void {
  let nth = 0;
  for (let item = next(walk); item !== undefined; item = next(walk)) {
    visit(walk, item, { path: [...path, nth], key: undefined });
    nth += 1;
  }
}

function visitEntries(walk: Walk, path: YamlPath): void {
  for (let key = next(walk); key !== undefined; key = next(walk)) {
    const range = ownRange(key, undefined);
    const name = key.type === EVENT_ID.SCALAR ? getScalarValue(walk.source, key) : undefined;
    if (name === undefined) {
      walk.problems.push({ range, message: 'a key must be plain text', fix: 'quote it or rename it' });
      visit(walk, key, { path: [...path, '?'], key: range });
    } else if (walk.written.has(JSON.stringify([...path, name])))
      walk.problems.push({
        range,
        message: `the key ${JSON.stringify(name)} is there twice`,
        fix: 'keep one of the two',
      });
    const value = next(walk);
    if (value !== undefined) visit(walk, value, { path: [...path, name ?? '?'], key: range });
  }
}

// A value that is not written at all, as in `key:`, is where its key is.
function ownRange(event: NodeEvent, key: Range | undefined): Range {
  if (event.type === EVENT_ID.ALIAS) return { start: event.anchorStart - 1, end: event.anchorEnd };
  if (event.type !== EVENT_ID.SCALAR) return { start: event.start, end: event.start + 1 };
  return event.valueStart < 0 ? (key ?? atStart) : { start: event.valueStart, end: event.valueEnd };
}

function rangeOf(written: Walk['written'], path: YamlPath, part: 'key' | 'value'): Range {
  const found = written.get(JSON.stringify(path));
  if (found !== undefined) return (part === 'key' ? found.key : undefined) ?? found.value;
  return path.length === 0 ? atStart : rangeOf(written, path.slice(0, -1), 'value');
}

// Lines and columns count from 1; a range that goes on after its line is cut there.
function placeOf(source: string, { start, end }: Range): Place {
  const lines = source.slice(0, start).split(/\r\n|\r|\n/);
  const column = (lines.at(-1)?.length ?? 0) + 1;
  const rest = source.slice(start, end).split(/[\r\n]/, 1)[0] ?? '';
  return { line: lines.length, column, endColumn: column + Math.max(1, rest.length) };
}
