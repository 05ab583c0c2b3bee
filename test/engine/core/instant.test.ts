import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoSecond } from '../../../engine/core/instant.ts';

describe('isoSecond', () => {
  it('writes UTC to the second, rounded down', () => {
    expect(isoSecond(1_769_860_985_999)).toBe('2026-01-31T12:03:05Z');
  });

  it('agrees with the calendar of the system, leap years and centuries included', () => {
    const anyInstant = fc.integer({ min: 0, max: Date.UTC(2999, 11, 31) });
    fc.assert(
      fc.property(anyInstant, (ms) => {
        expect(isoSecond(ms)).toBe(new Date(ms).toISOString().replace(/\.\d{3}/, ''));
      }),
    );
  });
});
