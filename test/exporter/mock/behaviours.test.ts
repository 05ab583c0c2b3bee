/** What the documentation of each behaviour says, seen on 60 cards. */
import { describe, expect, it } from 'vitest';
import type { GpuSample } from '../../../exporter/snapshot.ts';
import { type BehaviourName, behaviours } from '../../../exporter/source/mock/behaviours.ts';
import { cardIn } from '../../../exporter/source/mock/card.ts';
import { momentAt } from '../../../exporter/source/mock/moment.ts';
import { a100Sxm80 } from '../../../exporter/source/mock/profiles.ts';
import { sampleGpu } from '../../../exporter/source/mock/sample.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const cards = Array.from({ length: 60 }, (_, seed) => cardIn({ profile: a100Sxm80, seed, node: 0, index: seed % 8 }));
// Idle, 50 s into the five-minute cycle; peak, 220 s into it.
const idleMs = 50_000;
const peakMs = 220_000;

const samples = (behaviour: BehaviourName, atMs: number): readonly GpuSample[] =>
  cards.map((card) => {
    const effects: readonly (typeof behaviours)[BehaviourName]['effects'][number][] = behaviours[behaviour].effects;
    const influences = effects.map((effect, id) => ({ effect, fromMs: 0, untilMs: Number.POSITIVE_INFINITY, id }));
    return sampleGpu(card, momentAt(atMs), { influences, countersSinceMs: 0 });
  });

const spread = (values: readonly (number | undefined)[]) => {
  const numbers = values.map((value) => value ?? Number.NaN);
  return {
    least: Math.min(...numbers),
    most: Math.max(...numbers),
    mean: numbers.reduce((a, b) => a + b, 0) / numbers.length,
  };
};

const celsius = (behaviour: BehaviourName, atMs: number) =>
  spread(samples(behaviour, atMs).map((sample) => sample.gpuTemperatureCelsius));

/** Correctable errors in the hour that ends at an instant, on the average. */
const sbePerHour = (behaviour: BehaviourName, atMs: number) => {
  const count = (at: number) => spread(samples(behaviour, at).map((sample) => sample.eccSbeVolatile)).mean;
  return count(atMs) - count(atMs - hourMs);
};

describe('hot', () => {
  it('shows an A100 at 88 °C at peak, without slowing it down', () => {
    expect(celsius('hot', peakMs)).toMatchObject({ least: 88, most: 88 });
    expect(celsius('hot', idleMs).least).toBeGreaterThan(72);
    const slow = samples('hot', peakMs).map((sample) => (sample.clocksEventReasons ?? 0) & 0x48);
    expect(new Set(slow)).toEqual(new Set([0]));
  });
});

describe('power-hungry', () => {
  it('draws 415 to 435 W at peak, above the limit but below 450 W, and uses the energy for it', () => {
    const { least, most } = spread(samples('power-hungry', peakMs).map((sample) => sample.powerWatts));
    expect(least).toBeGreaterThan(414);
    expect(most).toBeLessThan(435);
    const energy = (behaviour: BehaviourName) => spread(samples(behaviour, dayMs).map((s) => s.energyMillijoules)).mean;
    expect(energy('power-hungry') / energy('healthy')).toBeCloseTo(1.08, 9);
  });
});

describe('aging', () => {
  it.each([
    { after: 'at first', atMs: hourMs, perHour: 4 + 1 },
    { after: 'after a day', atMs: dayMs, perHour: 20 + 1 },
    { after: 'after a week', atMs: 7 * dayMs, perHour: 116 + 1 },
  ])('has $perHour correctable errors an hour $after, the everyday one included', ({ atMs, perHour }) => {
    expect(Math.abs(sbePerHour('aging', atMs) - perHour)).toBeLessThan(1.5);
  });

  it('has an uncorrectable error every three days, each with a row, and a row per 256 correctable ones', () => {
    const week = samples('aging', 7 * dayMs);
    expect(spread(week.map((sample) => sample.eccDbeVolatile)).mean).toBeCloseTo(7 / 3, 0);
    for (const sample of week) {
      expect(sample.uncorrectableRemappedRows).toBe(sample.eccDbeAggregate);
      expect(sample.correctableRemappedRows).toBeGreaterThan(30);
      expect(sample.lastXid).toBe(48);
    }
  });

  it.each([
    { days: 1, kept: 0.98 },
    { days: 5, kept: 0.9 },
    { days: 30, kept: 0.85 },
  ])('keeps $kept of its clocks after $days days', ({ days, kept }) => {
    const clock = (behaviour: BehaviourName) => samples(behaviour, days * dayMs + peakMs)[0]?.smClockMhz ?? Number.NaN;
    expect(Math.abs(clock('aging') / clock('healthy') - kept)).toBeLessThan(0.01);
  });
});

describe('memory-stressed', () => {
  it('has 91 % of its memory in use when idle and 97 % at peak', () => {
    const used = (atMs: number) =>
      spread(
        samples('memory-stressed', atMs).map(
          ({ framebufferUsedMib: used = NaN, framebufferFreeMib: free = NaN }) => used / (used + free),
        ),
      );
    expect(used(idleMs).mean).toBeCloseTo(0.917, 2);
    expect(used(peakMs).mean).toBeCloseTo(0.973, 2);
    expect(used(peakMs).most).toBeLessThan(1);
  });
});

describe('early-warning', () => {
  // 220 s before each full hour the cycle is at peak.
  const peakNear = (hours: number) => hours * hourMs + peakMs;

  it('drifts past 80 °C after 2 to 6 hours and past 85 °C after 8 to 11, and stays below 89', () => {
    expect(celsius('early-warning', peakNear(1)).most).toBeLessThan(81);
    expect(celsius('early-warning', peakNear(6)).least).toBeGreaterThanOrEqual(80);
    expect(celsius('early-warning', peakNear(8)).most).toBeLessThanOrEqual(86);
    expect(celsius('early-warning', peakNear(11)).least).toBeGreaterThan(85);
    expect(celsius('early-warning', peakNear(100)).most).toBe(88);
  });

  it('has from 2 to 26 correctable errors an hour in the first 12 hours, beside the everyday one', () => {
    expect(Math.abs(sbePerHour('early-warning', hourMs) - (3 + 1))).toBeLessThan(1);
    expect(Math.abs(sbePerHour('early-warning', 12 * hourMs) - (25 + 1))).toBeLessThan(1.5);
  });

  it('gives a straight line to whoever predicts: the temperature at peak grows by the same from hour to hour', () => {
    const means = Array.from({ length: 12 }, (_, hour) => celsius('early-warning', peakNear(hour)).mean);
    const steps = means.slice(1).map((mean, nth) => mean - (means[nth] ?? Number.NaN));
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(0.5);
  });
});
