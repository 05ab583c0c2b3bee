/** The first document of a YAML text, which is all that Prometheus reads of a rule file. */
import { atOnce, type Steps } from '../steps.ts';
import { YamlError } from './cursor.ts';
import type { YamlNode } from './node.ts';
import { type Parser, parseNode } from './parser.ts';
import { createScanner, peekToken, type Scanner, takeToken } from './scanner.ts';

export interface YamlFault {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly fix: string;
}

export type ParsedDocument =
  | {
      readonly ok: true;
      /** Undefined for a text without content. */
      readonly root: YamlNode | undefined;
      /** Where text begins that no longer belongs to the document. */
      readonly rest: number | undefined;
    }
  | { readonly ok: false; readonly fault: YamlFault };

const CONTROL = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Parses the first document as Prometheus' own reader does (YAML 1.1 with the additions of go-yaml). Never throws. */
export function parseDocument(source: string): ParsedDocument {
  return atOnce(documentSteps(source));
}

/** The same in steps. */
export function* documentSteps(source: string): Steps<ParsedDocument> {
  const scanner = createScanner(source);
  try {
    const document = yield* readDocument(scanner);
    const fault = controlFault(source, scanner);
    return fault === undefined ? { ok: true, ...document } : { ok: false, fault };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { start, end, message, fix } = error;
    return { ok: false, fault: controlFault(source, scanner) ?? { start, end, message, fix } };
  }
}

function* readDocument(scanner: Scanner): Steps<{ root: YamlNode | undefined; rest: number | undefined }> {
  const tagHandles = readDirectives(scanner);
  const isExplicit = peekToken(scanner).kind === 'document start';
  if (isExplicit) takeToken(scanner);
  if (peekToken(scanner).kind === 'stream end') return { root: undefined, rest: undefined };
  const parser: Parser = { scanner, anchors: new Map(), open: new Set(), tagHandles, depth: 0 };
  const isEmpty = isExplicit && EMPTY.includes(peekToken(scanner).kind);
  const root = isEmpty ? undefined : yield* parseNode(parser, {});
  if (peekToken(scanner).kind === 'document end') takeToken(scanner);
  return { root, rest: restOf(scanner) };
}

const EMPTY = ['%YAML', '%TAG', 'document start', 'document end'];

function readDirectives(scanner: Scanner): Map<string, string> {
  const handles = new Map<string, string>();
  let hasVersion = false;
  for (let token = peekToken(scanner); token.kind === '%YAML' || token.kind === '%TAG'; token = peekToken(scanner)) {
    const isDouble = token.kind === '%YAML' ? hasVersion : handles.has(token.handle);
    if (isDouble) throw new YamlError('the directive stands here twice', 'keep one of the two', token.start, token.end);
    if (token.kind === '%TAG') handles.set(token.handle, token.prefix);
    else hasVersion = isKnownVersion(token.version, token);
    takeToken(scanner);
  }
  if ((hasVersion || handles.size > 0) && peekToken(scanner).kind !== 'document start') {
    throw new YamlError('the directives are not followed by "---"', 'add the line ---', peekToken(scanner).start);
  }
  return new Map([['!', '!'], ['!!', 'tag:yaml.org,2002:'], ...handles]);
}

function isKnownVersion(version: string, { start, end }: { start: number; end: number }): true {
  if (version === '1.1') return true;
  throw new YamlError(`Prometheus does not read YAML ${version}`, 'remove the line', start, end);
}

/** What follows may be no YAML at all: Prometheus does not look at it either. */
function restOf(scanner: Scanner): number | undefined {
  try {
    while (peekToken(scanner).kind === 'document end') takeToken(scanner);
    const { kind, start } = peekToken(scanner);
    return kind === 'stream end' ? undefined : start;
  } catch (error) {
    if (error instanceof YamlError) return error.start;
    throw error;
  }
}

// The reader of Prometheus takes this many bytes at a time, and looks at all of them at once.
const BLOCK_BYTES = 512;
// A document marker and the blank after it decide whether the document goes on.
const LONGEST_MARK = 4;

function controlFault(source: string, { cursor }: Scanner): YamlFault | undefined {
  const start = source.search(CONTROL);
  const blockOf = (offset: number) => Math.floor(Buffer.byteLength(source.slice(0, offset)) / BLOCK_BYTES);
  if (start === -1 || blockOf(start) > blockOf(cursor.offset + LONGEST_MARK)) return undefined;
  const code = source.charCodeAt(start).toString(16).toUpperCase().padStart(4, '0');
  const fix = 'remove it, or write it as an escape in double quotes';
  return { start, end: start + 1, message: `the character U+${code} is not allowed in YAML`, fix };
}
