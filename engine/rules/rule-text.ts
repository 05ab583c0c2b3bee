/** The bytes of a rule file as text. */
import type { Diagnostic } from '../policy/diagnostics.ts';
import { indexLines } from '../policy/line-index.ts';

export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Diagnostic };

/** Decodes UTF-8, or UTF-16 with a byte order mark as Prometheus does; the first byte that is neither is located. */
export function decodeRuleText(bytes: Uint8Array, file: string): DecodedText {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return { ok: true, text: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { ok: false, problem: locateFault(bytes, { file, encoding }) };
  }
}

function locateFault(bytes: Uint8Array, { file, encoding }: { file: string; encoding: string }): Diagnostic {
  const readable = new TextDecoder(encoding).decode(bytes);
  const start = Math.max(0, readable.indexOf('\uFFFD'));
  const message = `the file is not ${encoding.toUpperCase()}`;
  const fix = 'save it as UTF-8; this is the first character that cannot be read';
  return { file, ...indexLines(readable).position(start, start + 1), severity: 'error', message, fix };
}
