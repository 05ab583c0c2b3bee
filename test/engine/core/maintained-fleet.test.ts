import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restoreFleet, saveFleet } from '../../../engine/core/checkpoint.ts';
import { countsFor, decide, gpusOf } from '../../../engine/core/decision.ts';
import { clearsAtIfHealthy, explain } from '../../../engine/core/explain.ts';
import { createFleet, type FleetState, stepFleet } from '../../../engine/core/fleet.ts';
import { ticksToRecovery } from '../../../engine/core/forecast.ts';
import { maintainedSubjects, maintenanceLeft } from '../../../engine/core/maintained.ts';
import { planMaintenance } from '../../../engine/core/maintenance.ts';
import type { MaintenanceSpan } from '../../../engine/core/maintenance-span.ts';
import type { Plan } from '../../../engine/core/plan.ts';
import type { Policy } from '../../../engine/core/policy.ts';
import { FLEET, type Subject } from '../../../engine/core/subject.ts';
import { TICK, tickStateName } from '../../../engine/core/tick.ts';
import { figuresOf, judgeWindows } from '../../../engine/core/totals.ts';
import { stateAgo } from '../../../engine/core/window.ts';
import { MINUTE, observe, planOf, type Shown, START_MS, type TickShown, times } from './fixtures.ts';
import { atTick, maintenancePolicy, matcher, span, TICK_MS } from './silences.ts';

const PLAN = planOf({ maintenance: maintenancePolicy() });
const [CAPABILITY] = PLAN.capabilities;
const NODE_A: Subject = { level: 'node', id: 'a' };

/** As `play` does, under the maintenance that the spans declare. */
function playUnder(
  spans: readonly MaintenanceSpan[],
  ticks: readonly TickShown[],
  { plan = PLAN, state = createFleet() }: { plan?: Plan; state?: FleetState } = {},
): FleetState {
  const maintenance = planMaintenance(plan.policy, spans);
  for (const tick of ticks) {
    const atMs = state.tickMs === undefined ? START_MS : state.tickMs + plan.policy.intervalMs;
    stepFleet(plan, state, { ...observe(plan, atMs, tick), maintenance });
  }
  return state;
}

function statesOf(state: FleetState, gpu: string): readonly number[] {
  const timeline = state.gpus.get(gpu)?.tracks[0]?.timeline;
  if (timeline === undefined) return [];
  const held = Math.min(timeline.ticks, timeline.ring.length);
  return Array.from({ length: held }, (_, i) => stateAgo(timeline, held - 1 - i));
}

const shown = fc.constantFrom<Shown>('up', 'up', 'hot', 'busy', 'gone', 'stale', 'target_down');
const tick: fc.Arbitrary<TickShown> = fc.record({
  isWatched: fc.constantFrom(true, true, true, false),
  gpus: fc.record({ 'a/0': shown, 'a/1': shown, 'b/0': shown }),
});
const history = fc.array(tick, { minLength: 1, maxLength: 60 });
const anySpan = fc
  .record({
    from: fc.nat(60),
    length: fc.nat(30),
    matchers: fc.constantFrom('instance=a', 'instance=b', 'instance=~a|b', 'UUID=a/1'),
  })
  .map(({ from, length, matchers }) => span(from, from + length, { matchers: [matcher(matchers)] }));
const spans = fc.array(anySpan, { maxLength: 4 }).map((all) => all.map((one, i) => ({ ...one, id: `s${i}.0` })));

describe('a tick in maintenance', () => {
  it.each<[string, Shown, boolean]>([
    ['up', 'up', true],
    ['down', 'hot', true],
    ['busy', 'busy', true],
    ['absent', 'gone', true],
    ['unobserved', 'up', false],
  ])('is maintenance although the GPU is %s', (_, show, isWatched) => {
    const state = playUnder([span(3, 5)], [...times(3, { 'a/0': 'up' }), { isWatched, gpus: { 'a/0': show } }]);
    expect(tickStateName(state.gpus.get('a/0')?.tracks[0]?.verdict.state ?? 0)).toBe('maintenance');
  });

  it('makes no GPU known that nobody has seen', () => {
    expect(playUnder([span(0, 5)], times(3, { 'a/0': 'gone' })).gpus.size).toBe(0);
  });

  it('is the only thing that maintenance changes: every other tick is what it would have been', () => {
    fc.assert(
      fc.property(history, spans, (ticks, declared) => {
        const plain = playUnder([], ticks);
        const state = playUnder(declared, ticks);
        const calendar = planMaintenance(PLAN.policy, declared);
        for (const [gpu, record] of plain.gpus) {
          const states = statesOf(plain, gpu);
          const expected = states.map((was, i) => {
            const atMs = (plain.tickMs ?? 0) - (states.length - 1 - i) * TICK_MS;
            return calendar?.at(atMs)?.(record)?.kind === 'excluded' ? TICK.maintenance : was;
          });
          expect(statesOf(state, gpu)).toEqual(expected);
        }
      }),
    );
  });

  it('leaves the uptime that the other ticks show, within 0 and 1, never above the best of them', () => {
    fc.assert(
      fc.property(history, spans, (ticks, declared) => {
        const state = playUnder(declared, ticks);
        for (const gpu of state.gpus.keys()) {
          const counts = countsFor(PLAN, state, CAPABILITY, { level: 'gpu', id: gpu });
          for (const { uptime, coverage, counts: count } of figuresOf(PLAN, CAPABILITY, counts)) {
            const rest = statesOf(state, gpu)
              .slice(-count.length)
              .filter((one) => one !== TICK.maintenance);
            const judged = rest.filter((one) => one !== TICK.unobserved);
            const up = judged.filter((one) => one === TICK.up).length;
            expect(uptime).toBe(judged.length === 0 ? undefined : up / judged.length);
            expect(coverage >= 0 && coverage <= 1).toBe(true);
          }
        }
      }),
    );
  });

  it('never lowers an uptime by excluding ticks that were not up', () => {
    fc.assert(
      fc.property(history, fc.nat(59), fc.nat(20), (ticks, from, length) => {
        const isBad = ({ isWatched, gpus }: TickShown) => isWatched && gpus['a/0'] === 'hot';
        const bad = ticks
          .map((one, i) => (isBad(one) && i >= from && i < from + length ? i : -1))
          .filter((i) => i >= 0);
        const declared = bad.map((i) => span(i, i + 1, { id: `s${i}.0`, matchers: [matcher('UUID=a/0')] }));
        const uptimes = (state: FleetState) =>
          figuresOf(PLAN, CAPABILITY, countsFor(PLAN, state, CAPABILITY, { level: 'gpu', id: 'a/0' }));
        const [without, under] = [uptimes(playUnder([], ticks)), uptimes(playUnder(declared, ticks))];
        for (const [w, { uptime }] of under.entries()) {
          if (uptime !== undefined) expect(uptime).toBeGreaterThanOrEqual(without[w]?.uptime ?? 0);
        }
      }),
    );
  });

  it('is not forgotten for being away: a GPU that does not return afterwards is down', () => {
    const presence = { ...PLAN.policy.presence, rememberMs: 60_000 };
    const plan = planOf({ maintenance: maintenancePolicy(), presence });
    const ticks = [...times(3, { 'a/0': 'up' }), ...times(20, { 'a/0': 'gone' })];
    expect(playUnder([], ticks, { plan }).gpus.size).toBe(0);
    const state = playUnder([span(3, 21)], ticks, { plan });
    expect(statesOf(state, 'a/0').slice(-3)).toEqual([TICK.maintenance, TICK.down, TICK.down]);
  });

  it('beyond the budget counts as usual', () => {
    const plan = planOf({ maintenance: maintenancePolicy({ budgetMs: 2 * TICK_MS }) });
    const state = playUnder([span(3, 9)], [...times(3, { 'a/0': 'up' }), ...times(4, { 'a/0': 'hot' })], { plan });
    expect(statesOf(state, 'a/0').slice(3)).toEqual([TICK.maintenance, TICK.maintenance, TICK.down, TICK.down]);
  });
});

describe('a fleet under maintenance', () => {
  const essence = (state: FleetState) => ({ ...saveFleet(PLAN, state), totals: [...state.totals] });

  it('is the same for a prefix and then the rest, and after a restart through JSON, as for the whole', () => {
    fc.assert(
      fc.property(history, spans, fc.nat(), (ticks, declared, cut) => {
        const at = 1 + (cut % ticks.length);
        const whole = essence(playUnder(declared, ticks));
        const first = playUnder(declared, ticks.slice(0, at));
        const restored = restoreFleet(PLAN, JSON.parse(JSON.stringify(saveFleet(PLAN, first))));
        if (restored === undefined) throw new Error('the checkpoint is of this policy');
        expect(essence(playUnder(declared, ticks.slice(at), { state: restored }))).toEqual(whole);
        expect(essence(playUnder(declared, ticks.slice(at), { state: first }))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('has no verdict on windows that are full of it', () => {
    const state = playUnder([span(0, 24)], times(24, { 'a/0': 'hot' }));
    expect(
      figuresOf(PLAN, CAPABILITY, countsFor(PLAN, state, CAPABILITY, FLEET)).map(({ verdict }) => verdict),
    ).toEqual(['unknown', 'unknown', 'unknown']);
    expect([...state.episodes]).toEqual([]);
  });
});

describe('an episode', () => {
  const bad = [...times(24, { 'a/0': 'up' }), ...times(6, { 'a/0': 'hot' })];
  const episodes = (state: FleetState) => Object.fromEntries(state.episodes);

  it('neither escalates nor is forgiven while its subject is in maintenance', () => {
    const before = episodes(playUnder([], bad));
    expect(Object.keys(before)).toEqual(['default fleet', 'default node a', 'default gpu a/0']);
    // 40 ticks are longer than the first delay (30 ticks) and than the longest window (24).
    for (const show of ['up', 'hot', 'gone'] as const) {
      expect(episodes(playUnder([span(30, 70)], [...bad, ...times(40, { 'a/0': show })]))).toEqual(before);
    }
  });

  it('does not start while its subject is in maintenance, however low the remaining ticks are', () => {
    const mostlyUp = [...times(22, { 'a/0': 'up' }), ...times(1, { 'a/0': 'hot' })];
    const plan = planOf({
      maintenance: maintenancePolicy(),
      windows: [{ name: 'long', rangeMs: 4 * MINUTE, threshold: 0.95 }],
      capabilities: [{ ...CAPABILITY.capability, windows: [{ name: 'long', rangeMs: 4 * MINUTE, threshold: 0.95 }] }],
    });
    const state = playUnder([span(23, 40)], [...mostlyUp, ...times(10, { 'a/0': 'up' })], { plan });
    const [capability] = plan.capabilities;
    expect(judgeWindows(plan, capability, countsFor(plan, state, capability, FLEET))).toBe('low');
    expect(episodes(state)).toEqual({});
  });

  it('of a node goes on while one of its GPUs still works', () => {
    const gpus = (a1: Shown) => ({ 'a/0': 'hot' as const, 'a/1': a1 });
    const ticks = [...times(24, { 'a/0': 'up', 'a/1': 'up' }), ...times(40, gpus('up'))];
    const state = playUnder([span(24, 80, { matchers: [matcher('UUID=a/0')] })], ticks);
    expect(episodes(state)).toEqual({});
    const whole = playUnder([span(24, 80, { matchers: [matcher('UUID=a/1')] })], ticks);
    expect(whole.episodes.get('default node a')?.episode.failures).toBeGreaterThan(1);
  });

  it('begins its recovery hold anew after maintenance', () => {
    const delay = { ...PLAN.policy.delay, recoveryHoldMs: 10 * TICK_MS };
    const plan = planOf({ maintenance: maintenancePolicy(), delay });
    const recovering = [...bad, ...times(25, { 'a/0': 'up' })];
    const before = playUnder([], recovering, { plan }).episodes.get('default gpu a/0')?.episode;
    expect(before?.recoveringSinceMs).toBeDefined();
    const after = playUnder([span(55, 70)], [...recovering, ...times(16, { 'a/0': 'up' })], { plan });
    expect(after.episodes.get('default gpu a/0')?.episode.recoveringSinceMs).toBe(atTick(70));
  });
});

describe('clears_at_if_healthy', () => {
  it('is exact during maintenance: the episode ends at that tick if every later one is up, and not before', () => {
    fc.assert(
      fc.property(history, fc.nat(12), fc.constantFrom('instance=a', 'UUID=a/0'), (ticks, left, matchers) => {
        const all = [...times(24, { 'a/0': 'up', 'a/1': 'up' }), ...ticks];
        const declared = [span(all.length - 3, all.length + left, { matchers: [matcher(matchers)] })];
        const state = playUnder(declared, all);
        const question = {
          name: 'default',
          capability: CAPABILITY,
          subject: NODE_A,
          nowMs: state.tickMs ?? 0,
          holds: [],
        };
        fc.pre(state.episodes.has('default node a'));
        const gpus = gpusOf(state, CAPABILITY, NODE_A);
        const needed = Math.max(1, ticksToRecovery(PLAN, CAPABILITY, gpus, maintenanceLeft(PLAN, state, gpus)));
        expect(clearsAtIfHealthy(PLAN, state, question)).toBe((state.tickMs ?? 0) + needed * TICK_MS);
        const healthy = (count: number) => times(count, { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up' });
        const after = (count: number) => playUnder(declared, [...all, ...healthy(count)]);
        expect(after(needed).episodes.has('default node a')).toBe(false);
        const early = after(needed - 1);
        const verdict = judgeWindows(PLAN, CAPABILITY, countsFor(PLAN, early, CAPABILITY, NODE_A));
        expect(verdict !== 'met' || maintainedSubjects(early, CAPABILITY)(NODE_A) || needed === 1).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the gate of a node in maintenance', () => {
  const ask = (state: FleetState, plan: Plan, subject: Subject, holds: readonly [] = []) =>
    decide(plan, state, { name: 'default', capability: CAPABILITY, subject, nowMs: (state.tickMs ?? 0) + 3000, holds });
  const closed = (change: Partial<Policy> = {}) =>
    planOf({ maintenance: maintenancePolicy({ gate: 'deny' }), ...change });
  const ticks = times(26, { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up' });

  it('lets work in unless the policy says otherwise', () => {
    const state = playUnder([span(24, 30)], ticks);
    expect(ask(state, PLAN, NODE_A)).toMatchObject({ canProcess: true, basis: { kind: 'clear' } });
  });

  it('is shut until the maintenance ends where the policy says deny', () => {
    const plan = closed();
    const state = playUnder([span(24, 30)], ticks, { plan });
    const [untilMs, nowMs] = [atTick(30), (state.tickMs ?? 0) + 3000];
    expect(ask(state, plan, NODE_A)).toMatchObject({
      canProcess: false,
      waitMs: untilMs - nowMs,
      basis: { kind: 'maintenance', untilMs },
    });
    expect(ask(state, plan, FLEET)).toMatchObject({ canProcess: true });
    expect(ask(state, plan, { level: 'gpu', id: 'b/0' })).toMatchObject({ canProcess: true });
    const question = { name: 'default', capability: CAPABILITY, subject: NODE_A, nowMs, holds: [] };
    const { id, reason } = explain(plan, state, question);
    expect(reason).toBe('In planned maintenance until 2023-11-14T22:18:20Z');
    expect(id).toMatch(/\.maintenance$/);
  });

  it('is shut for the fleet only when all of it is in maintenance', () => {
    const plan = closed();
    const state = playUnder([span(24, 30, { matchers: [matcher('instance=~a|b')] })], ticks, { plan });
    expect(ask(state, plan, FLEET)).toMatchObject({ canProcess: false, basis: { kind: 'maintenance' } });
  });

  it('opens when the month has no budget left', () => {
    const plan = closed({ maintenance: maintenancePolicy({ gate: 'deny', budgetMs: TICK_MS }) });
    const state = playUnder([span(24, 30)], ticks, { plan });
    expect(ask(state, plan, NODE_A)).toMatchObject({ canProcess: true });
  });

  it('opens when a delay runs out meanwhile, since no failure can follow it', () => {
    const bad = [...times(24, { 'a/0': 'up' }), ...times(20, { 'a/0': 'hot' })];
    const state = playUnder([span(44, 70)], [...bad, ...times(18, { 'a/0': 'up' })]);
    expect(ask(state, PLAN, NODE_A)).toMatchObject({ canProcess: true, basis: { kind: 'delay_over' } });
  });
});
