/** YAML with positions: a policy or rule file's value, and where every part of it was written. */
import { CORE_SCHEMA, constructFromEvents, EVENT_ID, type Event, mergeTag, parseEvents, YAMLException } from 'js-yaml';
import type { Diagnostic, Position } from './diagnostics.ts';
import { indexLines, type LineIndex } from './line-index.ts';
import { scalarOffsets } from './scalar-offsets.ts';
import { buildTree, type YamlNode, type YamlProblem } from './yaml-tree.ts';

export type YamlPath = readonly (string | number)[];

/** A parsed document. Everything about it is a value; nothing here throws. */
export interface YamlDocument {
  readonly ok: true;
  readonly file: string;
  readonly source: string;
  /** Plain data: null, booleans, numbers, strings, arrays, objects. An empty file is null. */
  readonly value: unknown;
  /**
   * Where the key or the value at `path` was written. A path that does not exist yields its nearest ancestor, so a
   * missing key points at the mapping that lacks it.
   */
  locate(path: YamlPath, part?: 'key' | 'value'): Position;
  /**
   * Where characters [from, to) of the string at `path` were written. Exact for scalars on one line and literal
   * blocks (`|`); the whole scalar where YAML folds lines.
   */
  locateInScalar(path: YamlPath, from: number, to: number): Position;
}

export type ParsedYaml = YamlDocument | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

// A policy for thousands of capabilities stays far below these; a hostile file stops here.
const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_DEPTH = 64;
const MAX_NODES = 500_000;

const SCHEMA = CORE_SCHEMA.withTags(mergeTag);

/**
 * Parses one YAML 1.2 document (core schema, plus the merge key `<<`), keeping positions. Duplicate keys, several
 * documents, unknown or circular aliases and oversized input are errors, like any syntax error.
 */
export function parseYaml(source: string, file: string): ParsedYaml {
  const lines = indexLines(source);
  const problems: YamlProblem[] = [];
  const document = readDocument(source, problems);
  if (document !== undefined) return located(source, file, lines, document);
  return { ok: false, diagnostics: problems.map((problem) => toDiagnostic(problem, file, lines)) };
}

interface RawDocument {
  readonly value: unknown;
  readonly root: YamlNode | undefined;
}

/** The document, or undefined with `problems` filled. */
function readDocument(source: string, problems: YamlProblem[]): RawDocument | undefined {
  if (source.length > MAX_CHARACTERS) {
    const message = `the file is longer than ${MAX_CHARACTERS} characters`;
    problems.push({ range: { start: 0, end: 1 }, message, fix: 'split it' });
    return undefined;
  }
  try {
    const events = parseEvents(source, { maxDepth: MAX_DEPTH });
    const tree = buildTree(source, events);
    problems.push(...tree.problems, ...documentProblems(source, events), ...sizeProblems(tree.root));
    if (problems.length > 0) return undefined;
    return { value: constructFromEvents(events, { source, schema: SCHEMA })[0] ?? null, root: tree.root };
  } catch (error) {
    problems.push(syntaxProblem(error));
    return undefined;
  }
}

function documentProblems(source: string, events: readonly Event[]): YamlProblem[] {
  if (events.filter((event) => event.type === EVENT_ID.DOCUMENT).length < 2) return [];
  const separators = [...source.matchAll(/^---/gm)];
  const start = separators.at(-1)?.index ?? 0;
  const fix = 'keep one document per file: remove the "---" and what follows it, or move it to its own file';
  return [{ range: { start, end: start + 3 }, message: 'the file holds several YAML documents', fix }];
}

function sizeProblems(root: YamlNode | undefined): YamlProblem[] {
  if (root === undefined || root.size <= MAX_NODES) return [];
  const message = `the document has more than ${MAX_NODES} values once its aliases are expanded`;
  return [{ range: root.range, message, fix: 'use fewer aliases, or split the file' }];
}

function syntaxProblem(error: unknown): YamlProblem {
  // js-yaml documents that other exceptions may escape it on hostile input; they are the file's fault all the same.
  const start = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
  const message = error instanceof YAMLException ? error.reason : String(error);
  return { range: { start, end: start + 1 }, message, fix: syntaxFix(message) };
}

function syntaxFix(reason: string): string {
  if (reason.includes('tab character')) return 'indent with spaces';
  if (reason.includes('cannot merge')) return 'write "<<: *name", where &name anchors a mapping';
  if (reason.startsWith('deficient indentation')) return 'close the quote or bracket opened above, or indent this line';
  if (reason.startsWith('bad indentation')) return 'align this line with its siblings';
  if (reason.includes('scalar tag')) return 'remove the tag';
  return 'check for an unclosed quote or bracket, or a missing space after ":"';
}

function toDiagnostic({ range, message, fix }: YamlProblem, file: string, lines: LineIndex): Diagnostic {
  return { file, ...lines.position(range.start, range.end), severity: 'error', message, fix };
}

function located(source: string, file: string, lines: LineIndex, { value, root }: RawDocument): YamlDocument {
  const rangeOf = (path: YamlPath, part: 'key' | 'value') => {
    const { node, isExact } = nearestNode(root, path);
    return ((isExact && part === 'value') || !node?.key ? node?.range : node.key) ?? { start: 0, end: 1 };
  };
  const locate = (path: YamlPath, part: 'key' | 'value' = 'value') => {
    const range = rangeOf(path, part);
    return lines.position(range.start, range.end);
  };
  const locateInScalar = (path: YamlPath, from: number, to: number) => {
    const offsets = scalarOffsetsAt(source, root, value, path);
    const start = offsets?.[from];
    if (start === undefined) return locate(path);
    return lines.position(start, offsets?.[to] ?? start + 1);
  };
  return { ok: true, file, source, value, locate, locateInScalar };
}

function scalarOffsetsAt(source: string, root: YamlNode | undefined, value: unknown, path: YamlPath) {
  const { node, isExact } = nearestNode(root, path);
  const text = path.reduce<unknown>(
    (parent, key) => (typeof parent === 'object' && parent !== null ? Reflect.get(parent, key) : undefined),
    value,
  );
  if (!isExact || node?.scalar === undefined || typeof text !== 'string') return undefined;
  return scalarOffsets(source, node.scalar, text);
}

function nearestNode(root: YamlNode | undefined, path: YamlPath): { node: YamlNode | undefined; isExact: boolean } {
  let node = root;
  for (const step of path) {
    const child = node && childOf(node, String(step));
    if (child === undefined) return { node, isExact: false };
    node = child;
  }
  return { node, isExact: true };
}

/** A mapping's own keys win over merged ones; the first merged mapping wins over later ones. */
function childOf(node: YamlNode, name: string): YamlNode | undefined {
  const own = node.children.get(name);
  if (own !== undefined) return own;
  for (const source of node.merged) {
    const child = childOf(source, name);
    if (child !== undefined) return child;
  }
  return undefined;
}
