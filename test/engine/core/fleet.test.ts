import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restoreFleet, saveFleet } from '../../../engine/core/checkpoint.ts';
import { countsFor } from '../../../engine/core/decision.ts';
import { createFleet, type FleetState, rememberGpu, stepFleet } from '../../../engine/core/fleet.ts';
import { capabilityFor } from '../../../engine/core/plan.ts';
import { FLEET } from '../../../engine/core/subject.ts';
import { figuresOf, judgeWindows } from '../../../engine/core/totals.ts';
import { capability, observe, planOf, play, type Shown, START_MS, type TickShown, times } from './fixtures.ts';

const shown = fc.constantFrom<Shown>('up', 'up', 'up', 'hot', 'busy', 'gone', 'stale', 'target_down');
const tick: fc.Arbitrary<TickShown> = fc.record({
  isWatched: fc.constantFrom(true, true, true, true, false),
  gpus: fc.record({ 'a/0': shown, 'a/1': shown, 'b/0': shown, 'c/0': shown }),
});
const history = fc.array(tick, { minLength: 1, maxLength: 120 });

const PLAN = planOf({
  capabilities: [
    capability('default'),
    capability('llm-70b', { gpus: { gpu: '0' }, windows: capability('x').windows.slice(0, 2) }),
  ],
});

/** What decisions depend on, in a form that two states can be compared by. */
function essence(state: FleetState) {
  const saved = saveFleet(PLAN, state);
  return saved === undefined ? undefined : { ...saved, totals: [...state.totals] };
}

describe('stepFleet', () => {
  it('keeps every uptime within 0 and 1 and every window within its length', () => {
    fc.assert(
      fc.property(history, (ticks) => {
        const { state } = play(PLAN, ticks);
        for (const capability of PLAN.capabilities) {
          const totals = state.totals.get(capability.name);
          for (const counts of [totals?.fleet ?? [], ...(totals?.nodes.values() ?? [])]) {
            for (const { uptime = 0, coverage, samples, counts: count } of figuresOf(PLAN, capability, counts)) {
              expect(uptime >= 0 && uptime <= 1 && coverage >= 0 && coverage <= 1).toBe(true);
              expect(samples).toBeLessThanOrEqual(count.expected);
            }
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('never escalates without evidence: a new failure needs a low window of its subject at that very tick', () => {
    fc.assert(
      fc.property(history, (ticks) => {
        const state = createFleet();
        for (const [index, shownTick] of ticks.entries()) {
          const events = stepFleet(PLAN, state, observe(PLAN, START_MS + index * 10_000, shownTick));
          for (const event of events.filter(({ kind }) => kind === 'delay')) {
            const { capability: name, subject } =
              event.kind === 'delay' ? event.running : { capability: '', subject: FLEET };
            const served = capabilityFor(PLAN, name);
            expect(judgeWindows(PLAN, served, countsFor(PLAN, state, served, subject))).toBe('low');
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('always lets a fleet recover: after one longest window of healthy ticks no episode is left', () => {
    fc.assert(
      fc.property(history, (ticks) => {
        const { state } = play(PLAN, ticks);
        const known = Object.fromEntries([...state.gpus.keys()].map((gpu) => [gpu, 'up' as const]));
        fc.pre(state.gpus.size > 0);
        play(PLAN, times(24, known), state);
        expect([...state.episodes.keys()]).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same state for a prefix and then the rest as for the whole', () => {
    fc.assert(
      fc.property(history, fc.nat(), (ticks, cut) => {
        const at = cut % ticks.length;
        const parts = play(PLAN, ticks.slice(at), play(PLAN, ticks.slice(0, at)).state);
        expect(essence(parts.state)).toEqual(essence(play(PLAN, ticks).state));
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same state with a restart in the middle, through JSON, as without', () => {
    fc.assert(
      fc.property(history, fc.nat(), (ticks, cut) => {
        const at = 1 + (cut % ticks.length);
        const before = saveFleet(PLAN, play(PLAN, ticks.slice(0, at)).state);
        if (before === undefined) throw new Error('a played fleet has a checkpoint');
        const restored = restoreFleet(PLAN, JSON.parse(JSON.stringify(before)));
        if (restored === undefined) throw new Error('the checkpoint is of this policy');
        const after = play(PLAN, ticks.slice(at), restored);
        expect(essence(after.state)).toEqual(essence(play(PLAN, ticks).state));
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a tick that does not follow the one before', () => {
    const { state } = play(PLAN, times(1, { 'a/0': 'up' }));
    const skipped = observe(PLAN, START_MS + 20_000, { isWatched: true, gpus: {} });
    expect(() => stepFleet(PLAN, state, skipped)).toThrow('does not follow');
  });

  it('counts a GPU remembered from before the replayed history as down', () => {
    const state = createFleet();
    state.tickMs = START_MS;
    rememberGpu(PLAN, state, { gpu: 'a/0', node: 'a', target: 'gpu a', labels: {}, sampledAtMs: START_MS - 60_000 });
    play(PLAN, times(6, { 'b/0': 'up' }), state);
    expect(state.totals.get('default')?.nodes.get('a')?.[0]).toMatchObject({ up: 0, down: 4 });
  });

  it('keeps the record of a GPU whose node or labels changed', () => {
    const { state } = play(PLAN, times(5, { 'a/0': 'up' }));
    const moved = observe(PLAN, START_MS + 50_000, { isWatched: true, gpus: { 'a/0': 'up' } });
    const sightings = moved.sightings.map((sighting) => ({ ...sighting, node: 'z' }));
    stepFleet(PLAN, state, { ...moved, sightings });
    expect([...state.gpus.values()].map(({ node, tracks }) => [node, tracks[0]?.timeline.ticks])).toEqual([['z', 6]]);
  });

  it('judges a capability by its own GPUs and windows only', () => {
    const { state } = play(PLAN, [
      ...times(24, { 'a/0': 'up', 'a/1': 'up' }),
      ...times(3, { 'a/0': 'up', 'a/1': 'hot' }),
    ]);
    expect([...state.episodes.keys()].sort()).toEqual(['default fleet', 'default gpu a/1', 'default node a']);
  });

  it('ends the episodes of GPUs that stop serving a capability', () => {
    const { state } = play(PLAN, [...times(24, { 'a/0': 'up' }), ...times(3, { 'a/0': 'hot' })]);
    expect(state.episodes.has('llm-70b fleet')).toBe(true);
    const next = observe(PLAN, (state.tickMs ?? 0) + 10_000, { isWatched: true, gpus: { 'a/0': 'hot' } });
    const sightings = next.sightings.map((sighting) => ({ ...sighting, labels: { gpu: '9' } }));
    stepFleet(PLAN, state, { ...next, sightings });
    expect([...state.episodes.keys()].filter((key) => key.startsWith('llm-70b'))).toEqual([]);
  });

  it('lets a capability select GPUs by their id and node', () => {
    const gpus = { UUID: 'a/.*', instance: 'a|b' };
    const plan = planOf({ capabilities: [capability('default'), capability('of-node-a', { gpus })] });
    const { state } = play(plan, times(3, { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up' }));
    expect([...(state.totals.get('of-node-a')?.nodes.keys() ?? [])]).toEqual(['a']);
  });

  it('remembers a GPU by the newest of several rows', () => {
    const state = createFleet();
    state.tickMs = START_MS;
    const row = { gpu: 'a/0', labels: {} };
    rememberGpu(PLAN, state, { ...row, node: 'new', target: 'gpu new', sampledAtMs: START_MS - 1000 });
    rememberGpu(PLAN, state, { ...row, node: 'old', target: 'gpu old', sampledAtMs: START_MS - 9000 });
    expect(state.gpus.get('a/0')?.node).toBe('new');
  });

  it('ends the episode of a node whose last GPU moved away', () => {
    const { state } = play(PLAN, [...times(24, { 'a/0': 'up' }), ...times(3, { 'a/0': 'hot' })]);
    const next = observe(PLAN, (state.tickMs ?? 0) + 10_000, { isWatched: true, gpus: { 'a/0': 'hot' } });
    const sightings = next.sightings.map((sighting) => ({ ...sighting, node: 'z' }));
    stepFleet(PLAN, state, { ...next, sightings });
    expect([...state.episodes.keys()].filter((key) => key.includes(' node '))).toEqual([
      'default node z',
      'llm-70b node z',
    ]);
  });
});

describe('restoreFleet', () => {
  it('refuses a checkpoint of another policy', () => {
    const saved = saveFleet(PLAN, play(PLAN, times(2, { 'a/0': 'up' })).state);
    if (saved === undefined) throw new Error('a played fleet has a checkpoint');
    expect(restoreFleet(planOf({ revision: 'other' }), saved)).toBeUndefined();
  });
});
