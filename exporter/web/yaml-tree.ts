/** A YAML document as text with places. What a text means is decided by the key it stands under, as Go's decoders do. */

import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';

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

const maxCharacters = 1024 * 1024;
const maxDepth = 16;

/** Reads one document. Nothing that `source` holds makes it throw. */
export function readYaml(source: string): YamlTree {
  const nothing: Place = { start: 0, end: 0 };
  if (source.length > maxCharacters)
    return broken(nothing, `the file is longer than ${maxCharacters} characters`, 'give the web configuration file');
  try {
    return buildTree(source, parseEvents(source, { maxDepth }));
  } catch (error) {
    // Exceptions of other kinds may escape js-yaml on hostile input; they are the file's fault all the same.
    const start = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
    const reason = error instanceof YAMLException ? error.reason : 'it cannot be parsed';
    return broken({ start, end: start + 1 }, `not YAML: ${reason}`, syntaxFix(reason));
  }
}

function broken(place: Place, message: string, fix: string): YamlTree {
  return { root: undefined, problems: [{ place, message, fix }] };
}

function syntaxFix(reason: string): string {
  if (reason.includes('tab')) return 'indent with spaces';
  if (reason.startsWith('bad indentation')) return 'align this line with its siblings';
  return 'look for an unclosed quote or bracket, or a missing space after ":"';
}

interface Builder {
  readonly source: string;
  readonly events: readonly Event[];
  readonly anchors: Map<string, YamlNode>;
  readonly problems: Problem[];
  cursor: number;
  /** Where the last written node began or ended: the best place for a value that is not written at all. */
  lastOffset: number;
}

type NodeEvent = Exclude<Event, { type: typeof EVENT_ID.POP | typeof EVENT_ID.DOCUMENT }>;
type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;

function buildTree(source: string, events: readonly Event[]): YamlTree {
  const builder: Builder = { source, events, anchors: new Map(), problems: [], cursor: 1, lastOffset: 0 };
  const first = nextEvent(builder);
  const root = first && readNode(builder, first);
  return { root, problems: [...builder.problems, ...laterDocuments(source, events)] };
}

function laterDocuments(source: string, events: readonly Event[]): readonly Problem[] {
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
  const target = builder.anchors.get(name);
  if (target !== undefined) return { ...target, place };
  builder.problems.push({ place, message: `unknown alias "*${name}"`, fix: `write &${name} before it is used` });
  return { kind: 'text', place, text: '', isPlain: true };
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
  if (keyNode.kind !== 'text') refuse('a key is a list or a mapping', 'give a name');
  else if (keyNode.isPlain && keyNode.text === '<<') refuse('"<<" is not understood here', 'write the keys out');
  else if (entries.has(keyNode.text)) refuse(`the key "${keyNode.text}" is there twice`, 'keep one of the two');
  else entries.set(keyNode.text, { key: keyNode.text, keyPlace: place, value });
}
