import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusOf, wilsonUpperBound, windowFigures } from '../../../engine/core/uptime.ts';
import { policy, WINDOWS } from './fixtures.ts';

const [SHORT] = WINDOWS;
if (SHORT === undefined) throw new Error('the fixture has a short window');

function counts(up: number, busy: number, down: number, length = 60, maintenance = 0) {
  return { up, busy, down, maintenance, expected: length, span: length, length };
}

describe('windowFigures', () => {
  it.each([
    ['all up', counts(60, 0, 0), 1, 'met'],
    ['one of 60 down', counts(59, 0, 1), 59 / 60, 'low'],
    ['busy counts as down by default', counts(59, 1, 0), 59 / 60, 'low'],
    ['unobserved ticks count on neither side', counts(30, 0, 0), 1, 'met'],
    ['below min_coverage nothing is known', counts(10, 0, 10), 0.5, 'unknown'],
    ['nothing observed', counts(0, 0, 0), undefined, 'unknown'],
    ['maintenance counts on neither side', counts(20, 0, 0, 60, 40), 1, 'met'],
    ['maintenance hides nothing of the rest', counts(19, 0, 1, 60, 40), 0.95, 'low'],
    ['half of what maintenance leaves must be observed', counts(9, 0, 0, 60, 40), 1, 'unknown'],
    ['a window full of maintenance has no verdict', counts(0, 0, 0, 60, 60), undefined, 'unknown'],
    ['one tick is no verdict on a window of maintenance', counts(0, 0, 1, 60, 59), 0, 'unknown'],
    ['a tenth of the window is one', counts(5, 0, 1, 60, 54), 5 / 6, 'low'],
  ] as const)('%s', (_, given, uptime, verdict) => {
    expect(windowFigures(policy(), SHORT, given)).toMatchObject({ uptime, verdict });
  });

  it('counts busy as up where the policy says so', () => {
    expect(windowFigures(policy({ busyCountsAs: 'up' }), SHORT, counts(50, 10, 0))).toMatchObject({
      uptime: 1,
      verdict: 'met',
    });
  });

  it('is full once the subject has been known for the whole range', () => {
    const young = { ...counts(59, 0, 0), span: 59 };
    expect(windowFigures(policy(), SHORT, young).isFull).toBe(false);
    expect(windowFigures(policy(), SHORT, counts(59, 0, 0)).isFull).toBe(true);
  });

  it('expects no observation of what was in maintenance', () => {
    expect(windowFigures(policy(), SHORT, counts(15, 0, 0, 60, 40))).toMatchObject({ coverage: 0.75, samples: 15 });
    expect(windowFigures(policy(), SHORT, counts(0, 0, 0, 60, 60))).toMatchObject({ coverage: 0, uptime: undefined });
  });

  it('keeps uptime and coverage within 0 and 1', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60), (up, busy, down, maintenance) => {
        const length = up + busy + down + maintenance + 1;
        const { uptime, coverage } = windowFigures(policy(), SHORT, counts(up, busy, down, length, maintenance));
        expect(uptime === undefined || (uptime >= 0 && uptime <= 1)).toBe(true);
        expect(coverage >= 0 && coverage <= 1).toBe(true);
      }),
    );
  });
});

describe('wilsonUpperBound', () => {
  it.each([
    [60, 3],
    [360, 8],
    [1440, 22],
  ])('of %i samples, %i bad ones are the first that prove uptime below 99 %%', (total, bad) => {
    expect(wilsonUpperBound(total - bad, total)).toBeLessThan(0.99);
    expect(wilsonUpperBound(total - bad + 1, total)).toBeGreaterThanOrEqual(0.99);
  });

  it('penalises only what is proven when the policy judges by it', () => {
    const wilson = policy({ judge: 'wilson' });
    expect(windowFigures(wilson, SHORT, counts(58, 0, 2)).verdict).toBe('met');
    expect(windowFigures(wilson, SHORT, counts(57, 0, 3)).verdict).toBe('low');
  });
});

describe('statusOf', () => {
  it.each([
    [['met', 'met', 'met'], 'healthy'],
    [['met', 'unknown', 'unknown'], 'healthy'],
    [['low', 'met', 'met'], 'degraded'],
    [['met', 'met', 'low'], 'degraded'],
    [['low', 'low', 'met'], 'unhealthy'],
    [['low', 'low', 'low'], 'unhealthy'],
    [['low', 'unknown', 'unknown'], 'degraded'],
    [['unknown', 'unknown', 'unknown'], 'unknown'],
  ] as const)('%j is %s', (verdicts, status) => {
    expect(statusOf(verdicts)).toBe(status);
  });
});
