import { afterEach, describe, expect, it } from 'vitest';
import { groups, HOT, hot, type RuleEngine, ruleEngine, SECOND, SLOT, stopAll, until } from './rule-engine.ts';

afterEach(stopAll);

const HOT_EXPR = 'temperature > 85';
const COLD = groups(
  'groups: [{ name: cold, interval: 5s, rules: [{ alert: Cold, expr: temperature < 5 }, { record: cold, expr: c }] }]',
);

const RELOAD = ({ evaluator }: RuleEngine) => evaluator.reload(COLD);
const START_HOT = ({ evaluator }: RuleEngine) => evaluator.start(HOT);

describe('RuleEvaluator: reload', () => {
  it('keeps the alerts of rules that stay, and forgets those of rules that go', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    engine.prometheus.answers.set('temperature < 5', () => hot(4));
    await engine.evaluator.start([...HOT, ...COLD]);
    await until(engine, 20);
    const before = engine.evaluator.activeAlerts().filter(({ name }) => name === 'Hot');
    await engine.evaluator.reload(HOT);
    await until(engine, 40);
    expect(engine.evaluator.activeAlerts()).toEqual(before);
    const ids = (await engine.store.list('alert')).map(({ key }) => key.split(' ')[0]);
    expect(new Set(ids)).toEqual(new Set([HOT[0]?.rules[0]?.id]));
  });

  it('leaves a group that has not changed alone: no slot missed, none twice, its figures and log kept', async () => {
    const engine = ruleEngine();
    await engine.evaluator.start(HOT);
    await until(engine, 10);
    await engine.evaluator.reload([...structuredCopy(), ...COLD]);
    await until(engine, 20);
    const asked = engine.prometheus.asked.filter(({ expr }) => expr === HOT_EXPR);
    expect(asked.map(({ atMs }) => (atMs - SLOT) / SECOND)).toEqual([0, 5, 10, 15, 20]);
    expect(engine.evaluator.groups()[0]).toMatchObject({ evaluations: 5, missed: 0 });
    expect(engine.evaluator.groups()[0]?.rules[0]?.evaluations).toHaveLength(5);
  });

  it('lets a rule that is being evaluated finish, and starts no other of its group', async () => {
    const two = groups('groups: [{ name: g, interval: 5s, rules: [{ alert: A, expr: a }, { alert: B, expr: b }] }]');
    const engine = ruleEngine();
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof hot>>();
    engine.prometheus.answers.set('a', () => promise);
    await engine.evaluator.start(two);
    await engine.clock.advance(5 * SECOND);
    const reloaded = engine.evaluator.reload(
      groups('groups: [{ name: g, interval: 5s, limit: 9, rules: [{ alert: A, expr: a }] }]'),
    );
    await engine.clock.advance(0);
    resolve(hot());
    await reloaded;
    expect(engine.evaluator.activeAlerts().map(({ name }) => name)).toEqual(['A']);
    expect(engine.prometheus.asked.map(({ expr }) => expr)).toEqual(['a']);
  });

  it.each([
    ['another group and file', 'other', 'temperature > 85', 10],
    ['another expression', 'hot', 'temperature > 80', 10],
  ])('keeps the alerts of a rule that was given %s', async (_, name, expr, firedAt) => {
    const engine = ruleEngine();
    for (const of of [HOT_EXPR, expr]) engine.prometheus.answers.set(of, () => hot());
    await engine.evaluator.start(HOT);
    await until(engine, 12);
    await engine.evaluator.reload(
      groups(`
groups:
  - name: ${name}
    interval: 5s
    rules: [{ alert: Hot, expr: ${expr}, for: 10s, labels: { severity: critical }, annotations: { summary: new } }]
`),
    );
    await engine.clock.advance(10 * SECOND);
    expect(engine.evaluator.activeAlerts()).toEqual([
      expect.objectContaining({ state: 'firing', firedAt: SLOT + firedAt * SECOND, annotations: { summary: 'new' } }),
    ]);
    expect(engine.writer?.lines(SLOT).filter((line) => line.includes('firing') && line.includes('stale'))).toEqual([]);
  });

  it('follows a raised `for` and what the policy and the external labels say from then on', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    await engine.evaluator.start(HOT);
    await until(engine, 10);
    const raised = groups(`
groups:
  - name: hot
    interval: 5s
    rules:
      - alert: Hot
        expr: temperature > 85
        for: 1m
        labels: { severity: critical }
        annotations: { cluster: '{{ $externalLabels.cluster }}' }
`);
    await engine.evaluator.reload(raised, { reactions: {}, externalLabels: { cluster: 'west' } });
    await until(engine, 15);
    expect(engine.evaluator.activeAlerts()).toEqual([
      expect.objectContaining({ state: 'pending', activeAt: SLOT, annotations: { cluster: 'west' } }),
    ]);
    await engine.evaluator.reload(raised, { reactions: {}, externalLabels: { cluster: 'east' } });
    await until(engine, 20);
    expect(engine.evaluator.activeAlerts()[0]?.annotations).toEqual({ cluster: 'east' });
  });

  it('ends the series of a removed rule with the next evaluation, those of a removed group two intervals later', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set('c', () => [{ labels: { gpu: '3' }, value: 4 }]);
    engine.prometheus.answers.set('temperature < 5', () => hot(4));
    await engine.evaluator.start([...HOT, ...COLD]);
    await until(engine, 5);
    engine.writer?.writes.splice(0);
    const less = groups('groups: [{ name: cold, interval: 5s, rules: [{ record: cold, expr: c }] }]');
    await engine.evaluator.reload([...HOT, ...less]);
    await engine.clock.advance(5 * SECOND);
    const ended = () => engine.writer?.lines(SLOT).flatMap((line) => line.match(/^(\w+).*stale/)?.slice(1) ?? []);
    expect(ended()).toEqual(['ALERTS', 'ALERTS_FOR_STATE']);
    const removedAt = (engine.clock.now() - SLOT) / SECOND;
    await engine.evaluator.reload(HOT);
    await engine.clock.advance(9 * SECOND);
    expect(ended()).toHaveLength(2);
    await engine.clock.advance(SECOND);
    expect(engine.writer?.lines(SLOT).at(-1)).toBe(`cold{gpu="3"} = stale @ ${removedAt}`);
  });

  it.each([
    ['before the start', [RELOAD, START_HOT]],
    ['during it', [START_HOT, RELOAD]],
  ])('%s leaves the loops of the newest rules only', async (_, calls) => {
    const engine = ruleEngine();
    const list = engine.store.list.bind(engine.store);
    // A store on a disk takes its time, and nobody waits for it.
    engine.store.list = (kind) => new Promise((resolve) => setImmediate(() => resolve(list(kind))));
    await Promise.all(calls.map((call) => call(engine)));
    expect(engine.evaluator.groups().map(({ name }) => name)).toEqual(['cold']);
    await engine.clock.advance(10 * SECOND);
    expect(engine.prometheus.asked.map(({ expr }) => expr)).toEqual(['temperature < 5', 'c', 'temperature < 5', 'c']);
  });

  it('does not wait for a start, which takes up the saved alerts for the newest rules', async () => {
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, () => hot());
    await first.evaluator.start(HOT);
    await until(first, 10);
    await first.evaluator.stop();
    const second = ruleEngine(first);
    await second.evaluator.reload(HOT);
    expect(second.evaluator.groups()).toEqual([]);
    await second.evaluator.start(COLD);
    expect(second.evaluator.activeAlerts()).toEqual(first.evaluator.activeAlerts());
    expect(second.evaluator.activeAlerts()).toHaveLength(1);
  });

  it('does nothing after a start that could not read the alerts', async () => {
    const engine = ruleEngine();
    engine.store.failure = new Error('no such disk');
    const started = engine.evaluator.start(HOT);
    const reloaded = engine.evaluator.reload(HOT);
    await expect(started).rejects.toThrow('no such disk');
    await reloaded;
    expect(engine.evaluator.groups()).toEqual([]);
  });

  it('goes on after one that failed', async () => {
    const engine = ruleEngine();
    await engine.evaluator.start(HOT);
    await expect(engine.evaluator.reload(null as never)).rejects.toThrow(TypeError);
    await engine.evaluator.reload(COLD);
    expect(engine.evaluator.groups().map(({ name }) => name)).toEqual(['cold']);
  });

  it('takes two reloads at once one after the other, and none after the stop', async () => {
    const engine = ruleEngine();
    await engine.evaluator.start(HOT);
    await Promise.all([engine.evaluator.reload(COLD), engine.evaluator.reload(HOT)]);
    await engine.clock.advance(5 * SECOND);
    expect(engine.prometheus.asked.map(({ expr }) => expr)).toEqual([HOT_EXPR]);
    await engine.evaluator.stop();
    await engine.evaluator.reload(HOT);
    engine.prometheus.asked.length = 0;
    await engine.clock.advance(60 * SECOND);
    expect(engine.prometheus.asked).toEqual([]);
  });
});

it('RuleEvaluator: start works once', async () => {
  const engine = ruleEngine();
  await engine.evaluator.start(HOT);
  await expect(engine.evaluator.start(HOT)).rejects.toThrow('the evaluation of rules has been started before');
  await until(engine, 5);
  expect(engine.prometheus.asked).toHaveLength(2);
});

/** The same groups read from the file anew. */
function structuredCopy() {
  return groups(`
groups:
  - name: hot
    interval: 5s
    rules:
      - alert: Hot
        expr: temperature > 85
        for: 10s
        labels: { severity: critical }
        annotations: { summary: '{{ $value }} °C' }
`);
}
