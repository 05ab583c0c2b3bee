import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCollector } from '../../../exporter/collector.ts';
import type { GpuSample, XidEvent } from '../../../exporter/snapshot.ts';
import { faultKinds } from '../../../exporter/source/mock/faults.ts';
import { a100Sxm80 } from '../../../exporter/source/mock/profiles.ts';
import type { ScheduledEvent } from '../../../exporter/source/mock/schedule.ts';
import { look, nodeOf, planned, sampleFleet, startFleet, startMs } from './fleet-in-time.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const signal = new AbortController().signal;

describe('createSimulatedFleet', () => {
  it('gives one node the GPUs it always had, and every other node its own', async () => {
    const world = startFleet(planned({ nodes: 3, gpus: 12 }));
    world.moveTo(90_000);
    const first = await world.read(0);
    expect(first.gpus).toEqual(sampleFleet({ profile: a100Sxm80, seed: 1, gpus: 4 }, 90_000));
    const watts = await Promise.all(
      [0, 1, 2].map(async (node) => (await world.read(node)).gpus.map((gpu) => gpu.powerWatts)),
    );
    expect(new Set(watts.flat()).size).toBe(12);
  });

  it('names ten thousand GPUs apart, for any seed, and the same again', () => {
    for (const seed of [0, 1, 42, 2 ** 32 - 1]) {
      const uuids = () =>
        startFleet(planned({ seed, nodes: 1250, gpus: 10_000 })).fleet.nodes.flatMap((node) => node.uuids());
      expect(new Set(uuids()).size).toBe(10_000);
      expect(uuids()).toEqual(uuids());
    }
  });

  it('spreads GPUs and models over the nodes', () => {
    const { nodes } = planned({ nodes: 8, gpus: 30, profile: 'a100:2, h100, rtx4090' });
    expect(nodes.map(({ gpus }) => gpus)).toEqual([4, 4, 4, 4, 4, 4, 3, 3]);
    expect(nodes.map(({ profile }) => profile.modelName.split(' ').at(-1))).toEqual([
      ...Array(4).fill('A100-SXM4-80GB'),
      ...Array(2).fill('HBM3'),
      ...Array(2).fill('4090'),
    ]);
  });

  it('starts 1,250 nodes at once and samples each of them within a millisecond', async () => {
    const behaviour = 'flapping:5%, aging:5%, hot:5%, early-warning:5%';
    const plan = planned({ nodes: 1250, gpus: 10_000, profile: 'a100,h100,h200,l40s,rtx4090', behaviour });
    const world = startFleet(plan);
    const cpuMs = (since: NodeJS.CpuUsage) => (process.cpuUsage(since).user + process.cpuUsage(since).system) / 1000;
    const rounds: number[] = [];
    for (let round = 1; round <= 5; round += 1) {
      world.moveTo(hourMs + round * 5000);
      const since = process.cpuUsage();
      for (const { source } of world.fleet.nodes) await source.read(signal);
      rounds.push(cpuMs(since));
    }
    const perRound = rounds.toSorted((a, b) => a - b)[2] ?? Number.NaN;
    console.info(`10,000 GPUs: ${perRound.toFixed(0)} ms CPU a full sample, ${(perRound / 1250).toFixed(2)} ms a node`);
    expect(perRound / 1250).toBeLessThan(1);
  });
});

describe('a node', () => {
  it('says what is lost, and keeps the index of the others', async () => {
    const world = startFleet(planned({}, 'events: [{at: 0s, gpu: 2, fault: off-the-bus}]'));
    const { gpus, health, driverVersion } = await world.read();
    expect(gpus.map(({ index }) => index)).toEqual([0, 1, 3]);
    const message = 'GPU 2 has fallen off the bus: it answers nothing until the host is reset';
    const identity = { uuid: nodeOf(world).uuids()[2], index: 2, modelName: a100Sxm80.modelName };
    const failure = { uuid: identity.uuid, reason: 'gpu_is_lost', message };
    expect(health).toEqual({ failures: [{ ...failure, identity: expect.objectContaining(identity) }] });
    expect(driverVersion).toBe('570.86.15');
  });

  it('cannot be read while its driver is loaded anew, and then has counters that begin anew', async () => {
    const world = startFleet(planned({}, 'events: [{at: 10h, for: 30s, fault: driver-reload}]'));
    const readAt = async (ms: number) => {
      world.moveTo(ms);
      return world.read();
    };
    const before = await readAt(10 * hourMs - 1);
    const refusal = 'the driver of node-0 is being loaded anew: no GPU can be read until it is there';
    await expect(readAt(10 * hourMs)).rejects.toThrow(refusal);
    await expect(readAt(10 * hourMs + 29_999)).rejects.toThrow(refusal);
    const after = await readAt(10 * hourMs + 31_000);
    expect([before, after].map(({ counterEpoch }) => counterEpoch)).toEqual([`${startMs}-0`, `${startMs}-1`]);
    const [one] = after.gpus;
    const [same] = before.gpus;
    expect(one).toMatchObject({
      eccSbeVolatile: 0,
      pcieReplays: 0,
      eccSbeAggregate: same?.eccSbeAggregate,
      uuid: same?.uuid,
    });
    expect(same?.eccSbeVolatile).toBeGreaterThan(8);
    // One second of work since the load.
    expect(one?.energyMillijoules).toBeGreaterThan(250_000);
    expect(one?.energyMillijoules).toBeLessThan(400_000);
  });

  it('counts a GPU as lost that was off the bus before anybody looked', async () => {
    const world = startFleet(planned({ gpus: 3 }, 'events: [{at: 0s, gpu: 2, fault: off-the-bus}]'));
    const { source } = nodeOf(world);
    const collector = createCollector({ source, intervalMs: 1, timeoutMs: 1000, now: world.fleet.board.clock.now });
    await collector.collect();
    const { gpus } = collector.state().presence;
    const states = Object.values(gpus).map(({ identity, state, reason }) => [identity.index, state, reason]);
    expect(states.toSorted()).toEqual([
      [0, 'available', undefined],
      [1, 'available', undefined],
      [2, 'unavailable', 'gpu_is_lost'],
    ]);
  });

  it('leaves its GPUs unobserved, not lost, while its driver is loaded anew', async () => {
    const world = startFleet(planned({ gpus: 2 }, 'events: [{at: 10s, for: 10s, fault: driver-reload}]'));
    const { source } = nodeOf(world);
    const collector = createCollector({ source, intervalMs: 1, timeoutMs: 1000, now: world.fleet.board.clock.now });
    const seen: unknown[] = [];
    for (const ms of [0, 10_000, 20_000]) {
      world.moveTo(ms);
      await collector.collect();
      const { failure, presence } = collector.state();
      seen.push([failure?.reason, ...Object.values(presence.gpus).map(({ state }) => state)]);
    }
    expect(seen).toEqual([
      [undefined, 'available', 'available'],
      ['error', 'unobserved', 'unobserved'],
      [undefined, 'available', 'available'],
    ]);
  });

  it('hangs, or refuses, and comes back', async () => {
    const source = 'events: [{at: 1m, for: 1m, fault: exporter-hang}, {at: 3m, for: 1m, fault: node-down}]';
    const world = startFleet(planned({}, source));
    const node = nodeOf(world);
    const reached: string[] = [];
    for (let minute = 0; minute < 5; minute += 1) {
      world.moveTo(minute * minuteMs);
      reached.push(node.reachability());
    }
    expect(reached).toEqual(['ok', 'hang', 'ok', 'down', 'ok']);
    world.moveTo(minuteMs);
    const giveUp = new AbortController();
    const hanging = node.source.read(giveUp.signal);
    const first = await Promise.race([hanging, new Promise((resolve) => setImmediate(() => resolve('nothing yet')))]);
    expect(first).toBe('nothing yet');
    giveUp.abort(new Error('given up'));
    await expect(hanging).rejects.toThrow('given up');
    world.moveTo(3 * minuteMs);
    await expect(node.source.read(signal)).rejects.toThrow('node-0 is switched off');
  });

  it('dates its readings on the clock of the exporter, and their course on that of the scenario', async () => {
    const world = startFleet(planned(), { speed: 60, elapsedMs: 5 * minuteMs });
    world.moveTo(3000);
    const snapshot = await world.read();
    expect(snapshot.takenAtMs).toBe(startMs + 3000);
    expect(snapshot.gpus).toEqual(sampleFleet({ profile: a100Sxm80, seed: 1, gpus: 4 }, 8 * minuteMs));
  });
});

const kinds = ['lost', 'xid', 'ecc', 'ecc-storm', 'driver-reload', 'exporter-hang', 'node-down'] as const;
const effectsOf = (name: string) =>
  faultKinds.get(name)?.effects(name === 'ecc-storm' ? { uncorrectable_per_minute: 1 } : {}) ?? [];

const events = fc
  .array(
    fc.record({
      name: fc.constantFrom(...kinds),
      fromMs: fc.integer({ min: 0, max: hourMs }),
      lastsMs: fc.integer({ min: 1, max: hourMs / 4 }),
      gpu: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 10 },
  )
  .map((written) =>
    written.map(({ name, fromMs, lastsMs, gpu }, id): ScheduledEvent => {
      const kind = faultKinds.get(name);
      const untilMs = kind?.lastsMs === 0 ? fromMs : fromMs + lastsMs;
      const target = { nodes: undefined, gpus: kind?.scope === 'node' ? undefined : [gpu] };
      return { id, name, effects: effectsOf(name), fromMs, untilMs, target, announcedMs: fromMs };
    }),
  );

const instants = fc
  .uniqueArray(fc.integer({ min: 0, max: 2 * hourMs }), { minLength: 1, maxLength: 12 })
  .map((list) => list.toSorted((a, b) => a - b));

describe('XIDs', () => {
  it('are delivered exactly once, however often and whenever a node is read, and none is lost to a failed read', async () => {
    await fc.assert(
      fc.asyncProperty(events, instants, async (scheduled, at) => {
        const plan = { ...planned(), events: scheduled };
        const collect = async (times: readonly number[]) => {
          const world = startFleet(plan);
          const all: XidEvent[] = [];
          for (const ms of times) {
            world.moveTo(ms);
            all.push(...((await look(world))?.xids ?? []));
          }
          return all;
        };
        const once = await collect([3 * hourMs]);
        const often = await collect([...at, 3 * hourMs]);
        expect(often.toSorted(byTime)).toEqual(once.toSorted(byTime));
        for (const { atMs } of once) expect(Number.isFinite(atMs)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('carry the code, the GPU and the instant, and stay as the last one', async () => {
    const source = 'events: [{at: 30s, gpu: 1, fault: xid, code: 31}, {at: 40s, for: 5s, gpu: 3, fault: lost}]';
    const world = startFleet(planned({}, source));
    world.moveTo(minuteMs);
    const { xids, gpus } = await world.read();
    const uuids = nodeOf(world).uuids();
    expect(xids).toEqual([
      { atMs: startMs + 30_000, uuid: uuids[1], code: 31 },
      { atMs: startMs + 40_000, uuid: uuids[3], code: 79 },
    ]);
    expect(gpus.map(({ lastXid }) => lastXid)).toEqual([0, 31, 0, 79]);
    expect((await world.read()).xids).toEqual([]);
  });

  it('are delivered when they are asked for at the very instant of a reading', async () => {
    const world = startFleet(planned());
    world.moveTo(5000);
    await world.read();
    const strike = { name: 'xid', effects: effectsOf('xid'), node: 0, gpu: 2, lastsMs: 0 };
    world.fleet.board.strike(strike);
    expect((await world.read()).xids).toEqual([{ atMs: startMs + 5000, uuid: nodeOf(world).uuids()[2], code: 31 }]);
    expect((await world.read()).xids).toEqual([]);
  });

  it('of the time before the start were never heard', async () => {
    const source = 'events: [{at: 10m, gpu: 1, fault: xid}, {at: 2h, gpu: 1, fault: xid, code: 43}]';
    const world = startFleet(planned({}, source), { elapsedMs: hourMs });
    expect((await world.read()).xids).toEqual([]);
    world.moveTo(hourMs);
    expect((await world.read()).xids).toEqual([{ atMs: startMs + hourMs, uuid: nodeOf(world).uuids()[1], code: 43 }]);
  });
});

const byTime = (one: XidEvent, other: XidEvent) =>
  one.atMs - other.atMs || one.code - other.code || String(one.uuid).localeCompare(String(other.uuid));

describe('counters', () => {
  const counters = ({
    energyMillijoules,
    eccSbeVolatile,
    eccDbeVolatile,
    pcieReplays,
    nvlinkTransmitKib,
    ...sample
  }: GpuSample) => ({
    inDriver: [
      energyMillijoules,
      eccSbeVolatile,
      eccDbeVolatile,
      pcieReplays,
      nvlinkTransmitKib,
      sample.hardwareThermalNanoseconds,
    ],
    ofCard: [
      sample.eccSbeAggregate,
      sample.eccDbeAggregate,
      sample.uncorrectableRemappedRows,
      sample.correctableRemappedRows,
    ],
  });

  it('never fall while their epoch is the same, and those of the card never at all', async () => {
    await fc.assert(
      fc.asyncProperty(events, instants, async (scheduled, at) => {
        const world = startFleet({ ...planned(), events: scheduled });
        const last = new Map<number, { epoch: string | undefined; values: ReturnType<typeof counters> }>();
        for (const ms of at) {
          world.moveTo(ms);
          const { gpus = [], counterEpoch: epoch } = (await look(world)) ?? {};
          for (const gpu of gpus) {
            const values = counters(gpu);
            const before = last.get(gpu.index);
            const compared = before?.epoch === epoch ? (['inDriver', 'ofCard'] as const) : (['ofCard'] as const);
            for (const group of compared)
              values[group].forEach((value, nth) => {
                expect(value).toBeGreaterThanOrEqual(before?.values[group][nth] ?? 0);
              });
            last.set(gpu.index, { epoch, values });
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
