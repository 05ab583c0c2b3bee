import { describe, expect, it } from 'vitest';
import { intervalReason } from '../../../../engine/core/ping/interval-reason.ts';
import { type Attempt, POOR, pingPolicy, play, times, UNREACHABLE, UP } from './fixtures.ts';

describe('intervalReason', () => {
  const LOW = 'last ping: uptime 90.0% < 99% since';

  it.each<[string, readonly Attempt[], RegExp]>([
    ['an agent that was never pinged', [], /^never pinged: the first ping asks only whether there is a GPU$/],
    ['a good one', [UP], /^base interval of 15m; last ping: first answer: the GPU is there$/],
    ['a poor one', [UP, POOR], new RegExp(`^1 poor ping: 15m x 2\\^1 = 30m; ${LOW}`)],
    ['a poorer one', [UP, ...times(3, POOR)], new RegExp(`^3 consecutive poor pings: 15m x 2\\^3 = 2h; ${LOW}`)],
    [
      'the poorest',
      [UP, ...times(9, POOR)],
      new RegExp(`^7 consecutive poor pings: 15m x 2\\^7 is capped at 24h; ${LOW}`),
    ],
    [
      'one that fails',
      [UP, UNREACHABLE],
      /^base interval of 15m; a failure is being confirmed, asked once so far; last ping: first/,
    ],
    [
      'one that fails again',
      [UP, POOR, ...times(2, UNREACHABLE)],
      /^1 poor ping: .* = 30m; a failure .* asked 2 times so far; last/,
    ],
  ])('explains %s', (_, attempts, reason) => {
    const policy = pingPolicy();
    expect(intervalReason(policy, play(policy, attempts).state)).toMatch(reason);
  });

  it('says that a poor agent is looked at more often than it is paid', () => {
    const policy = pingPolicy({ observe: 'base' });
    const { state } = play(policy, [UP, POOR, POOR, POOR]);
    expect(intervalReason(policy, state)).toMatch(
      /^2 consecutive poor pings: 15m x 2\^2 = 1h; looked at every 15m meanwhile; last/,
    );
  });

  it('promises no leniency where the policy has none', () => {
    const policy = pingPolicy({ firstPingGracePeriod: false });
    expect(intervalReason(policy, play(policy, []).state)).toBe('never pinged');
  });
});
