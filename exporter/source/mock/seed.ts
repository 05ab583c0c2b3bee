/** Seeded numbers as pure functions: the same seed and parts always give the same number, in any order of asking. */

/** Uniform in [0, 1). Different `parts` give unrelated numbers. */
export function unit(seed: number, ...parts: readonly number[]): number {
  const state = parts.reduce((hash, part) => scramble((hash ^ part) + 0x9e3779b9), scramble(seed));
  return state / 2 ** 32;
}

/** Uniform in [low, high). */
export function between(low: number, high: number, fraction: number): number {
  return low + (high - low) * fraction;
}

/** `digits` lower-case hex digits (8 at most). */
export function hex(digits: number, seed: number, ...parts: readonly number[]): string {
  return Math.floor(unit(seed, ...parts) * 16 ** digits)
    .toString(16)
    .padStart(digits, '0');
}

// The finaliser of MurmurHash3: every input bit reaches every output bit.
function scramble(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
