/** Go's `html`, `js` and `urlquery`: the arguments printed, then escaped. */

import type { FunctionTable, TemplateFunction } from './function.ts';
import { strayByte } from './go-bytes.ts';
import { isPrintable } from './go-quote.ts';
import { print } from './printf.ts';
import { escapeQuery } from './url-escape.ts';
import { indirect, isObject, unwrap, type Value } from './value.ts';

export const ESCAPE_FUNCTIONS: FunctionTable = {
  html: ofPrinted(escapeHtml),
  js: ofPrinted(escapeJs),
  urlquery: ofPrinted(escapeQuery),
};

function ofPrinted(change: (printed: string) => string): TemplateFunction {
  return { parameters: [], rest: 'interface {}', apply: (values) => change(print(values.map(printable))) };
}

/** What a plain action would print: pointers followed, and a nil said in words. */
export function printable(value: Value): Value {
  const held = unwrap(value);
  const shown = isObject(held) && held.kind === 'pointer' ? indirect(held).value : held;
  return shown === undefined ? '<no value>' : shown;
}

const HTML: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (letter) => HTML[letter] ?? letter);
}

const JS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

function escapeJs(text: string): string {
  let escaped = '';
  for (const letter of text) escaped += JS[letter] ?? escapeLetter(letter);
  return escaped;
}

function escapeLetter(letter: string): string {
  const codePoint = letter.codePointAt(0) ?? 0;
  if (codePoint >= 0x20 && codePoint < 0x80) return letter;
  if (strayByte(codePoint) !== undefined) return '\ufffd';
  if (codePoint >= 0x80 && isPrintable(codePoint)) return letter;
  return `\\u${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}
