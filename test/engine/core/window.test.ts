import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TICK, type TickState } from '../../../engine/core/tick.ts';
import {
  createTimeline,
  decodeTimeline,
  encodeTimeline,
  pushTick,
  stateAgo,
  type Timeline,
  windowCounts,
} from '../../../engine/core/window.ts';

const LENGTHS = [3, 7, 20];
const states = fc.array(fc.constantFrom(0, 1, 2, 3, 4) as fc.Arbitrary<TickState>, { maxLength: 90 });

function filled(pushed: readonly TickState[]): Timeline {
  const timeline = createTimeline(LENGTHS);
  for (const state of pushed) pushTick(timeline, state);
  return timeline;
}

function counted(pushed: readonly TickState[], length: number) {
  const recent = pushed.slice(-length);
  const of = (state: TickState) => recent.filter((other) => other === state).length;
  return {
    up: of(TICK.up),
    busy: of(TICK.busy),
    down: of(TICK.down),
    maintenance: of(TICK.maintenance),
    expected: length,
    span: recent.length,
    length,
  };
}

describe('pushTick', () => {
  it('keeps each window equal to counting its latest ticks afresh', () => {
    fc.assert(
      fc.property(states, (pushed) => {
        const timeline = filled(pushed);
        for (const [w, length] of LENGTHS.entries()) {
          expect(windowCounts(timeline, w)).toEqual(counted(pushed, length));
        }
      }),
    );
  });

  it('remembers each of the latest states up to the longest window', () => {
    fc.assert(
      fc.property(states, fc.nat(25), (pushed, age) => {
        const expected = age < 20 ? (pushed.at(-1 - age) ?? TICK.unobserved) : TICK.unobserved;
        expect(stateAgo(filled(pushed), age)).toBe(age < pushed.length ? expected : TICK.unobserved);
      }),
    );
  });
});

describe('encodeTimeline', () => {
  it('writes runs, oldest first', () => {
    expect(encodeTimeline(filled([3, 3, 3, 1, 0, 0, 2, 4, 4]))).toBe('u3d1o2b1m2');
  });

  it('is undone by decodeTimeline, also for every later tick', () => {
    fc.assert(
      fc.property(states, states, (before, after) => {
        const original = filled(before);
        const restored = decodeTimeline(LENGTHS, encodeTimeline(original), original.ticks);
        for (const state of after) {
          pushTick(original, state);
          pushTick(restored, state);
        }
        expect(restored).toEqual(original);
      }),
    );
  });

  it.each(['x3', 'u', 'u3 d1', '3u'])('refuses %j, which it cannot have written', (text) => {
    expect(() => decodeTimeline(LENGTHS, text, 3)).toThrow(RangeError);
  });
});
