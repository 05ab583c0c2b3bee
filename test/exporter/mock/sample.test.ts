import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GpuSample } from '../../../exporter/snapshot.ts';
import {
  integralOfShare,
  loadAt,
  loadSeconds,
  peakSeconds,
  shareOfPeak,
  warmthAt,
} from '../../../exporter/source/mock/load.ts';
import { a100Sxm80 } from '../../../exporter/source/mock/profiles.ts';
import { sampleFleet } from './fleet-in-time.ts';

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
const elapsed = fc.integer({ min: 0, max: weekMs });
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const fleetAt = (elapsedMs: number, seed = 1, gpus = 8) => sampleFleet({ profile: a100Sxm80, seed, gpus }, elapsedMs);

const column = (fleet: readonly GpuSample[], get: (sample: GpuSample) => number | undefined) =>
  fleet.map((sample) => get(sample) ?? Number.NaN);

describe('loadAt', () => {
  it.each([
    { at: 0, load: 0.1, phase: 'idle' },
    { at: 59.9, load: 0.1, phase: 'idle to its end' },
    { at: 90, load: 0.5, phase: 'half way up' },
    { at: 120, load: 0.9, phase: 'peak' },
    { at: 239.9, load: 0.9, phase: 'peak to its end' },
    { at: 270, load: 0.5, phase: 'half way down' },
    { at: 300, load: 0.1, phase: 'idle again' },
    { at: 86_490, load: 0.5, phase: 'half way up, a day later' },
  ])('is $load at $at s: $phase', ({ at, load }) => {
    expect(loadAt(at)).toBeCloseTo(load, 9);
  });
});

describe('peakSeconds', () => {
  it('is the running sum of the share of peak', () => {
    let sum = 0;
    for (let tenth = 0; tenth < 9000; tenth += 1) sum += shareOfPeak(loadAt(tenth / 10 + 0.05)) / 10;
    expect(peakSeconds(900)).toBeCloseTo(sum, 3);
  });
});

describe('loadSeconds', () => {
  it('is the running sum of the load', () => {
    let sum = 0;
    for (let tenth = 0; tenth < 7400; tenth += 1) sum += loadAt(tenth / 10 + 0.05) / 10;
    expect(loadSeconds(740)).toBeCloseTo(sum, 3);
  });
});

describe('integralOfShare', () => {
  it('is the running sum of a function of the share of peak, wherever a cycle is left', () => {
    const square = { at: (share: number) => share ** 2, integral: (share: number) => share ** 3 / 3 };
    for (const endS of [30, 100, 200, 270, 300, 1234]) {
      let sum = 0;
      for (let nth = 0; nth < endS * 20; nth += 1) sum += shareOfPeak(loadAt(nth / 20 + 0.025)) ** 2 / 20;
      expect(integralOfShare(endS, square)).toBeCloseTo(sum, 3);
    }
  });
});

describe('warmthAt', () => {
  it('trails the load and joins itself from cycle to cycle', () => {
    expect(warmthAt(90)).toBeLessThan(loadAt(90));
    expect(warmthAt(270)).toBeGreaterThan(loadAt(270));
    expect(warmthAt(299.999_999)).toBeCloseTo(warmthAt(300), 6);
    expect(warmthAt(239)).toBeCloseTo(0.9, 3);
  });
});

describe('sampleGpu', () => {
  it('gives the same bytes for the same seed and elapsed time, in whatever order it is asked', () => {
    fc.assert(
      fc.property(seeds, elapsed, elapsed, (seed, one, other) => {
        const first = JSON.stringify(fleetAt(one, seed));
        fleetAt(other, seed);
        expect(JSON.stringify(fleetAt(one, seed))).toBe(first);
      }),
      { numRuns: 50 },
    );
  });

  it('gives another seed other cards and other readings', () => {
    const uuids = (seed: number) => fleetAt(0, seed).map(({ uuid }) => uuid);
    expect(new Set([...uuids(1), ...uuids(2), ...uuids(3)]).size).toBe(24);
    expect(column(fleetAt(0, 1), (s) => s.powerWatts)).not.toEqual(column(fleetAt(0, 2), (s) => s.powerWatts));
  });

  it('names GPUs as NVML does, for good', () => {
    const identity = (elapsedMs: number) => fleetAt(elapsedMs, 1, 20).map(({ uuid, pciBusId }) => [uuid, pciBusId]);
    expect(identity(weekMs)).toEqual(identity(0));
    for (const { uuid, pciBusId } of fleetAt(0, 1, 20)) {
      expect(uuid).toMatch(/^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(pciBusId).toMatch(/^[0-9A-F]{8}:[0-9A-F]{2}:00\.0$/);
    }
    expect(new Set(fleetAt(0, 1, 20).map(({ pciBusId }) => pciBusId)).size).toBe(20);
  });

  it('looks like an A100 at idle and at peak', () => {
    const idle = fleetAt(50_000);
    const peak = fleetAt(200_000);
    const within = (values: readonly number[], low: number, high: number) => {
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...values)).toBeLessThanOrEqual(high);
    };
    within(
      column(idle, (s) => s.gpuTemperatureCelsius),
      62,
      68,
    );
    within(
      column(idle, (s) => s.powerWatts),
      285,
      315,
    );
    within(
      column(idle, (s) => s.gpuUtilPercent),
      8,
      12,
    );
    within(
      column(peak, (s) => s.gpuTemperatureCelsius),
      73,
      79,
    );
    within(
      column(peak, (s) => s.powerWatts),
      380,
      400,
    );
    within(
      column(peak, (s) => s.gpuUtilPercent),
      88,
      92,
    );
    expect(new Set(column(idle, (s) => (s.clocksEventReasons ?? 0) & 0x1))).toEqual(new Set([1]));
    expect(new Set(column(peak, (s) => (s.clocksEventReasons ?? 0) & 0x1))).toEqual(new Set([0]));
  });

  it('stays within the ranges of the source documents and clear of every alert rule while healthy', () => {
    fc.assert(
      fc.property(seeds, elapsed, (seed, elapsedMs) => {
        for (const gpu of fleetAt(elapsedMs, seed)) expectHealthy(gpu);
      }),
      { numRuns: 300 },
    );
  });

  it('counts only upwards', () => {
    const counters = ({
      energyMillijoules,
      pcieReplays,
      eccSbeVolatile,
      eccDbeVolatile,
      eccSbeAggregate,
      eccDbeAggregate,
    }: GpuSample) => [energyMillijoules, pcieReplays, eccSbeVolatile, eccDbeVolatile, eccSbeAggregate, eccDbeAggregate];
    fc.assert(
      fc.property(seeds, elapsed, fc.integer({ min: 0, max: hourMs }), (seed, from, later) => {
        const before = fleetAt(from, seed).flatMap(counters);
        const after = fleetAt(from + later, seed).flatMap(counters);
        after.forEach((value, nth) => {
          expect(value).toBeGreaterThanOrEqual(before[nth] ?? Number.NaN);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('uses the energy that its power readings add up to', () => {
    const joules = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let second = 0; second < 3000; second += 1) {
      column(fleetAt(second * 1000 + 500), (s) => s.powerWatts).forEach((watts, gpu) => {
        joules[gpu] = (joules[gpu] ?? 0) + watts;
      });
    }
    column(fleetAt(3_000_000), (s) => s.energyMillijoules).forEach((millijoules, gpu) => {
      expect((joules[gpu] ?? 0) / (millijoules / 1000)).toBeCloseTo(1, 3);
    });
  });

  it('has moved what its NVLink rate adds up to', () => {
    const [first] = fleetAt(0);
    let megabytes = 0;
    for (let second = 0; second < 3000; second += 1)
      megabytes += column(fleetAt(second * 1000 + 500, 1, 1), (s) => s.nvlinkMegabytesPerSecond)[0] ?? Number.NaN;
    const [last] = fleetAt(3_000_000);
    const kib = (sample: GpuSample | undefined) =>
      (sample?.nvlinkTransmitKib ?? Number.NaN) + (sample?.nvlinkReceiveKib ?? 0);
    // DCGM's megabyte is a thousand KiB.
    expect((kib(last) - kib(first)) / (megabytes * 1000)).toBeCloseTo(1, 3);
  });

  it('has been at its power limit for as long as its clocks-event bit says', () => {
    const capped = Array<number>(8).fill(0);
    for (let second = 0; second < 9000; second += 1) {
      fleetAt(second * 1000 + 500).forEach(({ clocksEventReasons = 0 }, gpu) => {
        if ((clocksEventReasons & 0x4) !== 0) capped[gpu] = (capped[gpu] ?? 0) + 1;
      });
    }
    fleetAt(9_000_000).forEach(({ softwarePowerCapNanoseconds = Number.NaN }, gpu) => {
      expect(Math.abs(softwarePowerCapNanoseconds / 1e9 - (capped[gpu] ?? 0))).toBeLessThan(45);
    });
    expect(Math.max(...capped)).toBeGreaterThan(200);
  });

  it('has correctable errors now and then, never ten in ten minutes', () => {
    fc.assert(
      fc.property(seeds, elapsed, (seed, elapsedMs) => {
        const sbe = (atMs: number) => column(fleetAt(atMs, seed), (s) => s.eccSbeVolatile);
        const before = sbe(elapsedMs);
        sbe(elapsedMs + hourMs / 6).forEach((count, gpu) => {
          expect(count - (before[gpu] ?? 0)).toBeLessThan(10);
        });
      }),
    );
    expect(Math.min(...column(fleetAt(weekMs), (s) => s.eccSbeVolatile))).toBeGreaterThan(100);
  });

  it('has no uncorrectable error within the first 24 hours, and some over the years', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(column(fleetAt(24 * hourMs, seed), (s) => s.eccDbeVolatile)).toEqual(Array(8).fill(0));
      }),
    );
    expect(Math.min(...column(fleetAt(2 * 366 * 24 * hourMs), (s) => s.eccDbeVolatile))).toBeGreaterThan(0);
  });
});

function expectHealthy(gpu: GpuSample): void {
  const { gpuTemperatureCelsius: celsius = Number.NaN, powerWatts: watts = Number.NaN } = gpu;
  const {
    gpuUtilPercent: util = Number.NaN,
    framebufferUsedMib: used = Number.NaN,
    framebufferFreeMib: free = Number.NaN,
  } = gpu;
  expect(celsius).toBeGreaterThanOrEqual(50);
  expect(celsius).toBeLessThan(80);
  expect(gpu.memoryTemperatureCelsius).toBeLessThanOrEqual(85);
  expect(watts).toBeGreaterThanOrEqual(50);
  expect(watts).toBeLessThanOrEqual(400);
  expect(util).toBeGreaterThanOrEqual(0);
  expect(util).toBeLessThanOrEqual(95);
  expect(used / (used + free)).toBeGreaterThanOrEqual(0.1);
  expect(used / (used + free)).toBeLessThan(0.9);
  expect(free).toBeGreaterThanOrEqual(1024);
  expect((gpu.clocksEventReasons ?? 0) & ~(0x1 | 0x4)).toBe(0);
}
