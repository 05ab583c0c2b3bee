import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { phaseOf, slotAtOrBefore } from '../../../engine/rules/schedule.ts';

const group = (name: string, intervalMs = 60_000, file = 'rules.yml') => ({ file, name, intervalMs });

describe('phaseOf', () => {
  it('is the same for everybody who has the group, and another for another name, file or interval', () => {
    const phases = [group('a'), group('a'), group('b'), group('a', 60_000, 'other.yml'), group('a', 30_000)].map(
      phaseOf,
    );
    expect(phases).toEqual([59_871, 59_871, phases[2], phases[3], phases[4]]);
    expect(new Set(phases).size).toBeGreaterThanOrEqual(4);
  });

  it('spreads groups over the interval', () => {
    const counts = [0, 0, 0, 0, 0, 0];
    for (let index = 0; index < 600; index++) {
      const sixth = Math.floor(phaseOf(group(`group ${index}`)) / 10_000);
      counts[sixth] = (counts[sixth] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(60);
  });
});

describe('slotAtOrBefore', () => {
  it('is on the grid of the phase, at most an interval ago, and never in the future', () => {
    const anyGroup = fc
      .record({ name: fc.string(), intervalMs: fc.integer({ min: 1, max: 86_400_000 }) })
      .map(({ name, intervalMs }) => group(name, intervalMs));
    fc.assert(
      fc.property(anyGroup, fc.integer({ min: 0, max: 4e12 }), (of, now) => {
        const slot = slotAtOrBefore(of, now);
        expect(now - slot).toBeGreaterThanOrEqual(0);
        expect(now - slot).toBeLessThan(of.intervalMs);
        expect((((slot - phaseOf(of)) % of.intervalMs) + of.intervalMs) % of.intervalMs).toBe(0);
      }),
    );
  });
});
