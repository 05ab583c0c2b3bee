/** When a flapping GPU is off the bus: once in each stretch of twenty minutes, for up to two minutes. */

import { type Influence, overlap, type Span } from './effects.ts';
import { between, stream, unit } from './seed.ts';

const stretchMs = 20 * 60_000;
const latestStartMs = 15 * 60_000;
const shortestMs = 10_000;
const longestMs = 120_000;

/** A GPU by the seed of its node and its index there. */
export interface SeededGpu {
  readonly seed: number;
  readonly index: number;
}

/** The spans off the bus that touch `span`, in order; each is cut off where the flapping ends, and none at `span`. */
export function spansOffTheBus(gpu: SeededGpu, influence: Influence, span: Span): readonly Span[] {
  const wanted = overlap(influence, span);
  if (wanted === undefined) return [];
  const first = Math.floor((wanted.fromMs - influence.fromMs) / stretchMs);
  const last = Math.floor((wanted.untilMs - influence.fromMs) / stretchMs);
  const spans = Array.from({ length: last - first + 1 }, (_, nth) => spanIn(gpu, influence, first + nth));
  return spans.flatMap((off) => (overlap(off, span) === undefined ? [] : (overlap(off, influence) ?? [])));
}

function spanIn({ seed, index }: SeededGpu, { fromMs, id }: Influence, stretch: number): Span {
  const draw = (nth: number) => unit(seed, stream.flapping, index, id, stretch, nth);
  // Whole milliseconds, so that the truth about a flapping GPU is exact.
  const startMs = fromMs + stretch * stretchMs + Math.floor(between(0, latestStartMs, draw(0)));
  return { fromMs: startMs, untilMs: startMs + Math.floor(between(shortestMs, longestMs, draw(1))) };
}
