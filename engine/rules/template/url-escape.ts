/** Texts inside a URL's query. */
import { toBytes } from './go-bytes.ts';

/** Everything but letters, digits and `-_.~` as `%XX`, a blank as `+`. */
export function escapeQuery(text: string): string {
  if (/^[A-Za-z0-9_.~-]*$/.test(text)) return text;
  let escaped = '';
  for (const byte of toBytes(text)) escaped += escapeByte(byte);
  return escaped;
}

function escapeByte(byte: number): string {
  const letter = String.fromCharCode(byte);
  if (/[A-Za-z0-9_.~-]/.test(letter)) return letter;
  return letter === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
