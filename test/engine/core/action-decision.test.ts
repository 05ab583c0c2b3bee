import { describe, expect, it } from 'vitest';
import type { Action } from '../../../engine/core/action.ts';
import { withLiveAlerts } from '../../../engine/core/action-state.ts';
import { decide, type Question } from '../../../engine/core/decision.ts';
import { explain } from '../../../engine/core/explain.ts';
import { FLEET, type Subject } from '../../../engine/core/subject.ts';
import { fired, firingTimes, playFiring } from './firing.ts';
import { capability, MINUTE, type Played, planOf, SECOND, START_MS, type TickShown } from './fixtures.ts';

const UP = { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up' } as const;
const NODE_A: Subject = { level: 'node', id: 'a' };
const gpu = (id: string): Subject => ({ level: 'gpu', id });

/** 24 healthy ticks, then one with alerts; 10 s later the next one is due. */
function at(actions: readonly (readonly [Action, string])[], gpus: TickShown['gpus'] = UP, plan = planOf()): Played {
  return playFiring(plan, [...firingTimes(24, UP), ...firingTimes(1, gpus, actions)]);
}

const SINCE = '2023-11-14T22:17:20Z';

function ask({ plan, state }: Played, subject: Subject, change: Partial<Question> = {}): Question {
  const [first] = plan.capabilities;
  return { name: 'default', capability: first, subject, nowMs: (state.tickMs ?? 0) + 3 * SECOND, holds: [], ...change };
}

function told(fleet: Played, subject: Subject, change: Partial<Question> = {}) {
  const { outcome, reason } = explain(fleet.plan, fleet.state, ask(fleet, subject, change));
  return [outcome.canProcess, outcome.waitMs / SECOND, outcome.basis.kind, outcome.action, reason];
}

const CLEAR = 'Every window with enough data meets its threshold';

describe('an action on one GPU', () => {
  it.each<[Action, unknown[]]>([
    ['notify', [true, 0, 'clear', 'notify', CLEAR]],
    ['throttle', [true, 0, 'clear', 'throttle', `${CLEAR}; throttled: GpuThermalCritical fires on a/0 since ${SINCE}`]],
    ['preempt', [false, 9, 'preempted', 'preempt', `Preempted: GpuPowerCritical fires on a/0 since ${SINCE}`]],
    [
      'quarantine',
      [false, 297, 'quarantined', 'quarantine', `Quarantined: GpuEccUncorrectable fires on a/0 since ${SINCE}`],
    ],
  ])('%s', (action, expected) => {
    expect(told(at([[action, 'a/0']]), gpu('a/0'))).toEqual(expected);
  });

  it('leaves the GPU beside it alone', () => {
    expect(told(at([['preempt', 'a/0']]), gpu('a/1'))).toEqual([true, 0, 'clear', undefined, CLEAR]);
  });

  it('is the strictest of several, its own and those of its node', () => {
    const strictest = (actions: readonly (readonly [Action, string])[]) => told(at(actions), gpu('a/0'))[3];
    expect(
      strictest([
        ['throttle', 'a/0'],
        ['preempt', 'a/0'],
      ]),
    ).toBe('preempt');
    expect(
      strictest([
        ['throttle', 'a/0'],
        ['quarantine', 'a'],
      ]),
    ).toBe('quarantine');
    expect(
      strictest([
        ['preempt', 'a/0'],
        ['throttle', 'a'],
      ]),
    ).toBe('preempt');
    expect(
      strictest([
        ['quarantine', 'a/1'],
        ['throttle', 'a'],
      ]),
    ).toBe('throttle');
  });

  it('makes asking again worth while after the next judged tick, and never sooner than in a second', () => {
    const fleet = at([['preempt', 'a/0']]);
    const wait = (ms: number) =>
      decide(fleet.plan, fleet.state, ask(fleet, gpu('a/0'), { nowMs: fleetMs(fleet) + ms })).waitMs;
    expect([2000, 3000, 11_000, 11_999, 12_000].map(wait)).toEqual([10_000, 9000, 1000, 1000, 10_000]);
  });
});

function fleetMs({ state }: Played): number {
  return state.tickMs ?? 0;
}

describe('a node or the fleet', () => {
  it('may process while one of its GPUs is free, and says how many are not', () => {
    const fleet = at([['preempt', 'a/0']]);
    const one = 'take no new work: GpuPowerCritical fires on a/0';
    expect(told(fleet, NODE_A)).toEqual([
      true,
      0,
      'clear',
      undefined,
      `${CLEAR}; 1 of 2 GPUs of node a ${one} since ${SINCE}`,
    ]);
    expect(told(fleet, FLEET)[4]).toBe(`${CLEAR}; 1 of 3 GPUs of fleet ${one} since ${SINCE}`);
  });

  it('may not once none is, and says which alerts and why', () => {
    const fleet = at([
      ['preempt', 'a/0'],
      ['quarantine', 'a/1'],
    ]);
    const { outcome, reason, id } = explain(fleet.plan, fleet.state, ask(fleet, NODE_A));
    expect([outcome.canProcess, outcome.basis.kind, outcome.action]).toEqual([false, 'preempted', 'preempt']);
    expect(outcome.placement).toMatchObject({ gpus: 2, throttled: 0, preempted: 1, quarantined: 1 });
    expect(reason).toBe(
      'Preempted: 2 of 2 GPUs of node a take no new work (1 quarantined, 1 preempted): ' +
        `GpuEccUncorrectable fires on a/1 since ${SINCE}, GpuPowerCritical fires on a/0 since ${SINCE}`,
    );
    expect(id).toBe(`test00000000.${fleetMs(fleet) / 1000}.default.node.a.preempted-GpuPowerCritical`);
  });

  it('is reached as a whole by an alert without a GPU', () => {
    const fleet = at([['preempt', 'a']]);
    expect([NODE_A, gpu('a/0'), gpu('a/1'), gpu('b/0'), FLEET].map((subject) => told(fleet, subject)[3])).toEqual([
      'preempt',
      'preempt',
      'preempt',
      undefined,
      undefined,
    ]);
    expect(told(fleet, NODE_A)[4]).toBe(
      `Preempted: 2 of 2 GPUs of node a take no new work: GpuPowerCritical fires on node a since ${SINCE}`,
    );
  });

  it('is asked to throttle only when every GPU is', () => {
    expect(told(at([['throttle', 'a/0']]), NODE_A)[3]).toBeUndefined();
    expect(
      told(
        at([
          ['throttle', 'a/0'],
          ['throttle', 'a/1'],
        ]),
        NODE_A,
      )[3],
    ).toBe('throttle');
  });

  it('counts only the GPUs that serve the capability', () => {
    const plan = planOf({ capabilities: [capability('default'), capability('big', { gpus: { gpu: '1' } })] });
    const fleet = at([['preempt', 'a/1']], UP, plan);
    const big = plan.capabilities.find(({ name }) => name === 'big') ?? plan.capabilities[0];
    expect(told(fleet, FLEET, { name: 'big', capability: big }).slice(0, 4)).toEqual([
      false,
      9,
      'preempted',
      'preempt',
    ]);
    expect(told(fleet, FLEET).slice(0, 4)).toEqual([true, 0, 'clear', undefined]);
    expect(told(fleet, gpu('a/0'), { name: 'big', capability: big })[2]).toBe('not_served');
  });

  it('names three alerts and counts the others', () => {
    const gpus = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`a/${n}`, 'up' as const]));
    const fleet = playFiring(
      planOf(),
      firingTimes(
        2,
        gpus,
        Object.keys(gpus).map((id) => ['preempt', id] as const),
      ),
    );
    expect(told(fleet, NODE_A)[4]).toMatch(
      /^Preempted: 5 of 5 GPUs .+ fires on a\/2 since 2023-11-14T22:13:20Z and 2 more$/,
    );
  });
});

describe('an alert that fires between two ticks', () => {
  const fleet = at([['throttle', 'a/0']]);
  const actions = withLiveAlerts(fleet, [fired('quarantine', 'a/0', fleetMs(fleet) + 2500)]);

  it('denies at once, with the instant at which it fired', () => {
    expect(told(fleet, gpu('a/0'), { actions })).toEqual([
      false,
      9,
      'quarantined',
      'quarantine',
      'Quarantined: GpuEccUncorrectable fires on a/0 since 2023-11-14T22:17:22Z',
    ]);
  });

  it('is the same alert once Prometheus shows it too, since the earlier of both and with its summary', () => {
    const next = playFiring(fleet.plan, firingTimes(1, UP, [['quarantine', 'a/0']]), fleet.state);
    const merged = withLiveAlerts(next, [fired('quarantine', 'a/0', fleetMs(next) - 7500)]);
    expect(merged.all).toEqual([
      {
        action: 'quarantine',
        alert: 'GpuEccUncorrectable',
        gpu: 'a/0',
        node: 'a',
        isKnown: true,
        severity: 'critical',
        summary: 'GpuEccUncorrectable on a/0',
        sinceMs: fleetMs(next) - 7500,
        ignored: undefined,
      },
    ]);
  });
});

describe('what outranks an action', () => {
  const fleet = at([['quarantine', 'a/0']]);
  const hold = {
    id: 'h1',
    effect: 'allow',
    owner: 'ops',
    reason: 'burn-in test',
    subject: gpu('a/0'),
    createdAtMs: 0,
    expiresAtMs: START_MS * 2,
  } as const;

  it('is an operator’s hold; the alert stays in the evidence', () => {
    expect(told(fleet, gpu('a/0'), { holds: [hold] })).toEqual([
      true,
      0,
      'hold',
      undefined,
      'Held by ops: burn-in test',
    ]);
    const { placement } = decide(fleet.plan, fleet.state, ask(fleet, gpu('a/0'), { holds: [hold] }));
    expect(placement?.alerts.map(({ alert }) => alert)).toEqual(['GpuEccUncorrectable']);
  });

  it('is staleness, as for delays', () => {
    const late = { nowMs: fleetMs(fleet) + 6 * MINUTE };
    expect(told(fleet, gpu('a/0'), late).slice(0, 4)).toEqual([true, 0, 'stale', undefined]);
  });
});

describe('the policy section actions', () => {
  it.each<[Action, unknown[]]>([
    ['throttle', [true, 'clear', undefined, CLEAR]],
    ['preempt', [true, 'clear', undefined, CLEAR]],
    ['quarantine', [true, 'clear', undefined, CLEAR]],
  ])('%s: false only shows the alert', (action, expected) => {
    const { policy } = planOf();
    const plan = planOf({ actions: { ...policy.actions, [action]: false } });
    const fleet = at([[action, 'a/0']], UP, plan);
    const [canProcess, , kind, asked, reason] = told(fleet, gpu('a/0'));
    expect([canProcess, kind, asked, reason]).toEqual(expected);
    const { placement } = decide(plan, fleet.state, ask(fleet, gpu('a/0')));
    expect(placement?.alerts).toMatchObject([{ action, ignored: 'policy' }]);
  });
});
