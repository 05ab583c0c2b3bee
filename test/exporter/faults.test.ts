import { describe, expect, it } from 'vitest';
import { applyFaults, type Fault, type FaultKind } from '../../exporter/source/mock/faults.ts';
import { a100Sxm80 } from '../../exporter/source/mock/profiles.ts';
import { sampleFleet } from '../../exporter/source/mock/scenario.ts';
import { createMockSource } from '../../exporter/source/mock/source.ts';

const scenario = { profile: a100Sxm80, seed: 1, gpus: 4 };
const atMs = 30_000;
const fleet = sampleFleet(scenario, atMs);
const healthy = fleet[2];
const fault = (kind: FaultKind, fromMs = 0, untilMs = Number.POSITIVE_INFINITY): Fault => ({
  gpu: 2,
  kind,
  fromMs,
  untilMs,
});
const shown = (...faults: readonly Fault[]) => applyFaults(fleet, faults, atMs).gpus[2];

describe('applyFaults', () => {
  const usableMib = a100Sxm80.framebufferMib - a100Sxm80.framebufferReservedMib;

  it.each([
    {
      kind: 'hot' as const,
      changes: {
        gpuTemperatureCelsius: 92,
        memoryTemperatureCelsius: 92,
        clocksEventReasons: 0x1 | 0x40 | 0x8,
        smClockMhz: 210,
      },
    },
    {
      kind: 'busy' as const,
      changes: {
        gpuUtilPercent: 99,
        framebufferUsedMib: Math.floor(usableMib * 0.97),
        framebufferFreeMib: usableMib - Math.floor(usableMib * 0.97),
        clocksEventReasons: 0,
      },
    },
    { kind: 'power' as const, changes: { powerWatts: 470 } },
    {
      kind: 'ecc' as const,
      changes: { eccDbeVolatile: 1, eccDbeAggregate: 1, uncorrectableRemappedRows: 1, lastXid: 48 },
    },
  ])('$kind changes what it should on its GPU, and nothing on the others', ({ kind, changes }) => {
    const result = applyFaults(fleet, [fault(kind)], atMs);
    expect(result).toEqual({
      gpus: fleet.map((gpu) => (gpu === healthy ? { ...gpu, ...changes } : gpu)),
      health: { failures: [] },
    });
  });

  it('lost takes the GPU out of the data, keeps the index of the others, and names it in the failures', () => {
    const { gpus, health } = applyFaults(fleet, [fault('lost')], atMs);
    expect(gpus).toEqual(fleet.filter((gpu) => gpu !== healthy));
    const message = 'GPU 2 has fallen off the bus: it answers nothing until the host is reset';
    expect(health.failures).toEqual([{ uuid: healthy?.uuid, reason: 'gpu_is_lost', message }]);
  });

  it.each([
    { when: 'before it begins', faults: [fault('power', atMs + 1)], watts: healthy?.powerWatts },
    { when: 'at its first instant', faults: [fault('power', atMs)], watts: 470 },
    { when: 'just before its end', faults: [fault('power', 0, atMs + 1)], watts: 470 },
    { when: 'at its end', faults: [fault('power', 0, atMs)], watts: healthy?.powerWatts },
  ])('power $when shows $watts W', ({ faults, watts }) => {
    expect(shown(...faults)?.powerWatts).toBe(watts);
  });

  it('heats up gradually, and slows the clocks only once it is too hot', () => {
    const base = healthy?.gpuTemperatureCelsius ?? Number.NaN;
    expect(shown(fault('hot', atMs - 2000))).toMatchObject({
      gpuTemperatureCelsius: base + 10,
      clocksEventReasons: 0x1,
    });
    expect(shown(fault('hot', atMs - 6000))).toMatchObject({ gpuTemperatureCelsius: 92, clocksEventReasons: 0x49 });
  });

  it('lays faults of different kinds over each other', () => {
    expect(shown(fault('power'), fault('busy'))).toMatchObject({ powerWatts: 470, gpuUtilPercent: 99 });
  });
});

describe('createMockSource', () => {
  const signal = AbortSignal.timeout(1000);

  it('counts scenario time from its creation, whatever the clock says', async () => {
    const readAfter = async (startMs: number, elapsedMs: number) => {
      let nowMs = startMs;
      const source = createMockSource(scenario, () => nowMs);
      nowMs += elapsedMs;
      return source.read(signal);
    };
    const early = await readAfter(1_000, 90_000);
    const late = await readAfter(9_000_000, 90_000);
    expect({ ...late, takenAtMs: 0 }).toEqual({ ...early, takenAtMs: 0 });
    expect(late.takenAtMs).toBe(9_090_000);
    expect(early.gpus).toEqual(sampleFleet(scenario, 90_000));
  });

  it('shows a fault from the next reading on, until it ends by itself or is cleared', async () => {
    let nowMs = 0;
    const source = createMockSource(scenario, () => nowMs);
    const watts = async () => (await source.read(signal)).gpus.map((gpu) => gpu.powerWatts === 470);
    source.faults.inject(1, 'power', 10_000);
    source.faults.inject(3, 'power');
    expect(await watts()).toEqual([false, true, false, true]);
    nowMs = 4_000;
    expect(source.faults.active()).toEqual([
      { gpu: 1, fault: 'power', activeForMs: 4_000, remainingMs: 6_000 },
      { gpu: 3, fault: 'power', activeForMs: 4_000, remainingMs: undefined },
    ]);
    nowMs = 10_000;
    expect(await watts()).toEqual([false, false, false, true]);
    source.faults.clear(3);
    expect(await watts()).toEqual([false, false, false, false]);
  });

  it('starts a repeated fault anew instead of twice', () => {
    const source = createMockSource(scenario, () => 0);
    source.faults.inject(1, 'ecc', 10_000);
    source.faults.inject(1, 'ecc');
    expect(source.faults.active()).toEqual([{ gpu: 1, fault: 'ecc', activeForMs: 0, remainingMs: undefined }]);
  });
});
