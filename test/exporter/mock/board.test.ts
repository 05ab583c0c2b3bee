import { describe, expect, it } from 'vitest';
import type { GpuSample } from '../../../exporter/snapshot.ts';
import { maxEvents } from '../../../exporter/source/mock/board.ts';
import { faultKinds } from '../../../exporter/source/mock/faults.ts';
import { namedScenarios } from '../../../exporter/source/mock/named-scenarios.ts';
import { lengthOf } from '../../../exporter/source/mock/plan.ts';
import { a100Sxm80 } from '../../../exporter/source/mock/profiles.ts';
import { type FleetInTime, planned, sampleFleet, startFleet } from './fleet-in-time.ts';

const minuteMs = 60_000;
const everything = { node: undefined, gpu: undefined };

const strike = ({ fleet }: FleetInTime, name: string, gpu: number | undefined, lastsMs = Infinity) =>
  fleet.board.strike({ name, effects: faultKinds.get(name)?.effects({}) ?? [], node: 0, gpu, lastsMs });

const scenarioNamed = (name: string) => {
  const found = namedScenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
};

describe('a board', () => {
  it('shows a fault from the next reading on, until it ends by itself or is taken back', async () => {
    const world = startFleet(planned());
    const spikes = async () => (await world.read()).gpus.map((gpu) => gpu.powerWatts === 470);
    strike(world, 'power', 1, 10_000);
    strike(world, 'power', 3);
    expect(await spikes()).toEqual([false, true, false, true]);
    world.moveTo(4_000);
    expect(world.fleet.board.active()).toEqual([
      { node: 0, gpu: 1, name: 'power', activeForMs: 4_000, remainingMs: 6_000 },
      { node: 0, gpu: 3, name: 'power', activeForMs: 4_000, remainingMs: undefined },
    ]);
    world.moveTo(10_000);
    expect(await spikes()).toEqual([false, false, false, true]);
    world.fleet.board.clear({ node: 0, gpu: 3 });
    expect(await spikes()).toEqual([false, false, false, false]);
  });

  it('starts a repeated fault anew instead of twice', async () => {
    const world = startFleet(planned());
    strike(world, 'ecc', 1, 10_000);
    strike(world, 'ecc', 1);
    expect(world.fleet.board.active()).toEqual([
      { node: 0, gpu: 1, name: 'ecc', activeForMs: 0, remainingMs: undefined },
    ]);
    expect((await world.read()).gpus[1]?.eccDbeVolatile).toBe(1);
  });

  it('resets the GPU with the end of ecc: the driver forgets the error, the card does not', async () => {
    const world = startFleet(planned());
    strike(world, 'ecc', 1);
    world.moveTo(minuteMs);
    const before = await world.read();
    expect(before.gpus[1]).toMatchObject({ eccDbeVolatile: 1, rowRemapPending: 1, lastXid: 48 });
    world.fleet.board.clear({ node: 0, gpu: 1 });
    const after = await world.read();
    expect(after.gpus[1]).toMatchObject({
      eccDbeVolatile: 0,
      eccDbeAggregate: 1,
      uncorrectableRemappedRows: 1,
      lastXid: 0,
    });
    expect(after.counterEpoch).not.toBe(before.counterEpoch);
  });

  it('takes back at one GPU what strikes several, and leaves the others struck', async () => {
    const world = startFleet(planned({}, 'events: [{at: 0s, fault: lost}]'));
    world.moveTo(1000);
    expect((await world.read()).gpus).toEqual([]);
    world.fleet.board.clear({ node: 0, gpu: 2 });
    expect((await world.read()).gpus.map(({ index }) => index)).toEqual([2]);
    world.fleet.board.clear(everything);
    expect((await world.read()).gpus).toHaveLength(4);
  });

  it('does not take back the behaviours that cards are made with', async () => {
    const world = startFleet(planned({ behaviour: 'hot' }));
    world.fleet.board.clear(everything);
    world.moveTo(220_000);
    expect((await world.read()).gpus.map((gpu) => gpu.gpuTemperatureCelsius)).toEqual([88, 88, 88, 88]);
    expect(world.fleet.board.active()).toEqual([]);
  });

  it('refuses more faults than a reading can bear, and still reads fast with all of them', async () => {
    const world = startFleet(planned());
    for (let nth = 0; nth < maxEvents; nth += 1) {
      world.moveTo(nth * 10);
      expect(strike(world, 'ecc-storm', 0, 5)).toBe(true);
      world.fleet.board.clear(everything);
    }
    const before = world.fleet.board.schedule();
    world.fleet.board.clear(everything);
    expect(world.fleet.board.schedule()).toBe(before);
    expect(strike(world, 'hot', 0)).toBe(false);
    expect(world.fleet.board.start(scenarioNamed('xid-79'), { node: 0, gpu: 0 })).toBe(false);
    await world.read();
    const since = performance.now();
    await world.read();
    expect(performance.now() - since).toBeLessThan(100);
  });
});

describe('a scenario', () => {
  it.each(namedScenarios.map(({ name }) => name))('%s ends by itself and leaves healthy GPUs', async (name) => {
    const world = startFleet(planned({ nodes: 2, gpus: 8 }));
    const scenario = scenarioNamed(name);
    world.moveTo(minuteMs);
    world.fleet.board.start(scenario, { node: 1, gpu: 2 });
    const endMs = minuteMs + lengthOf(scenario);
    expect(Number.isFinite(endMs)).toBe(true);
    world.moveTo(endMs - 1);
    if (name !== 'xid-31') expect(world.fleet.board.active()).not.toEqual([]);
    world.moveTo(endMs);
    expect(world.fleet.board.active()).toEqual([]);
    expect(world.fleet.board.running()).toEqual([]);
    for (const node of [0, 1]) {
      const { gpus, health } = await world.read(node);
      expect(health.failures).toEqual([]);
      expect(gpus).toHaveLength(4);
      for (const gpu of gpus) expect(gpu).toMatchObject({ eccDbeVolatile: 0, rowRemapPending: 0, recoveryAction: 0 });
    }
    const { gpus } = await world.read(0);
    if (name !== 'fleet-outage') expect(gpus.map(sensors)).toEqual(sampleFleet(aNode, endMs).map(sensors));
  });

  it('is taken back with everything it still had planned, at its GPU alone', async () => {
    const world = startFleet(planned());
    world.fleet.board.start(scenarioNamed('flapping'), { node: 0, gpu: 2 });
    world.fleet.board.start(scenarioNamed('flapping'), { node: 0, gpu: 3 });
    world.moveTo(minuteMs);
    expect(
      world.fleet.board.running().map(({ gpu, activeForMs, remainingMs }) => [gpu, activeForMs, remainingMs]),
    ).toEqual([
      [2, minuteMs, 8.5 * minuteMs],
      [3, minuteMs, 8.5 * minuteMs],
    ]);
    world.fleet.board.clear({ node: 0, gpu: 2 });
    expect(world.fleet.board.running().map(({ gpu }) => gpu)).toEqual([3]);
    world.moveTo(2 * minuteMs + 1000);
    expect((await world.read()).gpus.map(({ index }) => index)).toEqual([0, 1, 2]);
  });
});

const aNode = { profile: a100Sxm80, seed: 1, gpus: 4 };

/** What a sensor shows now; counters remember what has been. */
const sensors = ({ gpuTemperatureCelsius, powerWatts, gpuUtilPercent, smClockMhz, clocksEventReasons }: GpuSample) => ({
  gpuTemperatureCelsius,
  powerWatts,
  gpuUtilPercent,
  smClockMhz,
  clocksEventReasons,
});

describe('a scenario for one GPU that strikes its node too', () => {
  it('is taken back as a whole with its GPU, and not with another', async () => {
    const world = startFleet(planned());
    world.fleet.board.start(scenarioNamed('ecc-storm'), { node: 0, gpu: 2 });
    world.moveTo(minuteMs);
    world.fleet.board.clear({ node: 0, gpu: 1 });
    expect(world.fleet.board.running()).toHaveLength(1);
    world.fleet.board.clear({ node: 0, gpu: 2 });
    expect(world.fleet.board.running()).toEqual([]);
    world.moveTo(12 * minuteMs + 1000);
    expect((await world.read()).gpus).toHaveLength(4);
  });
});

describe('degradation', () => {
  /** What a policy with a limit of 85 °C would see of GPU 3, at each second. */
  const course = async () => {
    const world = startFleet(planned());
    world.fleet.board.start(scenarioNamed('degradation'), { node: 0, gpu: 3 });
    const seen: { second: number; celsius: number | undefined; sbe: number | undefined }[] = [];
    for (let second = 0; second <= 600; second += 1) {
      world.moveTo(second * 1000);
      const gpu = (await world.read()).gpus.find(({ index }) => index === 3);
      seen.push({ second, celsius: gpu?.gpuTemperatureCelsius, sbe: gpu?.eccSbeVolatile });
    }
    return seen;
  };

  it('gets warm, then hot for as long as a second failure takes to begin, is lost for a minute, and recovers', async () => {
    const seen = await course();
    const within = (from: number, until: number) => seen.filter(({ second }) => from <= second && second < until);
    for (const { celsius } of within(0, 180)) expect(celsius).toBeLessThanOrEqual(84);
    expect(within(60, 180).filter(({ celsius = 0 }) => celsius >= 80).length).toBeGreaterThan(60);
    for (const { celsius } of [...within(190, 360), ...within(426, 540)]) expect(celsius).toBeGreaterThan(85);
    expect(new Set(within(360, 420).map(({ celsius }) => celsius))).toEqual(new Set([undefined]));
    for (const { celsius } of within(540, 601)) expect(celsius).toBeLessThan(80);
    // The first delay is 300 s: down for longer, it must be followed by a second one.
    const bad = seen.filter(({ celsius }) => celsius === undefined || celsius > 85);
    expect((bad.at(-1)?.second ?? 0) - (bad[0]?.second ?? 0)).toBeGreaterThan(300);
    const sbe = (second: number) => seen[second]?.sbe ?? Number.NaN;
    expect(sbe(540) - sbe(120)).toBe(7 * 30);
  });
});
