/**
 * Go's strings are bytes, ours are UTF-16. A byte that is not valid UTF-8 (`"\xff"`, or half a letter cut off by `slice`) is kept
 * as the lone surrogate U+DC00 + byte, and becomes U+FFFD where the text leaves the template.
 */

const ENCODER = new TextEncoder();
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8Length(text: string): number {
  let length = 0;
  for (const letter of text) length += letterLength(letter.codePointAt(0) ?? 0);
  return length;
}

/** The byte that a lone surrogate stands for; undefined for every other code point. */
export function strayByte(codePoint: number): number | undefined {
  return codePoint >= 0xdc80 && codePoint <= 0xdcff ? codePoint - 0xdc00 : undefined;
}

export function toBytes(text: string): Uint8Array {
  if (text.isWellFormed()) return ENCODER.encode(text);
  const bytes: number[] = [];
  for (const letter of text) {
    const stray = strayByte(letter.codePointAt(0) ?? 0);
    bytes.push(...(stray === undefined ? ENCODER.encode(letter) : [stray]));
  }
  return Uint8Array.from(bytes);
}

export function fromBytes(bytes: Uint8Array): string {
  try {
    return STRICT.decode(bytes);
  } catch {
    return fromStrayBytes(bytes);
  }
}

function fromStrayBytes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const letter = letterAt(bytes, at);
    text += letter ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += letter === undefined ? 1 : ENCODER.encode(letter).length;
  }
  return text;
}

function letterAt(bytes: Uint8Array, at: number): string | undefined {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  try {
    const letter = STRICT.decode(bytes.subarray(at, at + length));
    // A shorter letter followed by others is no sequence of `length` bytes.
    return [...letter].length === 1 ? letter : undefined;
  } catch {
    return undefined;
  }
}

function letterLength(codePoint: number): number {
  if (codePoint < 0x80 || strayByte(codePoint) !== undefined) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
