import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GpuSample } from '../../../exporter/snapshot.ts';
import { type BehaviourName, behaviourNames, behaviours } from '../../../exporter/source/mock/behaviours.ts';
import { cardIn } from '../../../exporter/source/mock/card.ts';
import type { Influence } from '../../../exporter/source/mock/effects.ts';
import { momentAt } from '../../../exporter/source/mock/moment.ts';
import { profiles } from '../../../exporter/source/mock/profiles.ts';
import { sampleGpu } from '../../../exporter/source/mock/sample.ts';
import { sampleFleet } from './fleet-in-time.ts';

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const names = Object.keys(profiles);

const profileNamed = (name: string) => {
  const profile = profiles[name];
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
};

const always = (behaviour: BehaviourName): readonly Influence[] =>
  behaviours[behaviour].effects.map((effect, id) => ({ effect, fromMs: 0, untilMs: Number.POSITIVE_INFINITY, id }));

const sampleOf = (name: string, behaviour: BehaviourName, seed: number, atMs: number): GpuSample => {
  const card = cardIn({ profile: profileNamed(name), seed, node: 0, index: 3 });
  return sampleGpu(card, momentAt(atMs), { influences: always(behaviour), countersSinceMs: 0 });
};

/** Every number of a sample, with those of its links. */
const numbersOf = (sample: GpuSample): readonly (readonly [string, number])[] => {
  const own = Object.entries(sample).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const links = (sample.nvlinks ?? []).flatMap(({ link, ...counts }) =>
    Object.entries(counts).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
  return [...own, ...links];
};

const counterNames = (sample: GpuSample) =>
  Object.keys(sample).filter((name) =>
    /^ecc.*(Volatile|Aggregate)$|RemappedRows$|Nanoseconds$|Replays$|Kib$|Errors$|^energy/.test(name),
  );

const absentFrom = (sample: GpuSample) =>
  Object.entries(everyReading)
    .filter(([reading]) => Reflect.get(sample, reading) === undefined)
    .map(([reading]) => reading);

// What an H100 can say is everything that any of the five cards can, but for a fan.
const everyReading = { ...sampleFleet({ profile: profileNamed('h100'), seed: 1, gpus: 1 }, 0)[0], fanSpeedPercent: 1 };

const profiling = [
  'graphicsEngineActiveRatio',
  'smActiveRatio',
  'smOccupancyRatio',
  'tensorActiveRatio',
  'dramActiveRatio',
  'fp64ActiveRatio',
  'fp32ActiveRatio',
  'fp16ActiveRatio',
];
const nvlink = ['nvlinkMegabytesPerSecond', 'nvlinkTransmitKib', 'nvlinkReceiveKib'];
const nvlinkErrors = ['nvlinkCrcFlitErrors', 'nvlinkCrcDataErrors', 'nvlinkReplayErrors', 'nvlinkRecoveryErrors'];
const nvlinkRates = ['nvlinkTransmitBytesPerSecond', 'nvlinkReceiveBytesPerSecond'];
const fabric = ['fabricState', 'fabricStatus'];
const memoryTemperature = ['memoryTemperatureCelsius', 'maxMemoryTemperatureCelsius'];
const ecc = ['eccSbeVolatile', 'eccDbeVolatile', 'eccSbeAggregate', 'eccDbeAggregate'];
const rows = ['uncorrectableRemappedRows', 'correctableRemappedRows', 'rowRemapFailure', 'rowRemapPending'];
const violations = ['power', 'thermal', 'syncBoost', 'boardLimit', 'lowUtilization', 'reliability'].map(
  (policy) => `${policy}ViolationNanoseconds`,
);

describe('profiles', () => {
  it.each([
    { name: 'a100', absent: ['fanSpeedPercent', ...profiling, ...nvlinkRates, ...fabric] },
    { name: 'h100', absent: ['fanSpeedPercent'] },
    { name: 'h200', absent: ['fanSpeedPercent'] },
    {
      name: 'l40s',
      absent: [
        'fanSpeedPercent',
        'migMode',
        'nvlinks',
        ...profiling,
        ...nvlink,
        ...nvlinkErrors,
        ...nvlinkRates,
        ...fabric,
        ...memoryTemperature,
      ],
    },
    {
      name: 'rtx4090',
      absent: [
        'migMode',
        'nvlinks',
        'serial',
        'eccInforomVersion',
        'recoveryAction',
        ...profiling,
        ...nvlink,
        ...nvlinkErrors,
        ...nvlinkRates,
        ...fabric,
        ...memoryTemperature,
        ...ecc,
        ...rows,
        ...violations,
      ],
    },
  ])('$name leaves out what the real card cannot say, and nothing else', ({ name, absent }) => {
    const [sample] = sampleFleet({ profile: profileNamed(name), seed: 1, gpus: 1 }, 200_000);
    expect(sample && absentFrom(sample).toSorted()).toEqual(absent.toSorted());
    expect(sample?.retiredPagesDbe).toBeUndefined();
  });

  it.each([
    { name: 'a100', model: 'NVIDIA A100-SXM4-80GB', totalMib: 81_920, limit: 400, links: 12, slowdown: 89 },
    { name: 'h100', model: 'NVIDIA H100 80GB HBM3', totalMib: 81_559, limit: 700, links: 18, slowdown: 87 },
    { name: 'h200', model: 'NVIDIA H200', totalMib: 143_771, limit: 700, links: 18, slowdown: 89 },
    { name: 'l40s', model: 'NVIDIA L40S', totalMib: 46_068, limit: 350, links: 0, slowdown: 90 },
    { name: 'rtx4090', model: 'NVIDIA GeForce RTX 4090', totalMib: 24_564, limit: 450, links: 0, slowdown: 96 },
  ])('$name has the figures of a $model', ({ name, model, totalMib, limit, links, slowdown }) => {
    const [sample] = sampleFleet({ profile: profileNamed(name), seed: 1, gpus: 1 }, 0);
    expect(sample).toMatchObject({
      modelName: model,
      framebufferTotalMib: totalMib,
      powerLimitWatts: limit,
      slowdownTemperatureCelsius: slowdown,
    });
    expect(sample?.nvlinks?.length ?? 0).toBe(links);
  });
});

describe.each(names)('%s', (name) => {
  it.each(behaviourNames)('gives possible readings for a week when %s', (behaviour) => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 0, max: weekMs, noNaN: true }), (seed, atMs) => {
        const sample = sampleOf(name, behaviour, seed, atMs);
        const { thresholdsCelsius, powerWatts } = profileNamed(name);
        for (const [reading, value] of numbersOf(sample)) expect([reading, value >= 0]).toEqual([reading, true]);
        expect(sample.gpuTemperatureCelsius).toBeLessThan(thresholdsCelsius.slowdown);
        expect(sample.powerWatts).toBeLessThanOrEqual(powerWatts.limit * 1.1);
        for (const [reading, value] of numbersOf(sample)) {
          if (reading.endsWith('Percent')) expect(value).toBeLessThanOrEqual(100);
          if (reading.endsWith('Ratio')) expect(value).toBeLessThanOrEqual(1);
        }
        const { framebufferUsedMib = NaN, framebufferFreeMib = NaN, framebufferReservedMib = NaN } = sample;
        expect(framebufferUsedMib + framebufferFreeMib + framebufferReservedMib).toBe(sample.framebufferTotalMib);
      }),
      { numRuns: 60 },
    );
  });

  it.each(behaviourNames)('counts only upwards when %s', (behaviour) => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 0, max: weekMs }),
        fc.integer({ min: 0, max: hourMs }),
        (seed, atMs, later) => {
          const before = sampleOf(name, behaviour, seed, atMs);
          const after = sampleOf(name, behaviour, seed, atMs + later);
          for (const counter of counterNames(before))
            expect(Reflect.get(after, counter), counter).toBeGreaterThanOrEqual(Reflect.get(before, counter));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('counterNames', () => {
  it('knows every counter of a card that says everything', () => {
    const [sample] = sampleFleet({ profile: profileNamed('h100'), seed: 1, gpus: 1 }, 0);
    expect(sample && counterNames(sample)).toHaveLength(25);
  });
});
