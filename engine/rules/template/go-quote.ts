/** Go's string and character literals, written (`%q`) and read. */
import { fromBytes, strayByte, toBytes } from './go-bytes.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Whether Go shows the code point as it is. */
export function isPrintable(codePoint: number): boolean {
  return codePoint <= 0x10ffff && PRINTABLE.test(String.fromCodePoint(codePoint));
}

/** `text` as a literal between `quote`s; with `isAscii`, letters beyond ASCII are escaped too. */
export function quote(text: string, isAscii = false, mark = '"'): string {
  let body = '';
  for (const letter of text) body += quoteLetter(letter.codePointAt(0) ?? 0, isAscii, mark);
  return mark + body + mark;
}

/** Whether `text` fits between back quotes unchanged. */
export function canBackquote(text: string): boolean {
  return text.isWellFormed() && !/[^\P{Cc}\t\x80-\x9f]|[`\ufeff]/u.test(text);
}

function quoteLetter(codePoint: number, isAscii: boolean, mark: string): string {
  const stray = strayByte(codePoint);
  if (stray !== undefined) return hex('x', stray, 2);
  const letter = String.fromCodePoint(codePoint);
  if (letter === mark || letter === '\\') return `\\${letter}`;
  if (isPrintable(codePoint) && (!isAscii || codePoint < 0x80)) return letter;
  const name = Object.keys(ESCAPES).find((key) => ESCAPES[key] === letter && letter !== '"' && letter !== "'");
  if (name !== undefined) return `\\${name}`;
  if (codePoint < 0x20 || codePoint === 0x7f) return hex('x', codePoint, 2);
  return codePoint < 0x10000 ? hex('u', codePoint, 4) : hex('U', codePoint, 8);
}

function hex(kind: string, value: number, digits: number): string {
  return `\\${kind}${value.toString(16).padStart(digits, '0')}`;
}

const STRING_PART = /[^\\"\n]+|\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;

/** The text of a literal in double or back quotes; undefined when an escape is wrong. */
export function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  // Go drops carriage returns from raw strings, so that a file's line ends do not matter.
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  if (!body.includes('\\')) return body;
  const bytes: Uint8Array[] = [];
  for (let at = 0; at < body.length; at = STRING_PART.lastIndex) {
    STRING_PART.lastIndex = at;
    const match = STRING_PART.exec(body);
    const part = match === null ? undefined : partBytes(match);
    if (part === undefined) return undefined;
    bytes.push(part);
  }
  return fromBytes(Uint8Array.from(bytes.flatMap((part) => [...part])));
}

function partBytes([text, name, byte, octal, short, long]: RegExpExecArray): Uint8Array | undefined {
  if (name !== undefined) return toBytes(ESCAPES[name] ?? '');
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  if (octal !== undefined) return octal > '377' ? undefined : Uint8Array.of(Number.parseInt(octal, 8));
  const codePoint = short ?? long;
  if (codePoint === undefined) return toBytes(text ?? '');
  const value = Number.parseInt(codePoint, 16);
  return isScalar(value) ? toBytes(String.fromCodePoint(value)) : undefined;
}

const CHARACTER =
  /^'(?:([^\\'\n])|\\(?:([abfnrtv\\'])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})))(.*)$/su;

export type Character =
  | { readonly ok: true; readonly codePoint: number }
  /** `isLong`: the literal holds more than one character. */
  | { readonly ok: false; readonly isLong: boolean };

/** The code point of a literal such as `'x'` or `'\n'`. */
export function unquoteCharacter(literal: string): Character {
  const [, letter, name, byte, octal, short, long, tail] = CHARACTER.exec(literal) ?? [];
  const codePoint = characterOf(
    letter ?? (name === undefined ? undefined : ESCAPES[name]),
    byte ?? short ?? long,
    octal,
  );
  if (codePoint === undefined) return { ok: false, isLong: false };
  return tail === "'" ? { ok: true, codePoint } : { ok: false, isLong: true };
}

function characterOf(letter: string | undefined, hexadecimal: string | undefined, octal: string | undefined) {
  if (letter !== undefined) return letter.codePointAt(0);
  if (octal !== undefined) return octal > '377' ? undefined : Number.parseInt(octal, 8);
  const value = hexadecimal === undefined ? -1 : Number.parseInt(hexadecimal, 16);
  return isScalar(value) ? value : undefined;
}

function isScalar(codePoint: number): boolean {
  return codePoint >= 0 && codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
}
