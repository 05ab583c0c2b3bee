import { describe, expect, it } from 'vitest';
import { GUARD_CLEAR, type GuardState, stepGuard } from '../../../engine/core/guard.ts';
import { MINUTE, planOf, play, type TickShown, times } from './fixtures.ts';

const POLICY = { maxShare: 0.5, windowMs: 5 * MINUTE, minNodes: 3 };

function run(lowByMinute: readonly string[], knownNodes = 4): readonly boolean[] {
  let state: GuardState = GUARD_CLEAR;
  return lowByMinute.map((low, minute) => {
    state = stepGuard(POLICY, state, { atMs: minute * MINUTE, lowNodes: new Set(low), knownNodes });
    return state.frozenSinceMs !== undefined;
  });
}

describe('stepGuard', () => {
  it.each([
    ['half of the nodes is not more than half', ['ab'], [false]],
    ['three of four at once freeze', ['abc'], [true]],
    ['three of four within the window freeze', ['a', 'ab', 'abc'], [false, false, true]],
    [
      'three of four over a longer time do not',
      ['a', 'a', 'a', 'ab', 'ab', 'ab', 'abc'],
      [false, false, false, false, false, false, false],
    ],
    ['stays frozen while most are low, thaws at half', ['abc', 'abc', 'ab'], [true, true, false]],
  ])('%s', (_, low, frozen) => {
    expect(run(low)).toEqual(frozen);
  });

  it('never freezes a fleet below min_nodes', () => {
    expect(run(['a', 'a'], 1)).toEqual([false, false]);
  });
});

describe('a mass outage', () => {
  const UP = { 'a/0': 'up', 'b/0': 'up', 'c/0': 'up', 'd/0': 'up' } as const;
  const MOST_HOT: TickShown['gpus'] = { 'a/0': 'hot', 'b/0': 'hot', 'c/0': 'hot', 'd/0': 'up' };

  it('delays nobody while it is frozen, and delays the bad ones once most have recovered', () => {
    const { plan, state } = play(planOf(), [...times(24, UP), ...times(6, MOST_HOT)]);
    expect([...state.episodes.keys()]).toEqual([]);
    play(plan, times(30, { ...UP, 'a/0': 'hot' }), state);
    expect([...state.episodes.keys()].filter((key) => key.includes(' node '))).toEqual(['default node a']);
  });
});
