import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action } from '../../../engine/core/action.ts';
import { restoreFleet, saveFleet } from '../../../engine/core/checkpoint.ts';
import { decide } from '../../../engine/core/decision.ts';
import { explain } from '../../../engine/core/explain.ts';
import { verdictReason } from '../../../engine/core/reason.ts';
import { FLEET, type Subject } from '../../../engine/core/subject.ts';
import { tickStateName } from '../../../engine/core/tick.ts';
import { encodeTimeline } from '../../../engine/core/window.ts';
import { parseCheckpoint } from '../../../engine/saved-state.ts';
import { type FiringTick, firingTimes, playFiring } from './firing.ts';
import { MINUTE, type Played, planOf, type Shown, START_MS } from './fixtures.ts';

const UP = { 'a/0': 'up', 'b/0': 'up', 'c/0': 'up' } as const;
const QUARANTINED = [['quarantine', 'a/0']] as const;

function track({ state }: Played, id: string) {
  const found = state.gpus.get(id)?.tracks[0];
  if (found === undefined) throw new Error(`no GPU ${id}`);
  return found;
}

function ticksOf(fleet: Played, id = 'a/0'): string {
  return encodeTimeline(track(fleet, id).timeline);
}

describe('a quarantined GPU', () => {
  it('is down from the tick on at which its alert fires, and up again when it resolves', () => {
    const fleet = playFiring(planOf(), [
      ...firingTimes(3, UP),
      ...firingTimes(2, UP, QUARANTINED),
      ...firingTimes(2, UP),
    ]);
    expect([ticksOf(fleet), ticksOf(fleet, 'b/0')]).toEqual(['u3d2u2', 'u7']);
  });

  it('is down whatever it shows; unobserved time stays unobserved', () => {
    const shown: readonly Shown[] = ['busy', 'hot', 'gone', 'stale'];
    const ticks = shown.flatMap((show) => firingTimes(1, { ...UP, 'a/0': show }, QUARANTINED));
    const fleet = playFiring(planOf(), [...firingTimes(3, UP), ...ticks, ...firingTimes(1, UP, QUARANTINED, false)]);
    expect(ticksOf(fleet)).toBe('u3d4o1');
  });

  it('says so, and since when', () => {
    const fleet = playFiring(planOf(), [...firingTimes(3, UP), ...firingTimes(2, UP, QUARANTINED)]);
    const { verdict } = track(fleet, 'a/0');
    expect(verdictReason(verdict)).toBe('quarantined by GpuEccUncorrectable since 2023-11-14T22:13:50Z');
    const [capability] = fleet.plan.capabilities;
    const question = { name: 'default', capability, subject: FLEET, nowMs: fleet.state.tickMs ?? 0, holds: [] };
    expect(explain(fleet.plan, fleet.state, question).causes).toMatchObject([
      { gpu: 'a/0', state: 'down', reason: 'quarantined by GpuEccUncorrectable since 2023-11-14T22:13:50Z' },
    ]);
  });

  it('goes on since the first tick, and anew after a tick without the alert', () => {
    const firing = firingTimes(1, UP, QUARANTINED);
    const since = (ticks: readonly FiringTick[]) =>
      playFiring(planOf(), ticks).state.actions.all.map(({ sinceMs }) => (sinceMs - START_MS) / 1000);
    expect(since([...firing, ...firing, ...firing])).toEqual([0]);
    expect(since([...firing, ...firingTimes(1, UP), ...firing])).toEqual([20]);
  });

  it('is released when the samples of its alert grow old, as after the death of who wrote them', () => {
    const aged = (ageMs: number) => ({ isWatched: true, gpus: UP, actions: QUARANTINED, ageMs });
    const fleet = playFiring(planOf(), [aged(0), aged(2 * MINUTE), aged(2 * MINUTE + 1)]);
    expect(ticksOf(fleet)).toBe('d2u1');
  });
});

describe('an alert about nobody', () => {
  it('is kept as evidence and changes nothing', () => {
    const fleet = playFiring(
      planOf(),
      firingTimes(3, UP, [
        ['quarantine', 'z/9'],
        ['quarantine', 'z'],
      ]),
    );
    expect(['a/0', 'b/0', 'c/0'].map((id) => ticksOf(fleet, id))).toEqual(['u3', 'u3', 'u3']);
    expect(fleet.state.actions.all.map(({ gpu, node, ignored }) => [gpu, node, ignored])).toEqual([
      [undefined, 'z', 'unknown'],
      ['z/9', undefined, 'unknown'],
    ]);
  });

  it('takes effect from the tick on at which its GPU is known', () => {
    const late = firingTimes(2, { ...UP, 'z/9': 'up' }, [['quarantine', 'z/9']]);
    const fleet = playFiring(planOf(), [...firingTimes(2, UP, [['quarantine', 'z/9']]), ...late]);
    expect(ticksOf(fleet, 'z/9')).toBe('d2');
  });
});

describe('the guard', () => {
  const rush = [
    ['quarantine', 'a/0'],
    ['preempt', 'b/0'],
  ] as const;

  it('holds back a rush on most nodes, says so, and lets the rest take effect when it ends', () => {
    const fleet = playFiring(planOf(), [...firingTimes(2, UP), ...firingTimes(2, UP, rush)]);
    expect([ticksOf(fleet), fleet.state.actions.all.map(({ ignored }) => ignored)]).toEqual(['u4', ['guard', 'guard']]);
    const [capability] = fleet.plan.capabilities;
    const question = { name: 'default', capability, subject: FLEET, nowMs: fleet.state.tickMs ?? 0, holds: [] };
    expect(explain(fleet.plan, fleet.state, question).reason).toMatch(
      /; held back: GpuEccUncorrectable fires on a\/0 since \S+, GpuPowerCritical fires on b\/0 since \S+; most nodes are affected together, so the observer is suspected$/,
    );
    playFiring(fleet.plan, firingTimes(2, UP, QUARANTINED), fleet.state);
    expect(ticksOf(fleet)).toBe('u4d2');
  });

  it('keeps what was in effect before the rush', () => {
    const fleet = playFiring(planOf(), [...firingTimes(2, UP, QUARANTINED), ...firingTimes(2, UP, rush)]);
    expect(fleet.state.actions.all.map(({ gpu, ignored }) => [gpu, ignored])).toEqual([
      ['a/0', undefined],
      ['b/0', 'guard'],
    ]);
    expect(ticksOf(fleet)).toBe('d4');
  });

  it('does not hold back an action that denies nobody', () => {
    const fleet = playFiring(
      planOf(),
      firingTimes(
        1,
        UP,
        ['a/0', 'b/0', 'c/0'].map((id) => ['throttle', id] as const),
      ),
    );
    expect(fleet.state.actions.all.map(({ ignored }) => ignored)).toEqual([undefined, undefined, undefined]);
  });
});

describe('a checkpoint', () => {
  it('gives the same decision, reason and evidence before the first new tick', () => {
    const { plan, state } = playFiring(planOf(), [
      ...firingTimes(24, UP),
      ...firingTimes(1, UP, [
        ['quarantine', 'a/0'],
        ['throttle', 'b'],
        ['preempt', 'z'],
      ]),
    ]);
    const saved = parseCheckpoint(JSON.parse(JSON.stringify(saveFleet(plan, state))));
    const restored = saved === undefined ? undefined : restoreFleet(plan, saved);
    const nowMs = (state.tickMs ?? 0) + 3000;
    for (const subject of [
      FLEET,
      { level: 'node', id: 'a' },
      { level: 'gpu', id: 'a/0' },
      { level: 'gpu', id: 'b/0' },
    ]) {
      const question = { name: 'x', capability: plan.capabilities[0], subject: subject as Subject, nowMs, holds: [] };
      expect(restored && explain(plan, restored, question)).toEqual(explain(plan, state, question));
    }
    expect(restored?.actions).toEqual({ ...state.actions, placements: restored?.actions.placements });
  });
});

const IDS = ['a/0', 'a/1', 'b/0', 'c/0'] as const;
const anyAction = fc.tuple(fc.constantFrom<Action>(...ACTIONS), fc.constantFrom(...IDS, 'a', 'b', 'z', 'z/1'));
const anyTick = fc.record({
  isWatched: fc.boolean(),
  gpus: fc.record(Object.fromEntries(IDS.map((id) => [id, fc.constantFrom<Shown>('up', 'hot', 'busy', 'gone')]))),
  actions: fc.array(anyAction, { maxLength: 4 }),
});
const SUBJECTS: readonly Subject[] = [
  FLEET,
  ...['a', 'b', 'c'].map((id): Subject => ({ level: 'node', id })),
  ...IDS.map((id): Subject => ({ level: 'gpu', id })),
];

describe('whatever fires', () => {
  it('an action never lets anybody process who otherwise may not', () => {
    fc.assert(
      fc.property(fc.array(anyTick, { minLength: 1, maxLength: 12 }), (ticks) => {
        // The guard over delays would freeze because quarantines lower uptime; at 100 % it never does.
        const { guard } = planOf().policy;
        const plan = planOf({ guard: { ...guard, maxShare: 1 } });
        const withActions = playFiring(plan, ticks);
        const without = playFiring(
          plan,
          ticks.map((tick) => ({ ...tick, actions: [] })),
        );
        const nowMs = (withActions.state.tickMs ?? 0) + 3000;
        for (const subject of SUBJECTS) {
          const question = { name: 'x', capability: plan.capabilities[0], subject, nowMs, holds: [] };
          if (decide(plan, without.state, question).canProcess) continue;
          expect(decide(plan, withActions.state, question).canProcess).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('nobody is denied for an alert that does not name the GPU or its node, and quarantined ticks are down', () => {
    fc.assert(
      fc.property(fc.array(anyTick, { minLength: 1, maxLength: 8 }), (ticks) => {
        const { plan, state } = playFiring(planOf(), ticks);
        const last = ticks.at(-1)?.actions ?? [];
        for (const { gpu, node, tracks } of state.gpus.values()) {
          const question = {
            name: 'x',
            capability: plan.capabilities[0],
            subject: { level: 'gpu', id: gpu } as const,
            nowMs: (state.tickMs ?? 0) + 3000,
            holds: [],
          };
          const { action } = decide(plan, state, question);
          if (action !== undefined)
            expect(last.filter(([, about]) => about === gpu || about === node).map(([name]) => name)).toContain(action);
          const verdict = tracks[0]?.verdict;
          if (verdict?.quarantine !== undefined)
            expect([action, tickStateName(verdict.state)]).toEqual(['quarantine', 'down']);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a tick without alerts leaves nothing of them', () => {
    fc.assert(
      fc.property(fc.array(anyTick, { maxLength: 6 }), (ticks) => {
        const { state } = playFiring(planOf(), [...ticks, ...firingTimes(1, UP)]);
        expect(state.actions.all).toEqual([]);
        expect([...state.gpus.values()].filter(({ tracks }) => tracks[0]?.verdict.quarantine !== undefined)).toEqual(
          [],
        );
      }),
    );
  });
});
