/** Builds the nodes of one document out of words, in steps: a file may hold very many of them. */
import type { Steps } from '../steps.ts';
import { YamlError } from './cursor.ts';
import type { MappingNode, SequenceNode, YamlNode } from './node.ts';
import { peekToken, type Scanner, takeToken } from './scanner.ts';
import type { Token } from './token.ts';

export interface Parser {
  readonly scanner: Scanner;
  readonly anchors: Map<string, YamlNode>;
  /** Anchored collections that are still being read: an alias of one would contain itself. */
  readonly open: Set<YamlNode>;
  readonly tagHandles: Map<string, string>;
  depth: number;
}

interface Position {
  readonly isFlow?: boolean;
  /** A list may stand at the indentation of the key that holds it. */
  readonly allowsIndentless?: boolean;
}

interface Properties {
  anchor?: string;
  tag: string;
  start: number;
}

// Rule files nest four deep; the stack of this reader is not unlimited.
const MAX_DEPTH = 100;

/** The node at the parser's place. Throws YamlError. */
export function* parseNode(parser: Parser, position: Position): Steps<YamlNode> {
  if (peekToken(parser.scanner).kind === 'alias') return parseAlias(parser);
  const properties = parseProperties(parser);
  if (++parser.depth > MAX_DEPTH) {
    throw new YamlError('the file is nested too deeply', `nest at most ${MAX_DEPTH} levels`, properties.start);
  }
  const node = yield* parseContent(parser, properties, position);
  parser.depth--;
  return node;
}

function parseAlias({ scanner, anchors, open }: Parser): YamlNode {
  const token = takeToken(scanner);
  if (token.kind !== 'alias') throw new Error(`an alias was announced, not ${token.kind}`);
  const { name, start, end } = token;
  const target = anchors.get(name);
  const fix = `define &${name} before it is used, outside the value that uses it`;
  if (target === undefined) throw new YamlError(`unknown alias "*${name}"`, fix, start, end);
  if (open.has(target)) throw new YamlError(`alias "*${name}" refers to itself`, fix, start, end);
  return { kind: 'alias', name, target, start, end };
}

function parseProperties(parser: Parser): Properties {
  const properties: Properties = { tag: '', start: peekToken(parser.scanner).start };
  const seen = new Set<string>();
  for (let token = peekToken(parser.scanner); !seen.has(token.kind); token = peekToken(parser.scanner)) {
    if (token.kind === 'anchor') properties.anchor = token.name;
    else if (token.kind === 'tag') properties.tag = resolveTag(parser, token);
    else break;
    seen.add(token.kind);
    takeToken(parser.scanner);
  }
  return properties;
}

function resolveTag({ tagHandles }: Parser, { handle, suffix, start, end }: Extract<Token, { kind: 'tag' }>): string {
  if (handle === '') return suffix;
  const prefix = tagHandles.get(handle);
  if (prefix !== undefined) return prefix + suffix;
  throw new YamlError(`the tag handle "${handle}" is not declared`, 'remove the tag', start, end);
}

function* parseContent(parser: Parser, properties: Properties, position: Position): Steps<YamlNode> {
  const token = peekToken(parser.scanner);
  if (position.allowsIndentless && token.kind === '-') return yield* parseItems(parser, properties, false);
  if (token.kind === 'scalar') return parseScalar(parser, properties);
  if (token.kind === '[') return yield* parseFlowSequence(parser, properties);
  if (token.kind === '{') return yield* parseFlowMapping(parser, properties);
  if (!position.isFlow && token.kind === 'block sequence') return yield* parseItems(parser, properties, true);
  if (!position.isFlow && token.kind === 'block mapping') return yield* parseBlockMapping(parser, properties);
  const isMarked = properties.anchor !== undefined || properties.tag !== '';
  if (isMarked) return anchored(parser, properties, emptyScalar(properties.start, properties.tag));
  throw new YamlError('a value is missing here', 'write it, or remove what announces it', token.start, token.end);
}

function parseScalar(parser: Parser, properties: Properties): YamlNode {
  const token = takeToken(parser.scanner);
  if (token.kind !== 'scalar') throw new Error(`a scalar was announced, not ${token.kind}`);
  return anchored(parser, properties, { ...token, tag: properties.tag });
}

function emptyScalar(start: number, tag = ''): YamlNode {
  return { kind: 'scalar', tag, isPlain: true, value: { text: '', runs: [] }, start, end: start };
}

function anchored<Node extends YamlNode>({ anchors }: Parser, { anchor }: Properties, node: Node): Node {
  if (anchor !== undefined) anchors.set(anchor, node);
  return node;
}

/** Reads a collection by the steps of its `inside`, pausing after each of its parts. */
function* filled<Node extends YamlNode>(
  parser: Parser,
  properties: Properties,
  { node, inside }: { readonly node: Node; readonly inside: Steps<void> },
): Steps<Node> {
  anchored(parser, properties, node);
  parser.open.add(node);
  yield* inside;
  parser.open.delete(node);
  return node;
}

function parseItems(parser: Parser, properties: Properties, isIndented: boolean): Steps<SequenceNode> {
  if (isIndented) takeToken(parser.scanner);
  const { start } = peekToken(parser.scanner);
  const node: SequenceNode = { kind: 'sequence', items: [], start, end: start + 1 };
  return filled(parser, properties, { node, inside: blockItems(parser, node, isIndented) });
}

function* blockItems(parser: Parser, { items }: SequenceNode, isIndented: boolean): Steps<void> {
  const { scanner } = parser;
  const ends = isIndented ? ['-', 'block end'] : ['-', 'key', 'value', 'block end'];
  while (peekToken(scanner).kind === '-') {
    const { end } = takeToken(scanner);
    items.push(ends.includes(peekToken(scanner).kind) ? emptyScalar(end) : yield* parseNode(parser, {}));
    yield;
  }
  if (isIndented) expect(parser, 'block end', 'a list item', 'start the line with "- ", or correct its indentation');
}

function parseBlockMapping(parser: Parser, properties: Properties): Steps<MappingNode> {
  const { start } = takeToken(parser.scanner);
  const node: MappingNode = { kind: 'mapping', pairs: [], start, end: start + 1 };
  return filled(parser, properties, { node, inside: blockPairs(parser, node) });
}

function* blockPairs(parser: Parser, node: MappingNode): Steps<void> {
  const { scanner } = parser;
  while (peekToken(scanner).kind === 'key') {
    const key = yield* parseBlockPart(parser);
    const hasValue = peekToken(scanner).kind === 'value';
    node.pairs.push([key, hasValue ? yield* parseBlockPart(parser) : emptyScalar(peekToken(scanner).start)]);
    yield;
  }
  expect(parser, 'block end', 'a key', keyFix(parser, node));
}

/** Braces make a mapping of a template that is not quoted, which is the likeliest cause here. */
function keyFix({ scanner }: Parser, { pairs }: MappingNode): string {
  const value = pairs.at(-1)?.[1];
  const isTemplate = value !== undefined && scanner.cursor.source.startsWith('{{', value.start);
  return isTemplate
    ? 'quote the text that starts with "{{"'
    : 'write "key: value", or align the line with its siblings';
}

/** Reads the key after "?" or the value after ":". */
function* parseBlockPart(parser: Parser): Steps<YamlNode> {
  const { end } = takeToken(parser.scanner);
  const isEmpty = ['key', 'value', 'block end'].includes(peekToken(parser.scanner).kind);
  return isEmpty ? emptyScalar(end) : yield* parseNode(parser, { allowsIndentless: true });
}

function parseFlowSequence(parser: Parser, properties: Properties): Steps<SequenceNode> {
  const { start } = takeToken(parser.scanner);
  const node: SequenceNode = { kind: 'sequence', items: [], start, end: start + 1 };
  return filled(parser, properties, { node, inside: flowItems(parser, node) });
}

function* flowItems(parser: Parser, { items }: SequenceNode): Steps<void> {
  while (hasMore(parser, ']', items.length)) {
    const isPair = peekToken(parser.scanner).kind === 'key';
    items.push(isPair ? yield* parseFlowPair(parser) : yield* parseNode(parser, { isFlow: true }));
    yield;
  }
  takeToken(parser.scanner);
}

/** Reads `key: value` as an item of `[…]`. */
function* parseFlowPair(parser: Parser): Steps<MappingNode> {
  const { scanner } = parser;
  const { start } = takeToken(scanner);
  const isKeyless = isFlowEnd(parser, ['value', ',', ']']);
  const key = isKeyless ? emptyScalar(takeToken(scanner).end) : yield* flowNode(parser);
  const isValued = peekToken(scanner).kind === 'value' && takeToken(scanner) !== undefined;
  const isEmpty = !isValued || isFlowEnd(parser, [',', ']']);
  const value = isEmpty ? emptyScalar(peekToken(scanner).start) : yield* flowNode(parser);
  return { kind: 'mapping', pairs: [[key, value]], start, end: start + 1 };
}

function parseFlowMapping(parser: Parser, properties: Properties): Steps<MappingNode> {
  const { start } = takeToken(parser.scanner);
  const node: MappingNode = { kind: 'mapping', pairs: [], start, end: start + 1 };
  return filled(parser, properties, { node, inside: flowPairs(parser, node) });
}

function* flowPairs(parser: Parser, { pairs }: MappingNode): Steps<void> {
  while (hasMore(parser, '}', pairs.length)) {
    pairs.push(yield* parseFlowEntry(parser));
    yield;
  }
  takeToken(parser.scanner);
}

function* parseFlowEntry(parser: Parser): Steps<[YamlNode, YamlNode]> {
  const { scanner } = parser;
  const empty = () => emptyScalar(peekToken(scanner).start);
  if (peekToken(scanner).kind !== 'key') return [yield* flowNode(parser), empty()];
  takeToken(scanner);
  const key = isFlowEnd(parser, ['value', ',', '}']) ? empty() : yield* flowNode(parser);
  if (peekToken(scanner).kind !== 'value') return [key, empty()];
  takeToken(scanner);
  return [key, isFlowEnd(parser, [',', '}']) ? empty() : yield* flowNode(parser)];
}

function flowNode(parser: Parser): Steps<YamlNode> {
  return parseNode(parser, { isFlow: true });
}

function isFlowEnd(parser: Parser, ends: readonly Token['kind'][]): boolean {
  return ends.includes(peekToken(parser.scanner).kind);
}

/** Whether another entry follows; takes the comma before it. */
function hasMore(parser: Parser, close: ']' | '}', count: number): boolean {
  const { scanner } = parser;
  if (peekToken(scanner).kind === close) return false;
  if (count === 0) return true;
  if (peekToken(scanner).kind === ',') takeToken(scanner);
  else
    complainMissing(parser, `"," or "${close}"`, `separate entries by ",", close with "${close}", or quote the text`);
  return peekToken(scanner).kind !== close;
}

function expect(parser: Parser, kind: Token['kind'], what: string, fix: string): void {
  if (peekToken(parser.scanner).kind !== kind) complainMissing(parser, what, fix);
  takeToken(parser.scanner);
}

function complainMissing({ scanner }: Parser, what: string, fix: string): never {
  const { start, end } = peekToken(scanner);
  throw new YamlError(`expected ${what} here`, fix, start, end);
}
