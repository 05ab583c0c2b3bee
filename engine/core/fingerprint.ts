/** The short name Alertmanager gives a label set, so that both sides speak of the same alert. */
import type { LabelSet } from './alert.ts';

/** A 64-bit FNV-1a hash in two halves: JavaScript multiplies 64-bit integers only as BigInt, a hundred times slower. */
interface Hash {
  high: number;
  low: number;
}

const OFFSET: Readonly<Hash> = { high: 0xcbf29ce4, low: 0x84222325 };
// The prime is 2^40 + 0x1b3: the first term only shifts, so one small factor remains.
const PRIME_LOW = 0x1b3;
const PRIME_SHIFT = 40 - 32;
/** No UTF-8 text contains it. */
const SEPARATOR = 0xff;

/**
 * Alertmanager's fingerprint of a label set: 16 hexadecimal digits of the FNV-1a 64 hash over names and values in the
 * order of the names' bytes, each followed by 0xff (`LabelSet.Fingerprint` of github.com/prometheus/common/model).
 */
export function fingerprintOf(labels: LabelSet): string {
  const hash = { ...OFFSET };
  for (const name of Object.keys(labels).sort(compareCodePoints)) {
    addText(hash, name);
    addText(hash, labels[name] ?? '');
  }
  return hex(hash.high) + hex(hash.low);
}

/** The order of UTF-8 bytes is the order of code points; `<` compares UTF-16, where surrogates come too early. */
function compareCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const [unitA, unitB] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for the highest code points, behind all other UTF-16 units. */
function rank(unit: number): number {
  return isSurrogate(unit) ? unit + 0x10000 : unit;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function addText(hash: Hash, text: string): void {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) addByte(hash, unit);
    else at += addWide(hash, text.codePointAt(at) ?? unit);
  }
  addByte(hash, SEPARATOR);
}

const REPLACEMENT = 0xfffd;

/** The UTF-8 bytes of a code point above 0x7f; returns how many more UTF-16 units it took than one. */
function addWide(hash: Hash, codePoint: number): number {
  // Half a surrogate pair has no UTF-8 form; JSON on the wire carries the replacement character instead.
  const point = isSurrogate(codePoint) ? REPLACEMENT : codePoint;
  if (point < 0x800) addByte(hash, 0xc0 | (point >> 6));
  else if (point < 0x10000) addByte(hash, 0xe0 | (point >> 12));
  else addByte(hash, 0xf0 | (point >> 18));
  if (point >= 0x10000) addByte(hash, 0x80 | ((point >> 12) & 0x3f));
  if (point >= 0x800) addByte(hash, 0x80 | ((point >> 6) & 0x3f));
  addByte(hash, 0x80 | (point & 0x3f));
  return point >= 0x10000 ? 1 : 0;
}

function addByte(hash: Hash, byte: number): void {
  const low = (hash.low ^ byte) >>> 0;
  const product = low * PRIME_LOW;
  const carry = Math.floor(product / 0x1_0000_0000);
  hash.high = (Math.imul(hash.high, PRIME_LOW) + carry + (low << PRIME_SHIFT)) >>> 0;
  hash.low = product >>> 0;
}

function hex(half: number): string {
  return half.toString(16).padStart(8, '0');
}
