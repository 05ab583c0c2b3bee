/** The shape of a YAML document with source offsets, built from js-yaml's event stream. */
import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE } from 'js-yaml';
import type { ScalarEvent } from './scalar-offsets.ts';

/** Half-open range of offsets into the source. */
interface Range {
  readonly start: number;
  readonly end: number;
}

export interface YamlNode {
  readonly key?: Range;
  readonly range: Range;
  readonly scalar?: ScalarEvent;
  readonly children: Map<string, YamlNode>;
  /** Mappings pulled in by `<<`, in order of precedence. */
  readonly merged: YamlNode[];
  /** Nodes this one stands for once aliases are expanded: the cost of walking its value. */
  readonly size: number;
}

export interface YamlTree {
  readonly root: YamlNode | undefined;
  readonly problems: readonly YamlProblem[];
}

export interface YamlProblem {
  readonly range: Range;
  readonly message: string;
  readonly fix: string;
}

type CollectionEvent = Extract<Event, { start: number }>;
type AliasEvent = Extract<Event, { type: typeof EVENT_ID.ALIAS }>;
type NodeEvent = CollectionEvent | ScalarEvent | AliasEvent;

interface Builder {
  readonly source: string;
  readonly events: readonly Event[];
  readonly problems: YamlProblem[];
  /** Anchors seen so far; undefined while the anchored collection is still open. */
  readonly anchors: Map<string, YamlNode | undefined>;
  cursor: number;
  /** Where the last written node began or ended: the best place for a value that is not written at all. */
  lastOffset: number;
}

/** Builds the tree of the first document. Problems js-yaml stops at one by one are all collected here. */
export function buildTree(source: string, events: readonly Event[]): YamlTree {
  const builder: Builder = { source, events, problems: [], anchors: new Map(), cursor: 1, lastOffset: 0 };
  const root = nextNodeEvent(builder);
  return { root: root && readNode(builder, root), problems: builder.problems };
}

/** The node event at the cursor, consumed; undefined (and the closing event consumed) at the end of a collection. */
function nextNodeEvent(builder: Builder): NodeEvent | undefined {
  const event = builder.events[builder.cursor++];
  if (event === undefined || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) return undefined;
  builder.lastOffset = Math.max(builder.lastOffset, endOf(event));
  return event;
}

function endOf(event: NodeEvent): number {
  if (event.type === EVENT_ID.ALIAS) return event.anchorEnd;
  return event.type === EVENT_ID.SCALAR ? event.valueEnd : event.start;
}

function readNode(builder: Builder, event: NodeEvent): YamlNode {
  if (event.type === EVENT_ID.ALIAS) return readAlias(builder, event);
  const anchor = event.anchorStart === -1 ? undefined : builder.source.slice(event.anchorStart, event.anchorEnd);
  if (anchor !== undefined) builder.anchors.set(anchor, undefined);
  const node = readAnchorable(builder, event);
  if (anchor !== undefined) builder.anchors.set(anchor, node);
  return node;
}

function readAnchorable(builder: Builder, event: CollectionEvent | ScalarEvent): YamlNode {
  if (event.type === EVENT_ID.MAPPING) return readMapping(builder, event);
  if (event.type === EVENT_ID.SEQUENCE) return readSequence(builder, event);
  const unwritten = { start: builder.lastOffset, end: builder.lastOffset };
  return { ...leaf(isUnwritten(event) ? unwritten : scalarRange(event)), scalar: event };
}

function readAlias(builder: Builder, event: AliasEvent): YamlNode {
  const range = { start: event.anchorStart - 1, end: event.anchorEnd };
  const name = builder.source.slice(event.anchorStart, event.anchorEnd);
  const target = builder.anchors.get(name);
  if (target !== undefined) return { ...target, range };
  const message = builder.anchors.has(name) ? `alias "*${name}" refers to itself` : `unknown alias "*${name}"`;
  builder.problems.push({ range, message, fix: `define &${name} before it is used, outside the value that uses it` });
  return leaf(range);
}

function readSequence(builder: Builder, event: CollectionEvent): YamlNode {
  const node = leaf({ start: event.start, end: event.start + 1 });
  let size = 1;
  for (let item = nextNodeEvent(builder); item !== undefined; item = nextNodeEvent(builder)) {
    const child = readNode(builder, item);
    node.children.set(String(node.children.size), child);
    size += child.size;
  }
  return { ...node, size };
}

function readMapping(builder: Builder, event: CollectionEvent): YamlNode {
  const node = leaf({ start: event.start, end: event.start + 1 });
  let size = 1;
  for (let key = nextNodeEvent(builder); key !== undefined; key = nextNodeEvent(builder)) {
    const keyNode = readNode(builder, key);
    const valueEvent = nextNodeEvent(builder);
    if (valueEvent === undefined) break;
    const value = readNode(builder, valueEvent);
    addPair(builder, node, keyNode, value);
    size += value.size;
  }
  return { ...node, size };
}

function addPair(builder: Builder, node: YamlNode, keyNode: YamlNode, value: YamlNode): void {
  const { scalar } = keyNode;
  if (scalar === undefined) {
    builder.problems.push({ range: keyNode.range, message: 'a key must be plain text', fix: 'quote it or rename it' });
  } else if (isMergeKey(builder, scalar)) {
    node.merged.push(...(value.children.has('0') && !value.scalar ? value.children.values() : [value]));
  } else {
    addNamed(builder, node, getScalarValue(builder.source, scalar), keyNode.range, value);
  }
}

function addNamed(builder: Builder, node: YamlNode, name: string, key: Range, value: YamlNode): void {
  if (node.children.has(name)) {
    builder.problems.push({ range: key, message: `duplicate key "${name}"`, fix: 'keep one of the two' });
  }
  // Assigning to this key would change the object's prototype wherever the value is merged or copied.
  if (name === '__proto__')
    builder.problems.push({ range: key, message: 'key "__proto__" is reserved', fix: 'rename it' });
  const isEmpty = value.scalar !== undefined && isUnwritten(value.scalar);
  node.children.set(name, { ...value, key, range: isEmpty ? key : value.range });
}

/** `key:` with nothing after it is a scalar without a place in the source. */
function isUnwritten(scalar: ScalarEvent): boolean {
  return scalar.valueStart === -1;
}

function isMergeKey(builder: Builder, scalar: ScalarEvent): boolean {
  return scalar.style === SCALAR_STYLE.PLAIN && getScalarValue(builder.source, scalar) === '<<';
}

function scalarRange({ style, valueStart: start, valueEnd: end, indent }: ScalarEvent): Range {
  const isBlock = style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK;
  if (isBlock) return { start: start + Math.max(0, indent), end };
  const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? { start: start - 1, end: end + 1 } : { start, end };
}

function leaf(range: Range): YamlNode {
  return { range, children: new Map(), merged: [], size: 1 };
}
