/** One instant in the life of a node: what all its cards have in common then. */

import { loadAt, shareOfPeak, warmthAt } from './load.ts';
import { between, unit } from './seed.ts';

export interface Moment {
  /** Scenario time. */
  readonly atMs: number;
  /** Scenario time shifted by the node's phase: where in its course the workload is. */
  readonly workS: number;
  /** The node's phase: `workS` at scenario time 0. */
  readonly phaseS: number;
  readonly load: number;
  /** The load and what the dies feel of it, as shares of peak. */
  readonly share: number;
  readonly warmth: number;
}

/** `atMs` must be 0 or more. */
export function momentAt(atMs: number, phaseS = 0): Moment {
  const workS = phaseS + atMs / 1000;
  const load = loadAt(workS);
  return { atMs, workS, phaseS, load, share: shareOfPeak(load), warmth: shareOfPeak(warmthAt(workS)) };
}

/** Sensor noise in [-1, 1): a new value each second for each quantity of each card. */
export function noise({ seed, index }: { seed: number; index: number }, quantity: number, { atMs }: Moment): number {
  return between(-1, 1, unit(seed, quantity, index, Math.floor(atMs / 1000)));
}

/** Where the workload of a node with this phase is at an instant of scenario time. */
export function workSecondsAt(atMs: number, phaseS: number): number {
  return phaseS + atMs / 1000;
}
