/** A timeline of tick states with its windows updated in place: a tick costs the same for 5 minutes as for 24 hours. */
import { TICK_STATES as STATES, TICK, type TickState } from './tick.ts';

/** The latest states of one GPU, and per window how many ticks had each state. */
export interface Timeline {
  /** Window lengths in ticks. */
  readonly lengths: readonly number[];
  /** Ring of the latest states; as long as the longest window. */
  readonly ring: Uint8Array;
  /** counts[window * TICK_STATES + state] over the window's latest ticks. */
  readonly counts: Int32Array;
  /** Ticks pushed since the GPU was first seen. */
  ticks: number;
}

/** Ticks by state over one window. `expected` is the window's length in ticks (times GPUs, for aggregates). */
export interface WindowCounts {
  readonly up: number;
  readonly busy: number;
  readonly down: number;
  /** Ticks of planned maintenance: neither good nor bad, and not expected to be observed. */
  readonly maintenance: number;
  readonly expected: number;
  /** Ticks since the subject was first seen, at most the window's length. */
  readonly span: number;
  readonly length: number;
}

export function createTimeline(lengths: readonly number[]): Timeline {
  return {
    lengths,
    ring: new Uint8Array(Math.max(...lengths)),
    counts: new Int32Array(lengths.length * STATES),
    ticks: 0,
  };
}

/** Appends one tick: each window gains the new state and loses the one that falls out of its far end. */
export function pushTick(timeline: Timeline, state: TickState): void {
  const { lengths, ring, counts, ticks } = timeline;
  for (let w = 0; w < lengths.length; w++) {
    const leaving = ticks - (lengths[w] ?? 0);
    if (leaving >= 0) add(counts, w * STATES + (ring[leaving % ring.length] ?? TICK.unobserved), -1);
    add(counts, w * STATES + state, 1);
  }
  ring[ticks % ring.length] = state;
  timeline.ticks = ticks + 1;
}

function add(counts: Int32Array, index: number, amount: number): void {
  counts[index] = (counts[index] ?? 0) + amount;
}

/** Counts of window `w` (its index in `lengths`). */
export function windowCounts(timeline: Timeline, w: number): WindowCounts {
  const { counts, lengths, ticks } = timeline;
  const length = lengths[w] ?? 0;
  const at = w * STATES;
  return {
    up: counts[at + TICK.up] ?? 0,
    busy: counts[at + TICK.busy] ?? 0,
    down: counts[at + TICK.down] ?? 0,
    maintenance: counts[at + TICK.maintenance] ?? 0,
    expected: length,
    span: Math.min(ticks, length),
    length,
  };
}

/** Counts of window `w` over several GPUs, straight from their timelines: a fleet is summed at every tick. */
export function sumWindow(timelines: readonly Timeline[], w: number): WindowCounts {
  const length = timelines[0]?.lengths[w] ?? 0;
  const sum = { up: 0, busy: 0, down: 0, maintenance: 0, expected: length * timelines.length, span: 0, length };
  const at = w * STATES;
  for (const { counts, ticks } of timelines) {
    sum.up += counts[at + TICK.up] ?? 0;
    sum.busy += counts[at + TICK.busy] ?? 0;
    sum.down += counts[at + TICK.down] ?? 0;
    sum.maintenance += counts[at + TICK.maintenance] ?? 0;
    sum.span = Math.max(sum.span, Math.min(ticks, length));
  }
  return sum;
}

/** Sum of two groups of GPUs: ticks weigh by capacity, the span is that of the longest known. */
export function sumCounts(a: WindowCounts, b: WindowCounts): WindowCounts {
  return {
    up: a.up + b.up,
    busy: a.busy + b.busy,
    down: a.down + b.down,
    maintenance: a.maintenance + b.maintenance,
    expected: a.expected + b.expected,
    span: Math.max(a.span, b.span),
    length: a.length,
  };
}

/** State `age` ticks ago (0 is the latest); unobserved beyond what is known. */
export function stateAgo(timeline: Timeline, age: number): TickState {
  const { ring, ticks } = timeline;
  if (age >= ticks || age >= ring.length) return TICK.unobserved;
  return (ring[(ticks - 1 - age) % ring.length] ?? TICK.unobserved) as TickState;
}

const LETTERS = 'odbum';

/** Run-length text of the states still held, oldest first: `u1440`, `u120d3o2u5`. */
export function encodeTimeline({ ring, ticks }: Timeline): string {
  const held = Math.min(ticks, ring.length);
  let slot = (ticks - held) % ring.length;
  let text = '';
  let run = 0;
  for (let i = 0; i < held; i++) {
    const state = ring[slot];
    slot = slot + 1 === ring.length ? 0 : slot + 1;
    run++;
    if (i + 1 < held && ring[slot] === state) continue;
    text += `${LETTERS[state ?? TICK.unobserved]}${run}`;
    run = 0;
  }
  return text;
}

/**
 * Rebuilds a timeline from `encodeTimeline`'s text. `ticks` restores the span beyond what the ring holds.
 * Throws RangeError on text that `encodeTimeline` cannot have written.
 */
export function decodeTimeline(lengths: readonly number[], text: string, ticks: number): Timeline {
  if (!/^([odbum]\d+)*$/.test(text)) throw new RangeError(`not a timeline: ${text.slice(0, 40)}`);
  const timeline = createTimeline(lengths);
  for (const [, letter = 'o', run = '0'] of text.matchAll(/([odbum])(\d+)/g)) {
    const state = LETTERS.indexOf(letter) as TickState;
    for (let i = 0; i < Number(run); i++) pushTick(timeline, state);
  }
  return alignTicks(timeline, ticks);
}

/** Only ring position and span depend on `ticks`: rotate the ring so that later pushes find their slots. */
function alignTicks(timeline: Timeline, ticks: number): Timeline {
  const size = timeline.ring.length;
  if (ticks <= timeline.ticks || timeline.ticks < size) return timeline;
  const rotated = createTimeline(timeline.lengths);
  for (let age = 0; age < size; age++) rotated.ring[(ticks - 1 - age) % size] = stateAgo(timeline, age);
  rotated.counts.set(timeline.counts);
  rotated.ticks = ticks;
  return rotated;
}
