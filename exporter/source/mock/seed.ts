/** Seeded numbers as pure functions: the same seed and parts always give the same number, in any order of asking. */

/** Uniform in [0, 1). Different `parts` give unrelated numbers. */
export function unit(seed: number, ...parts: readonly number[]): number {
  let state = scramble(seed);
  for (const part of parts) state = scramble((state ^ part) + 0x9e3779b9);
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

/** Seed of one node of a fleet, for one `use`; the first node has the seed of the fleet, so that a fleet of one is that fleet. */
export function nodeSeed(seed: number, node: number, use = 0): number {
  return node === 0 ? seed : unit(seed, stream.node, node, use) * 2 ** 32;
}

/** One number per independent use of a seed. */
export const stream = {
  uuid: 1,
  traits: 2,
  temperature: 3,
  power: 4,
  util: 5,
  memory: 6,
  sbe: 7,
  dbe: 8,
  replay: 9,
  node: 10,
  serial: 11,
  phase: 12,
  instantPower: 13,
  flapping: 14,
  stormSbe: 15,
  stormDbe: 16,
  share: 17,
} as const;

// The finaliser of MurmurHash3: every input bit reaches every output bit.
function scramble(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
