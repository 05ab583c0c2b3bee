import { describe, expect, it } from 'vitest';
import type { GpuSample } from '../../../exporter/snapshot.ts';
import { cardIn } from '../../../exporter/source/mock/card.ts';
import type { Influence } from '../../../exporter/source/mock/effects.ts';
import { faultKinds } from '../../../exporter/source/mock/faults.ts';
import { momentAt } from '../../../exporter/source/mock/moment.ts';
import { a100Sxm80, type GpuProfile, profiles } from '../../../exporter/source/mock/profiles.ts';
import { sampleGpu } from '../../../exporter/source/mock/sample.ts';
import { sensorNames, sensors } from '../../../exporter/source/mock/sensors.ts';

const atMs = 30_000;
const minuteMs = 60_000;

interface Times {
  readonly fromMs?: number;
  readonly untilMs?: number;
  readonly id?: number;
}

const fault = (
  name: string,
  values = {},
  { fromMs = 0, untilMs = Infinity, id = 0 }: Times = {},
): readonly Influence[] =>
  (faultKinds.get(name)?.effects(values) ?? []).map((effect) => ({ effect, fromMs, untilMs, id }));

const shown = (influences: readonly Influence[], at = atMs, profile: GpuProfile = a100Sxm80): GpuSample =>
  sampleGpu(cardIn({ profile, seed: 1, node: 0, index: 2 }), momentAt(at), { influences, countersSinceMs: 0 });

const healthy = shown([]);

/** The readings that two samples do not share. */
const changes = (before: GpuSample, after: GpuSample) =>
  Object.fromEntries(Object.entries(after).filter(([reading, value]) => Reflect.get(before, reading) !== value));

const usableMib = a100Sxm80.framebufferMib - a100Sxm80.framebufferReservedMib;
const occupiedMib = Math.floor(usableMib * 0.97);

describe('a fault', () => {
  it.each([
    {
      name: 'hot',
      expected: {
        gpuTemperatureCelsius: 92,
        memoryTemperatureCelsius: 92,
        clocksEventReasons: 0x1 | 0x40 | 0x8,
        smClockMhz: 210,
        graphicsClockMhz: 210,
        videoClockMhz: 210,
        hardwareThermalNanoseconds: expect.any(Number),
        thermalViolationNanoseconds: expect.any(Number),
      },
    },
    {
      name: 'busy',
      expected: {
        gpuUtilPercent: 99,
        framebufferUsedMib: occupiedMib,
        framebufferFreeMib: usableMib - occupiedMib,
        clocksEventReasons: 0,
      },
    },
    {
      name: 'power',
      expected: {
        powerWatts: 470,
        instantPowerWatts: 470,
        energyMillijoules: 470_000 * 30,
        clocksEventReasons: 0x1 | 0x4,
        softwarePowerCapNanoseconds: 30e9,
        powerViolationNanoseconds: 30e9,
      },
    },
    {
      name: 'ecc',
      expected: {
        eccDbeVolatile: 1,
        eccDbeAggregate: 1,
        uncorrectableRemappedRows: 1,
        rowRemapPending: 1,
        recoveryAction: 1,
        lastXid: 48,
      },
    },
    { name: 'xid', values: { code: 31 }, expected: { lastXid: 31 } },
  ])('$name shows what it says and leaves the rest alone', ({ name, values = {}, expected }) => {
    expect(changes(healthy, shown(fault(name, values)))).toEqual(expected);
  });

  it.each([
    { when: 'before it begins', times: { fromMs: atMs + 1 }, watts: healthy.powerWatts },
    { when: 'at its first instant', times: { fromMs: atMs }, watts: 470 },
    { when: 'just before its end', times: { untilMs: atMs + 1 }, watts: 470 },
    { when: 'at its end', times: { untilMs: atMs }, watts: healthy.powerWatts },
  ])('shows $watts W $when', ({ times, watts }) => {
    expect(shown(fault('power', {}, times)).powerWatts).toBe(watts);
  });

  it('is laid over others', () => {
    expect(shown([...fault('power'), ...fault('busy')])).toMatchObject({ powerWatts: 470, gpuUtilPercent: 99 });
  });

  it.each(Object.keys(profiles))('leaves its mark on a %s that fits the card', (name) => {
    const profile = profiles[name] ?? a100Sxm80;
    const hot = shown(fault('hot'), atMs, profile);
    expect(hot.gpuTemperatureCelsius).toBe(profile.thresholdsCelsius.slowdown + 3);
    expect(shown(fault('power'), atMs, profile).powerWatts).toBe(profile.powerWatts.limit * 1.175);
    expect(shown(fault('ecc'), atMs, profile).eccDbeVolatile).toBe(profile.hasEcc ? 1 : undefined);
  });
});

describe('hot', () => {
  it('heats by 5 °C a second from the idle temperature, and slows the clocks from 89 °C on', () => {
    const idle = cardIn({ profile: a100Sxm80, seed: 1, node: 0, index: 2 }).idleCelsius;
    const after = (ms: number) => shown(fault('hot', {}, { fromMs: atMs - ms }));
    expect(after(2000)).toMatchObject({ gpuTemperatureCelsius: Math.floor(idle + 10), clocksEventReasons: 0x1 });
    const slowAfterMs = (89 - idle) * 200;
    expect(after(slowAfterMs - 1)).toMatchObject({ gpuTemperatureCelsius: 88, clocksEventReasons: 0x1 });
    expect(after(slowAfterMs + 1)).toMatchObject({ gpuTemperatureCelsius: 89, clocksEventReasons: 0x49 });
  });

  it('counts the time for which it slowed the clocks, once for two at a time, and keeps it afterwards', () => {
    const idle = cardIn({ profile: a100Sxm80, seed: 1, node: 0, index: 2 }).idleCelsius;
    const slowMs = 20_000 - (89 - idle) * 200;
    const two = [...fault('hot', {}, { untilMs: 20_000 }), ...fault('hot', {}, { untilMs: 20_000, id: 1 })];
    for (const at of [20_000, 60_000, 3_600_000])
      expect(shown(two, at).hardwareThermalNanoseconds).toBe(Math.floor(slowMs * 1e6));
  });
});

describe('thermal-ramp', () => {
  it('rises in a straight line to its goal', () => {
    const ramp = (at: number) => shown(fault('thermal-ramp', { to: 84, per_minute: 12 }), at).gpuTemperatureCelsius;
    const idle = cardIn({ profile: a100Sxm80, seed: 1, node: 0, index: 2 }).idleCelsius;
    expect(ramp(minuteMs)).toBe(Math.floor(idle + 12));
    expect([ramp(2 * minuteMs), ramp(20 * minuteMs)]).toEqual([84, 84]);
    expect(shown(fault('thermal-ramp', { to: 84, per_minute: 12 }), 20 * minuteMs).smClockMhz).not.toBe(210);
  });
});

describe('ecc-storm', () => {
  const storm = fault(
    'ecc-storm',
    { correctable_per_minute: 30, uncorrectable_per_minute: 0.5 },
    { untilMs: 10 * minuteMs },
  );

  it('counts at its rate, one row per 256 correctable errors and one per uncorrectable one, and keeps its counts', () => {
    for (const at of [10 * minuteMs, 60 * minuteMs]) {
      const { eccSbeVolatile = NaN, ...sample } = shown(storm, at);
      expect(eccSbeVolatile - (shown([], at).eccSbeVolatile ?? NaN)).toBe(300);
      expect(sample).toMatchObject({
        eccDbeVolatile: 5,
        correctableRemappedRows: 1,
        uncorrectableRemappedRows: 5,
        lastXid: 48,
      });
    }
    expect(shown(storm, 5 * minuteMs).eccDbeVolatile).toBeGreaterThanOrEqual(2);
  });

  it('shows nothing on a card without ECC', () => {
    const rtx4090 = profiles.rtx4090 ?? a100Sxm80;
    expect(changes(shown([], atMs, rtx4090), shown(storm, atMs, rtx4090))).toEqual({});
  });
});

describe('sensor-blank', () => {
  it.each(sensorNames)('leaves out %s, or shows what no working sensor can', (sensor) => {
    const absent = shown(fault('sensor-blank', { sensors: sensor }));
    expect(changes(healthy, absent)).toEqual(Object.fromEntries(sensors[sensor].map((field) => [field, undefined])));
    const sentinel = shown(fault('sensor-blank', { sensors: [sensor], shows: 'sentinel' }));
    for (const field of sensors[sensor])
      expect([4_294_967_295, 4_294_967.295, 2 ** 64, 2 ** 44]).toContain(sentinel[field]);
  });
});
