import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { behaviours } from '../../../exporter/source/mock/behaviours.ts';
import { faultKinds } from '../../../exporter/source/mock/faults.ts';
import type { ScheduledEvent } from '../../../exporter/source/mock/schedule.ts';
import { groundTruth } from '../../../exporter/source/mock/truth.ts';
import { type FleetInTime, look, nodeOf, planned, startFleet, startMs } from './fleet-in-time.ts';

const nodes = 2;
const gpusPerNode = 3;
const spanMs = 3_600_000;
const plan = planned({ nodes, gpus: nodes * gpusPerNode });
const places = Array.from({ length: nodes * gpusPerNode }, (_, nth) => ({
  node: Math.floor(nth / gpusPerNode),
  gpu: nth % gpusPerNode,
}));

const effectsOf = (name: string) =>
  (name === 'flapping' ? behaviours.flapping.effects : faultKinds.get(name)?.effects({})) ?? [];
const isForNodes = (name: string) => faultKinds.get(name)?.scope === 'node';
const names = [
  'lost',
  'off-the-bus',
  'hot',
  'ecc',
  'sensor-blank',
  'driver-reload',
  'exporter-hang',
  'node-down',
  'flapping',
];

const subset = (most: number) =>
  fc.option(fc.uniqueArray(fc.integer({ min: 0, max: most }), { minLength: 1 }), { nil: undefined });

const events = fc
  .array(
    fc.record({
      name: fc.constantFrom(...names),
      fromMs: fc.integer({ min: 0, max: spanMs }),
      lastsMs: fc.integer({ min: 1, max: spanMs / 4 }),
      nodes: subset(nodes - 1),
      gpus: subset(gpusPerNode - 1),
    }),
    { maxLength: 12 },
  )
  .map((written) =>
    written.map(
      ({ name, fromMs, lastsMs, ...target }, id): ScheduledEvent => ({
        id,
        name,
        effects: effectsOf(name),
        fromMs,
        untilMs: fromMs + lastsMs,
        target: isForNodes(name) ? { ...target, gpus: undefined } : target,
        announcedMs: fromMs,
      }),
    ),
  );

/** What can be seen of one GPU: there, gone, or nothing at all. */
async function seen(world: FleetInTime, node: number): Promise<readonly string[]> {
  const { source, reachability } = nodeOf(world, node);
  const reached = reachability();
  if (reached !== 'ok') {
    await expect(source.read(AbortSignal.abort(new Error('given up')))).rejects.toThrow(/given up/);
    return Array(gpusPerNode).fill(reached === 'down' ? 'refused' : 'hidden');
  }
  const snapshot = await look(world, node);
  if (snapshot === undefined) return Array(gpusPerNode).fill('unreadable');
  const { gpus } = snapshot;
  return Array.from({ length: gpusPerNode }, (_, index) => (gpus.some((gpu) => gpu.index === index) ? 'up' : 'gone'));
}

/** What is met where nobody can see a GPU, the first that applies. */
const hiding = [
  ['node-down', 'refused'],
  ['exporter-hang', 'hidden'],
  ['driver-reload', 'unreadable'],
] as const;

/** What the truth says can be seen. */
function expected(fleet: FleetInTime['fleet'], place: (typeof places)[number], atMs: number): string {
  const [interval] = fleet.truth(place, { fromMs: startMs + atMs, untilMs: startMs + atMs + 1 });
  if (interval === undefined) return 'nothing';
  if (!interval.isObservable) return hiding.find(([cause]) => interval.because.includes(cause))?.[1] ?? 'nothing';
  return interval.state === 'up' ? 'up' : 'gone';
}

describe('the truth', () => {
  it('is what the nodes show, at every edge and between them, for any timeline', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.array(fc.integer({ min: 0, max: spanMs }), { maxLength: 5 }),
        async (planned, others) => {
          const world = startFleet({ ...plan, events: planned });
          const edges = planned.flatMap(({ fromMs, untilMs }) => [fromMs - 1, fromMs, untilMs - 1, untilMs]);
          const instants = [...new Set([...edges, ...others])].filter((at) => at >= 0).toSorted((a, b) => a - b);
          for (const at of instants) {
            world.moveTo(at);
            for (let node = 0; node < nodes; node += 1) {
              const own = places.filter((place) => place.node === node);
              expect([at, ...(await seen(world, node))]).toEqual([
                at,
                ...own.map((place) => expected(world.fleet, place, at)),
              ]);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('has no gaps, no overlaps and no two neighbours alike, and begins and ends where it was asked to', () => {
    fc.assert(
      fc.property(
        events,
        fc.integer({ min: 0, max: spanMs }),
        fc.integer({ min: 1, max: spanMs }),
        (planned, fromMs, lengthMs) => {
          const span = { fromMs, untilMs: fromMs + lengthMs };
          const schedule = { seed: 1, events: planned, nextId: planned.length };
          for (const place of places) {
            const intervals = groundTruth(schedule, place, span);
            expect([intervals[0]?.fromMs, intervals.at(-1)?.untilMs]).toEqual([span.fromMs, span.untilMs]);
            intervals.slice(1).forEach((next, nth) => {
              const { fromMs: _, untilMs, ...state } = intervals[nth] ?? next;
              expect(next.fromMs).toBe(untilMs);
              expect({ ...next, fromMs: 0, untilMs: 0 }).not.toEqual({ ...state, fromMs: 0, untilMs: 0 });
            });
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is still what was seen after faults were asked for and taken back', async () => {
    const action = fc.record({
      afterMs: fc.integer({ min: 1, max: 120_000 }),
      what: fc.constantFrom('strike', 'start', 'clear', 'clear all'),
      name: fc.constantFrom('lost', 'hot', 'ecc', 'driver-reload', 'exporter-hang', 'node-down'),
      scenario: fc.integer({ min: 0, max: 7 }),
      node: fc.integer({ min: 0, max: nodes - 1 }),
      gpu: fc.integer({ min: 0, max: gpusPerNode - 1 }),
      lastsMs: fc.constantFrom(5000, 60_000, Infinity),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 10 }), async (actions) => {
        const world = startFleet(plan);
        const { board } = world.fleet;
        const log: { at: number; node: number; seen: readonly string[] }[] = [];
        let at = 0;
        const lookAround = async () => {
          world.moveTo(at);
          for (let node = 0; node < nodes; node += 1) log.push({ at, node, seen: await seen(world, node) });
        };
        for (const { afterMs, what, name, scenario, node, gpu, lastsMs } of actions) {
          at += afterMs;
          await lookAround();
          at += 1;
          world.moveTo(at);
          if (what === 'strike')
            board.strike({ name, effects: effectsOf(name), node, gpu: isForNodes(name) ? undefined : gpu, lastsMs });
          if (what === 'start')
            board.start(plan.scenarios[scenario] ?? { name: '', what: '', events: [] }, { node, gpu });
          if (what === 'clear') board.clear({ node, gpu });
          if (what === 'clear all') board.clear({ node: undefined, gpu: undefined });
          await lookAround();
        }
        for (const { at: then, node, seen: was } of log) {
          const own = places.filter((place) => place.node === node);
          expect([then, ...was]).toEqual([then, ...own.map((place) => expected(world.fleet, place, then))]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('names what is at work, and when it took the GPU down', () => {
    const source = `
events:
  - {at: 1m, for: 10m, node: node-1, gpu: 2, fault: hot}
  - {at: 2m, until: 3m, node: node-1, gpu: 2, fault: off-the-bus}
  - {at: 5m, node: node-1, fault: driver-reload}
  - {at: 6m, for: 1m, node: node-1, fault: exporter-hang}
  - {at: 8m, for: 30s, fault: node-down}
`;
    const { fleet } = startFleet(planned({ nodes, gpus: nodes * gpusPerNode }, source));
    const minute = (at: number) => startMs + at * 60_000;
    const truth = fleet.truth({ node: 1, gpu: 2 }, { fromMs: startMs, untilMs: minute(12) });
    const interval = (
      from: number,
      until: number,
      state: 'up' | 'down',
      isObservable: boolean,
      ...because: string[]
    ) => ({
      fromMs: minute(from),
      untilMs: minute(until),
      state,
      isObservable,
      because,
    });
    expect(truth).toEqual([
      interval(0, 1, 'up', true),
      interval(1, 2, 'up', true, 'hot'),
      interval(2, 3, 'down', true, 'hot', 'off-the-bus'),
      interval(3, 5, 'up', true, 'hot'),
      interval(5, 5.5, 'down', false, 'hot', 'driver-reload'),
      interval(5.5, 6, 'up', true, 'hot'),
      interval(6, 7, 'up', false, 'hot', 'exporter-hang'),
      interval(7, 8, 'up', true, 'hot'),
      interval(8, 8.5, 'down', false, 'hot', 'node-down'),
      interval(8.5, 11, 'up', true, 'hot'),
      interval(11, 12, 'up', true),
    ]);
  });
});

describe('the truth on the clock of the exporter', () => {
  const source = 'events: [{at: 10m, until: 25m, gpu: 2, fault: off-the-bus}]';
  const place = { node: 0, gpu: 2 };
  const down = (fleet: FleetInTime['fleet'], untilMs: number) =>
    fleet
      .truth(place, { fromMs: 0, untilMs: startMs + untilMs })
      .filter(({ state }) => state === 'down')
      .map(({ fromMs, untilMs: end }) => [fromMs - startMs, end - startMs]);

  it('is an hour in a minute at speed 60', () => {
    const { fleet } = startFleet(planned({}, source), { speed: 60 });
    expect(down(fleet, 60_000)).toEqual([[10_000, 25_000]]);
  });

  it('reaches back before the start where the scenario does', () => {
    const { fleet } = startFleet(planned({}, source), { elapsedMs: 20 * 60_000 });
    expect(down(fleet, 3_600_000)).toEqual([[-600_000, 300_000]]);
    expect(fleet.truth(place, { fromMs: 0, untilMs: startMs })[0]?.fromMs).toBe(startMs - 1_200_000);
  });

  it('leaves out what was skipped, and stands still with a clock that does', () => {
    const world = startFleet(planned({}, source), { speed: 0 });
    const { clock } = world.fleet.board;
    world.moveTo(1000);
    clock.advance(15 * 60_000);
    world.moveTo(4000);
    clock.advance(9 * 60_000);
    world.moveTo(5000);
    clock.advance(60 * 60_000);
    world.moveTo(9000);
    expect(down(world.fleet, 9000)).toEqual([[1000, 5000]]);
    expect(world.fleet.truth(place, { fromMs: startMs, untilMs: startMs + 9000 }).at(-1)).toMatchObject({
      state: 'up',
    });
  });
});
