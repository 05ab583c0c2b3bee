import { describe, expect, it } from 'vitest';
import { createSimulationClock, realTimeOf } from '../../../exporter/source/mock/clock.ts';

/** A clock over an exporter's clock that begins at 1000 ms. */
const clockFrom = (options: { speed?: number; elapsedMs?: number } = {}) => {
  let nowMs = 1000;
  const clock = createSimulationClock({ now: () => nowMs, ...options });
  return { clock, at: (ms: number) => (nowMs = ms) };
};

describe('createSimulationClock', () => {
  it('follows the clock of the exporter from its creation, at its speed and from its start', () => {
    const { clock, at } = clockFrom({ speed: 60, elapsedMs: 5000 });
    expect(clock.elapsedMs()).toBe(5000);
    at(2000);
    expect([clock.now(), clock.elapsedMs()]).toEqual([2000, 65_000]);
  });

  it('goes on at its speed after it was moved', () => {
    const { clock, at } = clockFrom({ speed: 2 });
    at(3000);
    clock.advance(10_000);
    expect(clock.elapsedMs()).toBe(14_000);
    at(4000);
    expect(clock.elapsedMs()).toBe(16_000);
  });

  it('stands still at speed 0', () => {
    const { clock, at } = clockFrom({ speed: 0 });
    at(9000);
    expect(clock.elapsedMs()).toBe(0);
    clock.advance(7);
    expect(clock.elapsedMs()).toBe(7);
  });
});

describe('realTimeOf', () => {
  it('finds when the scenario was where; what was skipped was at the skip', () => {
    const { clock, at } = clockFrom({ speed: 2, elapsedMs: 100 });
    at(3000);
    clock.advance(10_000);
    const real = (elapsedMs: number) => realTimeOf(clock.stretches(), clock.speed, elapsedMs);
    expect([100, 4100, 4101, 9000, 14_100, 14_102, 0].map(real)).toEqual([1000, 3000, 3000, 3000, 3000, 3001, 950]);
  });

  it('is the instant of the move for a clock that stands still', () => {
    const { clock, at } = clockFrom({ speed: 0 });
    at(3000);
    clock.advance(10_000);
    expect([0, 5000, 10_000].map((ms) => realTimeOf(clock.stretches(), 0, ms))).toEqual([1000, 1000, 3000]);
  });
});
