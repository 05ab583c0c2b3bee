import { describe, expect, it } from 'vitest';
import { recoveryForecast } from '../../../../engine/core/ping/forecast.ts';
import { MINUTE } from '../fixtures.ts';
import { AGENT, type Attempt, confirmed, POOR, pingPolicy, play, times, UNREACHABLE, UP } from './fixtures.ts';

/** Good pings needed, and the minutes from the next ping until the last of them. */
function forecast(attempts: readonly Attempt[], policy = pingPolicy()) {
  const { state } = play(policy, [UP, ...attempts]);
  const { pings, atMs } = recoveryForecast(policy, AGENT, state);
  return [pings, atMs === undefined ? undefined : Math.round((atMs - state.nextDueAtMs) / MINUTE)];
}

describe('recoveryForecast', () => {
  it.each<[string, readonly Attempt[], readonly (number | undefined)[]]>([
    ['nothing to recover from', [UP], [0, undefined]],
    ['one step', [POOR], [1, 0]],
    ['two steps', [POOR, POOR], [2, 30]],
    ['at the cap, three in a row: 16 h and 8 h in between', times(9, POOR), [3, 960 + 480]],
    ['good pings that were already there count', [...times(9, POOR), UP], [2, 480]],
    ['while a failure is being confirmed', [POOR, POOR, UNREACHABLE], [2, 30]],
    ['a confirmed failure is a step more', [POOR, ...confirmed(UNREACHABLE)], [2, 30]],
  ])('%s', (_, attempts, expected) => {
    expect(forecast(attempts)).toEqual(expected);
  });

  it('is never more than the threshold, which is 100 at most, however many poor pings there were', () => {
    const policy = pingPolicy({ escalationMultiplier: 1, recoveryThresholdPings: 100 });
    const { state } = play(policy, [UP, POOR]);
    expect(recoveryForecast(policy, AGENT, { ...state, consecutivePoor: 1_000_000_000 }).pings).toBe(100);
  });

  it('is three pings at the base interval where a poor agent is still looked at that often', () => {
    const [pings, minutes] = forecast(times(140, POOR), pingPolicy({ observe: 'base' }));
    expect([pings, minutes]).toEqual([3, 30]);
  });
});
