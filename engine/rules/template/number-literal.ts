/** Number and character literals: a literal is every kind of number it can be, as in Go. */
import { toInt64 } from './double.ts';
import { parseFloat64, parseInteger } from './go-parse.ts';
import { quote, unquoteCharacter } from './go-quote.ts';
import type { NumberLiteral } from './node.ts';
import type { Token } from './token.ts';

/** What a literal is, or Go's reason why it is nothing. */
export type ReadNumber =
  | { readonly ok: true; readonly literal: NumberLiteral }
  | { readonly ok: false; readonly go: string };

type Kinds = Omit<NumberLiteral, 'kind' | 'at' | 'text'>;

/** Reads the token of a number, a complex number or a character. */
export function readNumber({ kind, text, from }: Token): ReadNumber {
  const found =
    kind === 'character' ? characterKinds(text) : kind === 'complex' ? complexKinds(text) : numberKinds(text);
  if (typeof found === 'string') return { ok: false, go: found };
  return { ok: true, literal: { kind: 'number', at: from, text, ...found } };
}

function characterKinds(text: string): Kinds | string {
  const character = unquoteCharacter(text);
  if (!character.ok) return character.isLong ? `malformed character constant: ${text}` : 'invalid syntax';
  return wholeKinds(BigInt(character.codePoint));
}

function wholeKinds(value: bigint): Kinds {
  return { int64: value, uint64: value, float64: Number(value) };
}

function complexKinds(text: string): Kinds | string {
  const at = imaginaryStart(text);
  const [real, imaginary] = [parseFloat64(text.slice(0, at)), parseFloat64(text.slice(at, -1))];
  if (!real.ok || !imaginary.ok || text.slice(0, at).endsWith('i')) return 'syntax error scanning complex number';
  return simplify(real.value, imaginary.value);
}

/** The sign between the two parts; one behind an exponent's letter belongs to the first part. */
function imaginaryStart(text: string): number {
  const pattern = /^[+-]?0[xX]/.test(text) ? /(?<=.)(?<![pP])[+-]/ : /(?<=.)(?<![eE])[+-]/;
  return text.search(pattern);
}

function simplify(real: number, imaginary: number): Kinds {
  return { complex: { real, imaginary }, ...(imaginary === 0 && floatKinds(real)) };
}

function numberKinds(text: string): Kinds | string {
  if (text.endsWith('i')) {
    const imaginary = parseFloat64(text.slice(0, -1));
    if (imaginary.ok) return simplify(0, imaginary.value);
  }
  const { int64, uint64 } = parseInteger(text);
  const whole = int64 ?? uint64;
  if (whole !== undefined) {
    const unsigned = int64 === 0n ? 0n : uint64;
    return {
      ...(int64 !== undefined && { int64 }),
      ...(unsigned !== undefined && { uint64: unsigned }),
      float64: Number(whole),
    };
  }
  const float = parseFloat64(text);
  if (!float.ok) return `illegal number syntax: ${quote(text)}`;
  return /[.eEpP]/.test(text) ? floatKinds(float.value) : `integer overflow: ${quote(text)}`;
}

function floatKinds(value: number): Kinds {
  const int64 = toInt64(value);
  const isInt64 = Number(int64) === value;
  const isUint64 = Number.isInteger(value) && value >= 0 && value < 2 ** 64;
  return { float64: value, ...(isInt64 && { int64 }), ...(isUint64 && { uint64: BigInt(value) }) };
}
