import { describe, expect, it } from 'vitest';
import { decide, type Question } from '../../../engine/core/decision.ts';
import { clearsAtIfHealthy, explain } from '../../../engine/core/explain.ts';
import type { Hold } from '../../../engine/core/hold.ts';
import type { Policy } from '../../../engine/core/policy.ts';
import { FLEET, type Subject } from '../../../engine/core/subject.ts';
import { capability, MINUTE, type Played, planOf, play, SECOND, type TickShown, times } from './fixtures.ts';

const HEALTHY = times(24, { 'a/0': 'up', 'a/1': 'up' });
const NODE: Subject = { level: 'node', id: 'a' };

function played(ticks: readonly TickShown[], change: Partial<Policy> = {}): Played {
  return play(planOf(change), ticks);
}

function ask({ plan, state }: Played, sinceTickMs: number, change: Partial<Question> = {}): Question {
  const [capability] = plan.capabilities;
  return { name: 'default', capability, subject: NODE, nowMs: (state.tickMs ?? 0) + sinceTickMs, holds: [], ...change };
}

function outcome(fleet: Played, sinceTickMs: number, change: Partial<Question> = {}) {
  const { canProcess, waitMs, basis } = decide(fleet.plan, fleet.state, ask(fleet, sinceTickMs, change));
  return [canProcess, waitMs / SECOND, basis.kind];
}

describe('decide', () => {
  const bad = played([...HEALTHY, ...times(1, { 'a/0': 'hot', 'a/1': 'up' })]);

  it('allows a healthy subject', () => {
    expect(outcome(played(HEALTHY), 3 * SECOND)).toEqual([true, 0, 'clear']);
  });

  it('allows while nothing is known yet', () => {
    expect(outcome(played(times(2, { 'a/0': 'up' })), 3 * SECOND)).toEqual([true, 0, 'clear']);
  });

  it('counts down the 300 s of the first failure', () => {
    expect(outcome(bad, 3 * SECOND)).toEqual([false, 297, 'delayed']);
    expect(outcome(bad, 13 * SECOND)).toEqual([false, 287, 'delayed']);
  });

  it('changes nothing, however often it is asked', () => {
    const before = JSON.stringify([...bad.state.episodes]);
    for (let i = 0; i < 100; i++) decide(bad.plan, bad.state, ask(bad, 3 * SECOND));
    expect(JSON.stringify([...bad.state.episodes])).toBe(before);
  });

  it('stays shut between the end of one delay and the tick that starts the next', () => {
    const low = played([...HEALTHY, ...times(30, { 'a/0': 'hot', 'a/1': 'up' })]);
    expect(outcome(low, 11 * SECOND)).toEqual([false, 1, 'delay_over']);
  });

  it('opens after a delay when nothing has been observed since', () => {
    const unwatched = played([...HEALTHY, ...times(1, { 'a/0': 'hot' }), ...times(30, {}, false)]);
    expect(outcome(unwatched, 3 * SECOND)).toEqual([true, 0, 'delay_over']);
  });

  it.each([
    ['allow', 6 * MINUTE, [true, 0, 'stale']],
    ['deny', 6 * MINUTE, [false, 10, 'stale']],
    ['last', 6 * MINUTE, [false, 12, 'delay_over']],
    ['deny', 4 * MINUTE, [false, 60, 'delayed']],
  ] as const)('with on_stale %s, %i ms after the newest tick', (onStale, ageMs, expected) => {
    const stale = played([...HEALTHY, ...times(1, { 'a/0': 'hot' })], {
      stale: { maxStalenessMs: 5 * MINUTE, onStale },
    });
    const [canProcess, wait, kind] = outcome(stale, ageMs);
    expect([canProcess, kind]).toEqual([expected[0], expected[2]]);
    if (onStale !== 'last') expect(wait).toBe(expected[1]);
  });

  it('marks answers stale once more than two ticks are missing', () => {
    const isStale = (ms: number) => decide(bad.plan, bad.state, ask(bad, ms)).isStale;
    expect([isStale(32 * SECOND), isStale(33 * SECOND)]).toEqual([false, true]);
  });

  it('answers by on_stale before the first tick', () => {
    expect(outcome(played([], { stale: { maxStalenessMs: MINUTE, onStale: 'deny' } }), 0)).toEqual([
      false,
      10,
      'stale',
    ]);
  });
});

describe('a capability that some GPUs may not serve', () => {
  const big = capability('llm-70b', { gpus: { gpu: '1' } });
  const fleet = play(
    planOf({ capabilities: [capability('default'), big] }),
    times(24, { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up' }),
  );
  const served = fleet.plan.capabilities.find(({ name }) => name === 'llm-70b') ?? fleet.plan.capabilities[0];
  const about = (subject: Subject) => outcome(fleet, 3 * SECOND, { name: 'llm-70b', capability: served, subject });

  it.each<[Subject, unknown[]]>([
    [FLEET, [true, 0, 'clear']],
    [NODE, [true, 0, 'clear']],
    [{ level: 'gpu', id: 'a/1' }, [true, 0, 'clear']],
    [{ level: 'gpu', id: 'a/0' }, [false, 60, 'not_served']],
    [{ level: 'node', id: 'b' }, [false, 60, 'not_served']],
  ])('%j', (subject, expected) => {
    expect(about(subject)).toEqual(expected);
  });

  it('says so', () => {
    const question = ask(fleet, 0, { name: 'llm-70b', capability: served, subject: { level: 'node', id: 'b' } });
    expect(explain(fleet.plan, fleet.state, question).reason).toBe('No GPU of node b may serve llm-70b');
  });
});

describe('operator holds', () => {
  const bad = played([...HEALTHY, ...times(1, { 'a/0': 'hot', 'a/1': 'up' })]);
  const nowMs = (bad.state.tickMs ?? 0) + 3 * SECOND;
  const hold = (change: Partial<Hold>): Hold => ({
    id: 'h1',
    subject: NODE,
    effect: 'allow',
    owner: 'ops',
    reason: 'swapped the fan',
    createdAtMs: nowMs,
    expiresAtMs: nowMs + MINUTE,
    ...change,
  });
  const decided = (holds: readonly Hold[], subject: Subject = NODE) =>
    outcome(bad, 3 * SECOND, { name: 'any-name', holds, subject });

  it.each<[string, readonly Hold[], Subject, unknown[]]>([
    ['allow outranks a delay', [hold({})], NODE, [true, 0, 'hold']],
    ['deny outranks health', [hold({ effect: 'deny' })], { level: 'gpu', id: 'a/1' }, [false, 60, 'hold']],
    ['a hold on the fleet reaches its nodes', [hold({ subject: FLEET })], NODE, [true, 0, 'hold']],
    ['a hold on a node does not reach the fleet', [hold({})], FLEET, [false, 297, 'delayed']],
    [
      'the more specific hold wins',
      [hold({ effect: 'deny' }), hold({ subject: { level: 'gpu', id: 'a/0' } })],
      { level: 'gpu', id: 'a/0' },
      [true, 0, 'hold'],
    ],
    [
      'of two equally specific ones deny wins',
      [hold({}), hold({ id: 'h2', effect: 'deny' })],
      NODE,
      [false, 60, 'hold'],
    ],
    ['an expired hold is nothing', [hold({ expiresAtMs: nowMs })], NODE, [false, 297, 'delayed']],
    [
      'a hold on the capability as asked for, though the policy does not list it',
      [hold({ capability: 'any-name' })],
      NODE,
      [true, 0, 'hold'],
    ],
    [
      'a hold on default reaches names that the policy does not list',
      [hold({ capability: 'default' })],
      NODE,
      [true, 0, 'hold'],
    ],
    ['a hold on another capability is nothing', [hold({ capability: 'llm-70b' })], NODE, [false, 297, 'delayed']],
  ])('%s', (_, holds, subject, expected) => {
    expect(decided(holds, subject)).toEqual(expected);
  });
});

describe('explain', () => {
  it('names windows, observed values, since when, and when it clears', () => {
    const bad = played([...HEALTHY, ...times(1, { 'a/0': 'hot', 'a/1': 'up' })]);
    const { plan, state } = bad;
    const tickMs = state.tickMs ?? 0;
    const answer = explain(plan, state, ask(bad, 3 * SECOND));
    expect(answer.reason).toBe(
      'Low uptime detected: short-term: 91.6% < 99%, medium-term: 95.8% < 99%, long-term: 97.9% < 99%',
    );
    expect(answer.causes).toEqual([
      {
        gpu: 'a/0',
        node: 'a',
        labels: { gpu: '0', modelName: 'NVIDIA A100' },
        state: 'down',
        reason: 'temperature 91 °C > 85 °C',
        sinceMs: tickMs,
      },
    ]);
    expect(answer).toMatchObject({
      status: 'unhealthy',
      multiplier: 10,
      delayMs: 300_000,
      affectedGpus: 1,
      gpus: 2,
    });
    expect(clearsAtIfHealthy(plan, state, ask(bad, 3 * SECOND))).toBe(tickMs + 240_000);
    expect(answer.id).toBe(`test00000000.${tickMs / 1000}.default.node.a`);
  });

  it.each<[string, readonly TickShown[], number, string]>([
    ['healthy', HEALTHY, 3, 'Every window with enough data meets its threshold'],
    [
      'young',
      times(2, { 'a/0': 'up' }),
      3,
      'Not enough data yet: no window has 50% of its ticks observed, the best has 33%',
    ],
    ['stale', HEALTHY, 360, 'The newest judged tick is 360 s old (limit 300 s); on_stale: allow'],
    [
      'blind',
      [...HEALTHY, ...times(1, { 'a/0': 'hot' }), ...times(24, {}, false)],
      3,
      'Low uptime detected earlier; too little has been observed since to call it recovered',
    ],
  ])('%s', (_, ticks, seconds, reason) => {
    const fleet = played(ticks);
    expect(explain(fleet.plan, fleet.state, ask(fleet, seconds * SECOND)).reason).toBe(reason);
  });

  it('says why a missing GPU is not up', () => {
    const lost = played([...HEALTHY, ...times(1, { 'a/0': 'gone', 'a/1': 'busy' })]);
    const reasons = explain(lost.plan, lost.state, ask(lost, 3 * SECOND)).causes.map(({ gpu, reason }) => [
      gpu,
      reason,
    ]);
    expect(reasons).toEqual([
      ['a/0', 'no fresh sample'],
      ['a/1', 'gpu_utilization 99% > 95%'],
    ]);
  });
});
