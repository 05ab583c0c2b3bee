/** A YAML document as text with places. What a text means is decided by the key it stands under, as Go's decoders do. */

import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import type { Diagnostic } from './diagnostic.ts';

/** Half-open range of offsets into the source. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export type YamlNode = YamlScalar | YamlList | YamlMapping;

export interface YamlScalar {
  readonly kind: 'text';
  readonly place: Place;
  readonly text: string;
  /** Whether it is written without quotes and not as a block: only then can it mean true, 5 or nothing. */
  readonly isPlain: boolean;
}

interface YamlList {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly YamlNode[];
}

export interface YamlMapping {
  readonly kind: 'mapping';
  readonly place: Place;
  readonly entries: readonly YamlEntry[];
}

export interface YamlEntry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: YamlNode;
}

/** Something wrong in the file; `fix` is one imperative sentence without its full stop. */
export interface Problem {
  readonly place: Place;
  readonly message: string;
  readonly fix: string;
}

export interface YamlTree {
  /** Undefined for a document without content. */
  readonly root: YamlNode | undefined;
  readonly problems: readonly Problem[];
}

/** What becomes of `*name`: the value it stands for, or a problem. */
type AliasPolicy = 'follow' | 'refuse';

const maxCharacters = 1024 * 1024;
const maxDepth = 16;
const tooLong: Problem = {
  place: { start: 0, end: 0 },
  message: `the file is longer than ${maxCharacters} characters`,
  fix: 'give a shorter one',
};

/** Reads one document. Nothing that `source` holds makes it throw. */
export function readYaml(source: string, aliases: AliasPolicy): YamlTree {
  if (source.length > maxCharacters) return { root: undefined, problems: [tooLong] };
  try {
    return buildTree({ source, events: parseEvents(source, { maxDepth }), aliases });
  } catch (error) {
    return { root: undefined, problems: [syntaxProblem(source, error)] };
  }
}

/** Where in the source a place is, for people; what goes on after its line is cut there. */
export function positionOf(source: string, { start, end }: Place): Pick<Diagnostic, 'line' | 'column' | 'endColumn'> {
  const lines = source.slice(0, start).split(/\r\n|\r|\n/);
  const column = (lines.at(-1)?.length ?? 0) + 1;
  const [rest = ''] = source.slice(start, end).split(/[\r\n]/, 1);
  return { line: lines.length, column, endColumn: column + Math.max(1, rest.length) };
}

/** What js-yaml threw. Exceptions of other kinds may escape it on hostile input; they are the file's fault all the same. */
export function syntaxProblem(source: string, error: unknown): Problem {
  const isYaml = error instanceof YAMLException;
  const start = Math.min((isYaml ? error.mark?.position : undefined) ?? 0, source.length);
  const reason = isYaml ? error.reason : 'it cannot be parsed';
  const place = { start, end: Math.min(start + 1, source.length) };
  return { place, message: `not YAML: ${reason}`, fix: syntaxFix(reason) };
}

function syntaxFix(reason: string): string {
  if (reason.includes('tab')) return 'indent with spaces';
  if (reason.startsWith('bad indentation')) return 'align this line with its siblings';
  if (/^unknown \w+ tag/.test(reason)) return 'remove it';
  return 'look for an unclosed quote or bracket, or a missing space after ":"';
}

interface Parsed {
  readonly source: string;
  readonly events: readonly Event[];
  readonly aliases: AliasPolicy;
}

interface Builder extends Parsed {
  readonly anchors: Map<string, YamlNode>;
  readonly problems: Problem[];
  cursor: number;
  /** Where the last written node began or ended: the best place for a value that is not written at all. */
  lastOffset: number;
}

type NodeEvent = Exclude<Event, { type: typeof EVENT_ID.POP | typeof EVENT_ID.DOCUMENT }>;
type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;

function buildTree(parsed: Parsed): YamlTree {
  const builder: Builder = { ...parsed, anchors: new Map(), problems: [], cursor: 1, lastOffset: 0 };
  const first = nextEvent(builder);
  const root = first && readNode(builder, first);
  return { root, problems: [...builder.problems, ...laterDocuments(parsed)] };
}

function laterDocuments({ source, events }: Parsed): readonly Problem[] {
  if (events.filter(({ type }) => type === EVENT_ID.DOCUMENT).length < 2) return [];
  const start = [...source.matchAll(/^---/gm)].at(-1)?.index ?? 0;
  const message = 'the file holds several YAML documents';
  return [{ place: { start, end: start + 3 }, message, fix: 'remove the "---" and what follows it' }];
}

/** The next node's event, consumed; undefined at the end of the collection or document, whose event is consumed too. */
function nextEvent(builder: Builder): NodeEvent | undefined {
  const event = builder.events[builder.cursor++];
  if (event === undefined || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) return undefined;
  return event;
}

function readNode(builder: Builder, event: NodeEvent): YamlNode {
  if (event.type === EVENT_ID.ALIAS) return readAlias(builder, event);
  const node = readContent(builder, event);
  if (event.anchorStart !== -1) builder.anchors.set(builder.source.slice(event.anchorStart, event.anchorEnd), node);
  return node;
}

function readContent(builder: Builder, event: Exclude<NodeEvent, { type: typeof EVENT_ID.ALIAS }>): YamlNode {
  if (event.type === EVENT_ID.SCALAR) return readScalar(builder, event);
  const place = { start: event.start, end: event.start + 1 };
  builder.lastOffset = event.start;
  return event.type === EVENT_ID.SEQUENCE
    ? { kind: 'list', place, items: readItems(builder) }
    : { kind: 'mapping', place, entries: readEntries(builder) };
}

// A list or mapping gets its anchor only when it is complete, so an alias inside of it finds nothing: there are no cycles.
function readAlias(builder: Builder, event: Extract<NodeEvent, { type: typeof EVENT_ID.ALIAS }>): YamlNode {
  const name = builder.source.slice(event.anchorStart, event.anchorEnd);
  const place = { start: event.anchorStart - 1, end: event.anchorEnd };
  builder.lastOffset = place.end;
  const target = builder.aliases === 'follow' ? builder.anchors.get(name) : undefined;
  if (target !== undefined) return { ...target, place };
  builder.problems.push({ place, ...aliasProblem(builder, name) });
  return { kind: 'text', place, text: '', isPlain: true };
}

function aliasProblem({ aliases }: Builder, name: string): Omit<Problem, 'place'> {
  return aliases === 'follow'
    ? { message: `unknown alias "*${name}"`, fix: `write &${name} before it is used` }
    : { message: 'aliases are not understood here', fix: 'write the value itself' };
}

function readScalar(builder: Builder, event: ScalarEvent): YamlScalar {
  const place = placeOfScalar(builder, event);
  builder.lastOffset = place.end;
  return {
    kind: 'text',
    place,
    text: getScalarValue(builder.source, event),
    isPlain: event.style === SCALAR_STYLE.PLAIN,
  };
}

// `key:` with nothing after it is a scalar without a place; a block begins with its indentation, which is none of it.
function placeOfScalar(
  { lastOffset }: Builder,
  { valueStart: start, valueEnd: end, style, indent }: ScalarEvent,
): Place {
  if (start === -1) return { start: lastOffset, end: lastOffset };
  const isBlock = style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK;
  if (isBlock) return { start: start + Math.max(0, indent), end };
  return style === SCALAR_STYLE.PLAIN ? { start, end } : { start: start - 1, end: end + 1 };
}

function readItems(builder: Builder): readonly YamlNode[] {
  const items: YamlNode[] = [];
  for (let event = nextEvent(builder); event !== undefined; event = nextEvent(builder)) {
    items.push(readNode(builder, event));
  }
  return items;
}

function readEntries(builder: Builder): readonly YamlEntry[] {
  const entries = new Map<string, YamlEntry>();
  for (let event = nextEvent(builder); event !== undefined; event = nextEvent(builder)) {
    const keyNode = readNode(builder, event);
    const valueEvent = nextEvent(builder);
    if (valueEvent === undefined) break;
    addEntry(builder, entries, keyNode, readNode(builder, valueEvent));
  }
  return [...entries.values()];
}

function addEntry(builder: Builder, entries: Map<string, YamlEntry>, keyNode: YamlNode, value: YamlNode): void {
  const place = keyNode.place;
  const refuse = (message: string, fix: string) => builder.problems.push({ place, message, fix });
  if (keyNode.kind !== 'text') refuse('a key must be plain text', 'quote it or rename it');
  else if (keyNode.isPlain && keyNode.text === '<<') refuse('"<<" is not understood here', 'write the keys out');
  else if (entries.has(keyNode.text)) refuse(`the key "${keyNode.text}" is there twice`, 'keep one of the two');
  else entries.set(keyNode.text, { key: keyNode.text, keyPlace: place, value });
}
