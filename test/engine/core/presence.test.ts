import { describe, expect, it } from 'vitest';
import { judgeChecks } from '../../../engine/core/presence.ts';
import { TICK, tickStateName } from '../../../engine/core/tick.ts';
import { planOf, play, type Shown, TEMPERATURE, type TickShown, times, UTILIZATION } from './fixtures.ts';

const UP: TickShown = { isWatched: true, gpus: { 'a/0': 'up' } };

function stateAfter(ticks: readonly TickShown[]): string {
  const { state } = play(planOf(), ticks);
  const track = state.gpus.get('a/0')?.tracks[0];
  return track === undefined ? 'unknown GPU' : tickStateName(track.verdict.state);
}

function then(show: Shown, isWatched = true): TickShown {
  return { isWatched, gpus: { 'a/0': show } };
}

describe('the four states of a tick', () => {
  const WATCHED = times(3, UP.gpus);
  it.each<[string, readonly TickShown[], string]>([
    ['every check holds', [...WATCHED, then('up')], 'up'],
    ['a check with on_fail down fails', [...WATCHED, then('hot')], 'down'],
    ['only a check with on_fail busy fails', [...WATCHED, then('busy')], 'busy'],
    ['a known GPU has no sample', [...WATCHED, then('gone')], 'down'],
    ['a known GPU has only an old sample', [...WATCHED, then('stale')], 'down'],
    ['the target of a known GPU is up == 0', [...WATCHED, then('target_down')], 'down'],
    ['nobody was watching', [...WATCHED, then('up', false)], 'unobserved'],
    ['nobody was watching and the GPU is gone', [...WATCHED, then('gone', false)], 'unobserved'],
    ['a GPU nobody has ever seen has no sample', times(4, { 'a/0': 'gone' }), 'unknown GPU'],
    ['a GPU seen only without an observer is not known', [then('up', false)], 'unknown GPU'],
  ])('when %s', (_, ticks, expected) => {
    expect(stateAfter(ticks)).toBe(expected);
  });

  it('does not hold a missing GPU against it until the observer has watched for a whole freshness span again', () => {
    const outage = [...times(3, UP.gpus), then('gone', false)];
    const ticksLater = (count: number) => stateAfter([...outage, ...times(count, { 'a/0': 'gone' })]);
    expect([ticksLater(1), ticksLater(2), ticksLater(3)]).toEqual(['unobserved', 'unobserved', 'down']);
  });

  it('counts a GPU that is back with its observer at once', () => {
    expect(stateAfter([...times(3, UP.gpus), then('gone', false), then('up')])).toBe('up');
  });

  it('forgets a GPU after `remember`', () => {
    const plan = planOf();
    const presence = { ...plan.policy.presence, rememberMs: 60_000 };
    const { state } = play(planOf({ presence }), [...times(3, UP.gpus), ...times(7, { 'a/0': 'gone' })]);
    expect([...state.gpus.keys()]).toEqual([]);
  });
});

describe('judgeChecks', () => {
  const warn = { ...UTILIZATION, name: 'fan', onFail: 'warn' as const };
  const needed = { ...TEMPERATURE, absent: 'down' as const };
  const at = (check: typeof TEMPERATURE, value?: number) => ({
    check,
    readings: new Map(value === undefined ? [] : [['g', value]]),
  });

  it.each([
    ['a value on the bound holds', [at(TEMPERATURE, 85)], { state: TICK.up }],
    ['a missing value holds with absent: ignore', [at(TEMPERATURE)], { state: TICK.up }],
    [
      'a missing value fails with absent: down',
      [at(needed)],
      { state: TICK.down, failed: { check: needed, value: undefined } },
    ],
    [
      'down outranks busy, whichever comes first',
      [at(UTILIZATION, 99), at(TEMPERATURE, 91)],
      { state: TICK.down, failed: { check: TEMPERATURE, value: 91 } },
    ],
    ['warn stays up and says so', [at(warn, 99)], { state: TICK.up, failed: { check: warn, value: 99 } }],
    [
      'busy outranks warn',
      [at(warn, 99), at(UTILIZATION, 97)],
      { state: TICK.busy, failed: { check: UTILIZATION, value: 97 } },
    ],
  ])('%s', (_, checks, expected) => {
    expect(judgeChecks(checks, 'g')).toEqual(expected);
  });
});
