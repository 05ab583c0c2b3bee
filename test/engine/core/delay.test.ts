import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delayMsOf, type Episode, stepDelay } from '../../../engine/core/delay.ts';
import type { DelayPolicy } from '../../../engine/core/policy.ts';
import type { WindowVerdict } from '../../../engine/core/uptime.ts';
import { policy, SECOND } from './fixtures.ts';

const DELAY = policy().delay;
const TICK_MS = 5 * SECOND;

function run(verdicts: readonly WindowVerdict[], change: Partial<DelayPolicy> = {}, isFrozen = false) {
  const seen: (Episode | undefined)[] = [];
  let episode: Episode | undefined;
  for (const [tick, verdict] of verdicts.entries()) {
    episode = stepDelay({ ...DELAY, ...change }, episode, { atMs: tick * TICK_MS, verdict, isFrozen });
    seen.push(episode);
  }
  return seen;
}

function low(ticks: number): readonly WindowVerdict[] {
  return Array.from({ length: ticks }, () => 'low' as const);
}

describe('delayMsOf', () => {
  it('climbs 10x by 1.5 to the cap of 100x', () => {
    const seconds = [1, 2, 3, 4, 5, 6, 7, 8, 20].map((failure) => delayMsOf(DELAY, failure) / SECOND);
    expect(seconds).toEqual([300, 450, 675, 1012.5, 1518.75, 2278.125, 3000, 3000, 3000]);
  });
});

describe('stepDelay', () => {
  it('starts failure 1 at the first low tick', () => {
    expect(run(['met', 'unknown', 'low']).at(-1)).toEqual({ sinceMs: 10_000, failures: 1, failedAtMs: 10_000 });
  });

  it('starts each next failure at the first tick at or after the end of the delay before it', () => {
    const starts = run(low(900)).flatMap((episode, tick) => (episode?.failedAtMs === tick * TICK_MS ? [tick * 5] : []));
    expect(starts).toEqual([0, 300, 750, 1425, 2440, 3960]);
  });

  it('clears at once when every known window is met', () => {
    expect(run([...low(100), 'met']).at(-1)).toBeUndefined();
  });

  it('keeps the episode through a recovery hold, and restarts the hold at a relapse', () => {
    const hold = { recoveryHoldMs: 10 * SECOND };
    const ticks = run(['low', 'met', 'met', 'low', 'met', 'met', 'met'], hold).map((episode) => episode?.failures);
    expect(ticks).toEqual([1, 1, 1, 1, 1, 1, undefined]);
  });

  it('neither escalates nor clears without evidence', () => {
    const verdicts: readonly WindowVerdict[] = ['low', ...Array.from({ length: 200 }, () => 'unknown' as const)];
    expect(run(verdicts).at(-1)).toEqual({ sinceMs: 0, failures: 1, failedAtMs: 0 });
  });

  it('starts nothing while frozen, and still recovers', () => {
    expect(run(low(5), {}, true).at(-1)).toBeUndefined();
    const running = { sinceMs: 0, failures: 2, failedAtMs: 0 };
    expect(stepDelay(DELAY, running, { atMs: 9e9, verdict: 'low', isFrozen: true })).toEqual(running);
    expect(stepDelay(DELAY, running, { atMs: 9e9, verdict: 'met', isFrozen: true })).toBeUndefined();
  });

  it('for any timeline: failures only grow on low ticks, delays never pass the cap, and met always recovers', () => {
    const verdicts = fc.array(fc.constantFrom<WindowVerdict>('met', 'low', 'unknown'), { maxLength: 300 });
    fc.assert(
      fc.property(verdicts, (timeline) => {
        const episodes = run(timeline);
        for (const [tick, episode] of episodes.entries()) {
          const before = episodes[tick - 1]?.failures ?? 0;
          const grew = (episode?.failures ?? 0) > before;
          expect(!grew || timeline[tick] === 'low').toBe(true);
          expect(delayMsOf(DELAY, episode?.failures ?? 1)).toBeLessThanOrEqual(3000 * SECOND);
          if (timeline[tick] === 'met') expect(episode).toBeUndefined();
        }
      }),
    );
  });
});
