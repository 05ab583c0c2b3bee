/** String literals as Prometheus reads them: Go's escapes, the same in single and double quotes, none in backquotes. */
import type { PromqlProblem } from './problem.ts';

/** The end of the literal that starts at `from`, or what is wrong with it. */
export type ScannedString =
  | { readonly ok: true; readonly to: number }
  | { readonly ok: false; readonly problem: PromqlProblem };

/** The text a literal stands for. `\xff` and octal escapes write bytes, so it may not be UTF-8. */
export interface StringValue {
  readonly text: string;
  readonly isUtf8: boolean;
}

const ESCAPE = /\\(?:[abfnrtv\\"']|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y;
const NOT_UNICODE = /[\u{fffd}\p{Surrogate}]/u;

/** Reads to the closing quote; the literal is `expr.slice(from, to)`. */
export function scanString(expr: string, from: number): ScannedString {
  const quote = expr.charAt(from);
  let at = from + 1;
  while (at < expr.length) {
    const char = expr.charAt(at);
    if (char === quote) return { ok: true, to: at + 1 };
    if (quote !== '`' && char === '\n') break;
    const length = quote !== '`' && char === '\\' ? escapeLength(expr, at, quote) : codePointLength(expr, at);
    if (typeof length !== 'number') return { ok: false, problem: length };
    at += length;
  }
  return { ok: false, problem: { from, to: at, message: 'the quote is never closed', fix: `close it with ${quote}` } };
}

function codePointLength(expr: string, at: number): number | PromqlProblem {
  const char = String.fromCodePoint(expr.codePointAt(at) ?? 0);
  if (!NOT_UNICODE.test(char)) return char.length;
  const message = 'the string holds a character that is not valid Unicode';
  return { from: at, to: at + char.length, message, fix: 'replace it, or save the file as UTF-8' };
}

function escapeLength(expr: string, at: number, quote: string): number | PromqlProblem {
  ESCAPE.lastIndex = at;
  const sequence = ESCAPE.exec(expr)?.[0];
  const isOtherQuote = sequence !== undefined && /^\\["']$/.test(sequence) && sequence[1] !== quote;
  if (sequence === undefined || isOtherQuote) return unknownEscape(expr, at);
  if (isInRange(sequence)) return sequence.length;
  const message = `"${sequence}" is not a ${/^\\[uU]/.test(sequence) ? 'Unicode character' : 'byte'}`;
  return { from: at, to: at + sequence.length, message, fix: 'use \\000 to \\377, or a code point up to 10FFFF' };
}

function unknownEscape(expr: string, at: number): PromqlProblem {
  const text = expr.slice(at, at + 2);
  const fix = 'write \\\\ for a backslash, or use backquotes, where nothing is escaped';
  return { from: at, to: at + text.length, message: `"${text}" is not an escape sequence here`, fix };
}

function isInRange(sequence: string): boolean {
  if (/^\\[0-7]/.test(sequence)) return Number.parseInt(sequence.slice(1), 8) <= 0xff;
  if (!/^\\[uU]/.test(sequence)) return true;
  const code = Number.parseInt(sequence.slice(2), 16);
  return code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
}

const SIMPLE: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The value of a literal that `scanString` accepted, quotes included. */
export function unquote(literal: string): StringValue {
  const inner = literal.slice(1, -1);
  if (literal.startsWith('`') || !inner.includes('\\')) return { text: inner, isUtf8: true };
  const pieces = inner.match(/\\(?:[0-7]{3}|x..|u.{4}|U.{8}|.)|[^\\]+/gsu) ?? [];
  const bytes = new Uint8Array(pieces.flatMap((piece) => [...bytesOf(piece)]));
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true };
  } catch {
    return { text: new TextDecoder().decode(bytes), isUtf8: false };
  }
}

function bytesOf(piece: string): Iterable<number> {
  if (!piece.startsWith('\\')) return new TextEncoder().encode(piece);
  const kind = piece.charAt(1);
  if (/[0-7]/.test(kind)) return [Number.parseInt(piece.slice(1), 8)];
  if (kind === 'x') return [Number.parseInt(piece.slice(2), 16)];
  if (/u/i.test(kind)) return new TextEncoder().encode(String.fromCodePoint(Number.parseInt(piece.slice(2), 16)));
  return [SIMPLE[kind] ?? kind.charCodeAt(0)];
}
