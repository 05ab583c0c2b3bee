/**
 * Splits YAML into words, a few ahead of the parser. It follows the reader that Prometheus is built with rather than the
 * newest specification, so that both take and refuse the same files.
 */
import { scanBlock } from './block-scalar.ts';
import { skipGap, skipTrailingComment } from './comment.ts';
import { type Cursor, charAt, isBlank, isDocumentMarker, isGap, skip, YamlError } from './cursor.ts';
import { scanDirective, scanName, scanTag } from './node-property.ts';
import { scanPlain } from './plain-scalar.ts';
import { scanQuoted } from './quoted-scalar.ts';
import type { MarkKind, Token } from './token.ts';

/** A place where a key may have started; the ":" that makes it one comes later, on the same line. */
interface PossibleKey {
  readonly token: number;
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  /** At the indentation of its mapping nothing but a key can stand. */
  readonly isRequired: boolean;
}

export interface Scanner {
  readonly cursor: Cursor;
  readonly tokens: Token[];
  /** Tokens handed to the parser so far. */
  taken: number;
  readonly indents: number[];
  indent: number;
  /** One entry per open bracket, and one for the block around them. */
  readonly keys: (PossibleKey | undefined)[];
  mayStartKey: boolean;
}

// A key is at most this long in every version of YAML.
const LONGEST_KEY = 1024;
// How far the reader of Prometheus looks ahead: an error beyond does not reach the document before it.
const TOKENS_AHEAD = 3;

export function createScanner(source: string): Scanner {
  const offset = source.startsWith('\uFEFF') ? 1 : 0;
  const cursor = { source, offset, line: 0, column: 0 };
  return { cursor, tokens: [], taken: 0, indents: [], indent: -1, keys: [undefined], mayStartKey: true };
}

/** The next token; stays the same until it is taken. Throws YamlError. */
export function peekToken(scanner: Scanner): Token {
  while (scanner.tokens.length < TOKENS_AHEAD || headMayBeKey(scanner)) fetchToken(scanner);
  const [token] = scanner.tokens;
  if (token === undefined) throw new Error('the scanner yields no token');
  return token;
}

export function takeToken(scanner: Scanner): Token {
  const token = peekToken(scanner);
  scanner.tokens.shift();
  scanner.taken++;
  return token;
}

function headMayBeKey(scanner: Scanner): boolean {
  const level = scanner.keys.findIndex((key) => key?.token === scanner.taken);
  return level !== -1 && validKey(scanner, level) !== undefined;
}

function fetchToken(scanner: Scanner): void {
  const { cursor } = scanner;
  const gap = { isFlow: isFlow(scanner), mayStartKey: scanner.mayStartKey };
  skipGap(cursor, gap);
  scanner.mayStartKey = gap.mayStartKey;
  endBlocks(scanner, cursor.column);
  if (charAt(cursor) === '') fetchStreamEnd(scanner);
  else if (cursor.column === 0 && charAt(cursor) === '%') fetchDirective(scanner);
  else if (isDocumentMarker(cursor)) fetchMarker(scanner);
  else {
    fetchWord(scanner);
    if (scanner.tokens.at(-1)?.kind !== '-') skipTrailingComment(cursor);
  }
}

function isFlow({ keys }: Scanner): boolean {
  return keys.length > 1;
}

function fetchStreamEnd(scanner: Scanner): void {
  // The end counts as a new line: a bracket that is still open there was no key.
  if (scanner.cursor.column !== 0) scanner.cursor.line++;
  scanner.cursor.column = 0;
  endBlocks(scanner, -1);
  dropKey(scanner);
  scanner.mayStartKey = false;
  pushMark(scanner, 'stream end', 0);
}

function fetchDirective(scanner: Scanner): void {
  endBlocks(scanner, -1);
  dropKey(scanner);
  scanner.mayStartKey = false;
  scanner.tokens.push(scanDirective(scanner.cursor));
}

function fetchMarker(scanner: Scanner): void {
  endBlocks(scanner, -1);
  dropKey(scanner);
  scanner.mayStartKey = false;
  pushMark(scanner, charAt(scanner.cursor) === '-' ? 'document start' : 'document end', 3);
}

function fetchWord(scanner: Scanner): void {
  const char = charAt(scanner.cursor);
  const isAlone = isGap(charAt(scanner.cursor, 1));
  if (char === '[' || char === '{') openBracket(scanner, char);
  else if (char === ']' || char === '}') closeBracket(scanner, char);
  else if (char === ',') fetchComma(scanner);
  else if (char === '-' && isAlone) fetchItem(scanner);
  else if (char === '?' && (isFlow(scanner) || isAlone)) fetchKey(scanner);
  else if (char === ':' && (isFlow(scanner) || isAlone)) fetchValue(scanner);
  else if ((char === '|' || char === '>') && !isFlow(scanner)) fetchBlock(scanner);
  else fetchContent(scanner, char);
}

/** Reads what may be a key itself, so that no other key can start right after it. */
function fetchContent(scanner: Scanner, char: string): void {
  const { cursor, tokens } = scanner;
  if (!'*&!\'"'.includes(char) && !startsPlain(scanner, char)) throw noStart(cursor, char);
  saveKey(scanner);
  scanner.mayStartKey = false;
  if (char === '*' || char === '&') tokens.push(scanName(cursor));
  else if (char === '!') tokens.push(scanTag(cursor));
  else if (char === "'" || char === '"') tokens.push(scanQuoted(cursor));
  else fetchPlain(scanner);
}

function noStart({ offset }: Cursor, char: string): YamlError {
  if (char === '\t') return new YamlError('a tab is used as indentation', 'indent with spaces', offset);
  return new YamlError(`"${char}" cannot start a value`, `quote the text that starts with "${char}"`, offset);
}

function startsPlain(scanner: Scanner, char: string): boolean {
  const next = charAt(scanner.cursor, 1);
  if (char === '-') return !isBlank(next);
  if (char === '?' || char === ':') return !isFlow(scanner) && !isGap(next);
  return !isGap(char) && !',[]{}#&*!|>\'"%@`'.includes(char);
}

function fetchPlain(scanner: Scanner): void {
  const { token, endsLine } = scanPlain(scanner.cursor, { isFlow: isFlow(scanner), indent: scanner.indent });
  scanner.tokens.push(token);
  if (endsLine) scanner.mayStartKey = true;
}

function fetchBlock(scanner: Scanner): void {
  dropKey(scanner);
  scanner.mayStartKey = true;
  scanner.tokens.push(scanBlock(scanner.cursor, scanner.indent));
}

function openBracket(scanner: Scanner, bracket: '[' | '{'): void {
  saveKey(scanner);
  scanner.keys.push(undefined);
  scanner.mayStartKey = true;
  pushMark(scanner, bracket);
}

function closeBracket(scanner: Scanner, bracket: ']' | '}'): void {
  dropKey(scanner);
  if (isFlow(scanner)) scanner.keys.pop();
  scanner.mayStartKey = false;
  pushMark(scanner, bracket);
}

function fetchComma(scanner: Scanner): void {
  dropKey(scanner);
  scanner.mayStartKey = true;
  pushMark(scanner, ',');
}

function fetchItem(scanner: Scanner): void {
  if (!isFlow(scanner)) startBlock(scanner, 'block sequence', 'a list item cannot start here');
  dropKey(scanner);
  scanner.mayStartKey = true;
  pushMark(scanner, '-');
}

function fetchKey(scanner: Scanner): void {
  if (!isFlow(scanner)) startBlock(scanner, 'block mapping', 'a key cannot start here');
  dropKey(scanner);
  scanner.mayStartKey = !isFlow(scanner);
  pushMark(scanner, 'key');
}

function fetchValue(scanner: Scanner): void {
  const level = scanner.keys.length - 1;
  const key = validKey(scanner, level);
  if (key !== undefined) {
    insertKey(scanner, key);
    scanner.keys[level] = undefined;
    scanner.mayStartKey = false;
  } else {
    if (!isFlow(scanner)) startBlock(scanner, 'block mapping', 'a value cannot start here');
    scanner.mayStartKey = !isFlow(scanner);
  }
  pushMark(scanner, 'value');
}

function insertKey(scanner: Scanner, { token, offset, column }: PossibleKey): void {
  const at = token - scanner.taken;
  const range = { start: offset, end: offset + 1 };
  scanner.tokens.splice(at, 0, { kind: 'key', ...range });
  if (isFlow(scanner) || scanner.indent >= column) return;
  indent(scanner, column);
  scanner.tokens.splice(at, 0, { kind: 'block mapping', ...range });
}

/** Begins a collection at the cursor unless the one around it is meant. */
function startBlock(scanner: Scanner, kind: MarkKind, complaint: string): void {
  const { cursor } = scanner;
  if (!scanner.mayStartKey) {
    throw new YamlError(complaint, 'start it on a line of its own, or quote the text that holds it', cursor.offset);
  }
  if (scanner.indent >= cursor.column) return;
  indent(scanner, cursor.column);
  pushMark(scanner, kind, 0);
}

function indent(scanner: Scanner, column: number): void {
  scanner.indents.push(scanner.indent);
  scanner.indent = column;
}

function endBlocks(scanner: Scanner, column: number): void {
  if (isFlow(scanner)) return;
  while (scanner.indent > column) {
    pushMark(scanner, 'block end', 0);
    scanner.indent = scanner.indents.pop() ?? -1;
  }
}

function saveKey(scanner: Scanner): void {
  if (!scanner.mayStartKey) return;
  const { cursor, tokens, taken, keys } = scanner;
  dropKey(scanner);
  const isRequired = !isFlow(scanner) && scanner.indent === cursor.column;
  const { offset, line, column } = cursor;
  keys[keys.length - 1] = { token: taken + tokens.length, offset, line, column, isRequired };
}

function dropKey(scanner: Scanner): void {
  const key = scanner.keys.at(-1);
  if (key?.isRequired) throw missingColon(scanner, key);
  scanner.keys[scanner.keys.length - 1] = undefined;
}

function validKey(scanner: Scanner, level: number): PossibleKey | undefined {
  const { keys, cursor } = scanner;
  const key = keys[level];
  if (key === undefined || (key.line === cursor.line && cursor.offset - key.offset <= LONGEST_KEY)) return key;
  if (key.isRequired) throw missingColon(scanner, key);
  keys[level] = undefined;
  return undefined;
}

function missingColon({ cursor }: Scanner, { offset }: PossibleKey): YamlError {
  const [line = ''] = cursor.source.slice(offset, offset + LONGEST_KEY).split(/[\r\n]/);
  const fix = 'write "key: value", or indent the line if it continues the one above';
  return new YamlError('a ":" is missing after this key', fix, offset, offset + line.trimEnd().length);
}

function pushMark({ cursor, tokens }: Scanner, kind: MarkKind, length = 1): void {
  tokens.push({ kind, start: cursor.offset, end: cursor.offset + length });
  skip(cursor, length);
}
