import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import { QueryError, type Sample } from '../../../engine/prometheus/query.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import { FakePrometheus } from './fake-prometheus.ts';
import { FakeWriter } from './fake-writer.ts';
import { MemoryStore } from './memory-store.ts';
import { groups, HOT, hot, ruleEngine, SECOND, SLOT, START, stopAll, until } from './rule-engine.ts';
import { VirtualClock } from './virtual-clock.ts';

afterEach(stopAll);

const HOT_EXPR = 'temperature > 85';
const never = new AbortController().signal;

describe('RuleEvaluator: restart', () => {
  it('goes on as if it had never been away: same alerts, same times, no message more', async () => {
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, () => hot());
    await first.evaluator.start(HOT);
    await until(first, 12);
    await first.evaluator.stop();
    const second = ruleEngine(first);
    await second.evaluator.start(HOT);
    expect(second.evaluator.activeAlerts()).toEqual(first.evaluator.activeAlerts());
    await until(second, 65);
    expect(second.sent).toEqual([]);
    await until(second, 75);
    expect(second.sent.map(({ startsAt }) => startsAt - SLOT)).toEqual([10_000]);
  });

  it('keeps the ActiveAt of a pending alert over a short outage', async () => {
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, () => hot());
    await first.evaluator.start(HOT);
    await until(first, 0);
    await first.evaluator.stop();
    await until(first, 28);
    const second = ruleEngine(first);
    await second.evaluator.start(HOT);
    await until(second, 30);
    expect(second.evaluator.activeAlerts()).toEqual([expect.objectContaining({ state: 'firing', activeAt: SLOT })]);
  });

  const HOUR = 3600;
  it.each([
    ['does not count an outage, however little shorter than its `for`', HOUR, 59 * 60, {}, 59 * 60],
    ['waits at least the grace period', 620, 100, {}, 25 + 100 + 600 - 620],
    ['waits a `for` shorter than the grace period again', 599, 100, {}, 25 + 100 + 5],
    ['waits the rest of it without a grace period', 599, 100, { forGracePeriodMs: 0 }, 100],
    ['waits its `for` again after an outage beyond the tolerance', HOUR, 2 * HOUR, {}, 25 + 2 * HOUR + 5],
    ['goes on after the same with a higher tolerance', HOUR, 2 * HOUR, { forOutageToleranceMs: 1e9 }, 2 * HOUR],
  ])('a pending alert %s', async (_, forSeconds, seconds, options, activeAt) => {
    const rules = groups(
      `groups: [{ name: hot, interval: 5s, rules: [{ alert: Hot, expr: temperature > 85, for: ${forSeconds}s }] }]`,
    );
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, () => hot());
    await first.evaluator.start(rules);
    await until(first, 25);
    // The clock stands still from the last evaluation on: only the outage is under test.
    first.clock.set(SLOT + 25 * SECOND);
    await first.evaluator.stop();
    await until(first, 25 + seconds);
    const second = ruleEngine({ store: first.store, clock: first.clock, prometheus: first.prometheus }, options);
    await second.evaluator.start(rules);
    // A process that dies before it looks has not ended the outage.
    await second.evaluator.stop();
    const third = ruleEngine({ store: first.store, clock: first.clock, prometheus: first.prometheus }, options);
    await third.evaluator.start(rules);
    await until(third, 25 + seconds + 5);
    expect(third.evaluator.activeAlerts()).toEqual([expect.objectContaining({ state: 'pending' })]);
    const [alert] = third.evaluator.activeAlerts();
    expect(((alert?.activeAt ?? 0) - SLOT) / SECOND).toBe(activeAt);
  });

  it('changes nothing for a pending alert in the middle of an outage of Prometheus', async () => {
    const rules = groups(
      'groups: [{ name: hot, interval: 5s, rules: [{ alert: Hot, expr: temperature > 85, for: 1h }] }]',
    );
    const first = ruleEngine();
    const outage = new QueryError('unreachable', 'Prometheus is away');
    first.prometheus.answers.set(HOT_EXPR, (atMs) => (atMs > SLOT + 10_000 ? outage : hot()));
    await first.evaluator.start(rules);
    await until(first, 1800);
    await first.evaluator.stop();
    await until(first, 1830);
    const second = ruleEngine(first);
    await second.evaluator.start(rules);
    expect(second.evaluator.activeAlerts()).toEqual(first.evaluator.activeAlerts());
  });

  it('restores nothing from Prometheus without a tolerance', async () => {
    const rules = groups(
      'groups: [{ name: hot, interval: 5s, rules: [{ alert: Hot, expr: temperature > 85, for: 1h }] }]',
    );
    const asked = async (forOutageToleranceMs: number) => {
      const engine = ruleEngine({}, { forOutageToleranceMs });
      engine.prometheus.answers.set(HOT_EXPR, () => hot());
      const [run] = await engine.evaluator.load(rules);
      await run?.evaluateAt(SLOT, never);
      return engine.prometheus.asked.map(({ expr }) => expr.replace(/\{.*\}/, '')).slice(1);
    };
    expect(await asked(0)).toEqual([]);
    expect(await asked(1)).toEqual(['max(max_over_time(timestamp(ALERTS_FOR_STATE)[1s:1m]))']);
  });

  it.each([
    ['a year that no date has', 1e300],
    ['a fraction', 1.5],
    ['an instant before the epoch', -1],
    ['infinity, as JSON writes it', null],
  ])('starts without an alert that says it fired at %s', async (_, firedAt) => {
    const engine = ruleEngine();
    const [id, labels] = [HOT[0]?.rules[0]?.id ?? '', { alertname: 'Hot' }];
    const alert = { key: '{}', labels, annotations: {}, value: '1', state: 'firing', activeAt: SLOT, firedAt };
    const rule = { name: 'Hot', labels: {}, confirmedAt: START, evaluatedAt: START };
    await engine.store.write('alert', {
      put: [
        { key: id, value: rule },
        { key: `${id} {}`, value: alert },
      ],
    });
    await engine.evaluator.load(HOT);
    expect(engine.problems).toEqual(['1 records of saved alerts cannot be read; the alerts start anew']);
    expect(engine.evaluator.activeAlerts()).toEqual([]);
  });

  it('sends the end of an alert that was over when it came back, and ends its series', async () => {
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, (atMs) => (atMs < SLOT + 60_000 ? hot(Number.POSITIVE_INFINITY) : []));
    await first.evaluator.start(HOT);
    await until(first, 20);
    await first.evaluator.stop();
    await until(first, 78);
    const writer = new FakeWriter();
    const second = ruleEngine({ ...first, writer });
    await second.evaluator.start(HOT);
    await until(second, 80);
    expect(second.sent.map(({ startsAt, endsAt }) => [startsAt - SLOT, endsAt - SLOT])).toEqual([[10_000, 80_000]]);
    expect(writer.lines(SLOT)).toEqual([
      'ALERTS{alertname="Hot",alertstate="firing",gpu="3",severity="critical"} = stale @ 80',
      'ALERTS_FOR_STATE{alertname="Hot",gpu="3",severity="critical"} = stale @ 80',
    ]);
  });

  it('comes back to a clock that was set back while it was away', async () => {
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, () => hot());
    await first.evaluator.start(HOT);
    await until(first, 20);
    await first.evaluator.stop();
    first.clock.set(SLOT - 3600 * SECOND);
    const second = ruleEngine(first);
    await second.evaluator.start(HOT);
    await until(second, -3595);
    expect(second.evaluator.activeAlerts()).toEqual([
      expect.objectContaining({ state: 'firing', activeAt: SLOT - 3620_000, firedAt: SLOT - 3610_000 }),
    ]);
  });

  it('starts without records it cannot read, deletes them, and says so', async () => {
    const engine = ruleEngine();
    const id = HOT[0]?.rules[0]?.id ?? '';
    await engine.store.write('alert', {
      put: [
        { key: id, value: { alerts: 'none' } },
        { key: `${id} {}`, value: 7 },
      ],
    });
    await engine.evaluator.load(HOT);
    expect(engine.problems).toEqual(['2 records of saved alerts cannot be read; the alerts start anew']);
    expect(engine.evaluator.activeAlerts()).toEqual([]);
    expect(await engine.store.list('alert')).toEqual([]);
  });

  it('evaluates on when the store fails, says so once, and saves everything when it is back', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    await engine.evaluator.start(HOT);
    engine.store.failure = new Error('disk full');
    await until(engine, 20);
    expect(engine.sent).toHaveLength(1);
    expect(engine.problems).toEqual(['the alerts of rule Hot could not be saved, a restart may lose them: disk full']);
    expect(engine.evaluator.saves().failed).toBeGreaterThan(0);
    engine.store.failure = undefined;
    await until(engine, 25);
    const again = ruleEngine(engine);
    await again.evaluator.load(HOT);
    expect(again.evaluator.activeAlerts()).toEqual(engine.evaluator.activeAlerts());
  });

  it('writes nothing for rules without alerts, only what has changed otherwise, and deletes what is forgotten', async () => {
    const engine = ruleEngine();
    const puts = () => engine.store.puts.splice(0);
    engine.prometheus.answers.set(HOT_EXPR, (atMs) => (atMs < SLOT || atMs > SLOT + 20_000 ? [] : hot()));
    const [run] = await engine.evaluator.load(HOT);
    await run?.evaluateAt(SLOT - 5000, never);
    expect([engine.store.writes, puts()]).toEqual([0, []]);
    await run?.evaluateAt(SLOT, never);
    const [rule, alert] = puts();
    expect(alert).toMatch(new RegExp(`^${rule} `));
    await run?.evaluateAt(SLOT + 5000, never);
    expect(puts()).toEqual([rule]);
    await run?.evaluateAt(SLOT + 10_000, never);
    expect(puts()).toEqual([rule, alert]);
    await run?.evaluateAt(SLOT + 25_000, never);
    expect(puts()).toEqual([rule, alert]);
    await run?.evaluateAt(SLOT + 30_000 + 15 * 60_000, never);
    expect(await engine.store.list('alert')).toEqual([]);
  });

  it('finds the alerts of a rule that was moved to another file and group meanwhile, or given another threshold', async () => {
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, () => hot());
    await first.evaluator.start(HOT);
    await until(first, 10);
    await first.evaluator.stop();
    const expected = first.evaluator.activeAlerts().map(({ ruleId: _, ...alert }) => alert);
    const [group] = HOT;
    const moved = group === undefined ? [] : [{ ...group, file: 'other.yml', name: 'other' }];
    const second = ruleEngine({ store: first.store, clock: first.clock });
    await second.evaluator.load(moved);
    expect(second.evaluator.activeAlerts().map(({ ruleId: _, ...alert }) => alert)).toEqual(expected);
    const edited = groups(`
groups:
  - { name: hot, rules: [{ alert: Hot, expr: temperature > 80, labels: { severity: critical } }] }
`);
    const third = ruleEngine({ store: first.store, clock: first.clock });
    await third.evaluator.load(edited);
    expect(third.evaluator.activeAlerts().map(({ ruleId: _, ...alert }) => alert)).toEqual(expected);
    const keys = (await first.store.list('alert')).map(({ key }) => key.split(' ')[0]);
    expect(new Set(keys)).toEqual(new Set([edited[0]?.rules[0]?.id]));
  });
});

const RULES = groups(`
groups:
  - name: both
    interval: 30s
    rules:
      - { alert: Quick, expr: q, keep_firing_for: 1m, annotations: { summary: '{{ $value }}' } }
      - { alert: Slow, expr: s, for: 90s, labels: { node: '{{ $labels.gpu }}' } }
`);

type Answers = Readonly<Record<'q' | 's', readonly Sample[] | QueryError>>;

const anyAnswer = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(fc.record({ gpu: fc.constantFrom('0', '1', '2'), value: fc.integer({ min: 0, max: 2 }) }), {
        maxLength: 3,
      })
      .map((elements) => {
        const byGpu = new Map(elements.map(({ gpu, value }) => [gpu, value]));
        return [...byGpu].map(([gpu, value]) => ({ labels: { gpu }, value }));
      }),
  },
  { weight: 1, arbitrary: fc.constant(new QueryError('unreachable', 'Prometheus is away')) },
);
const anyHistory = fc.array(fc.record({ q: anyAnswer, s: anyAnswer }), { minLength: 2, maxLength: 40 });

const INTERVAL = 30_000;

/** Alerts after every evaluation, and every message with its evaluation; a new process before each index of `restarts`. */
async function live(history: readonly Answers[], restarts: ReadonlySet<number>) {
  const [store, prometheus, clock] = [new MemoryStore(), new FakePrometheus(), new VirtualClock(START)];
  const shown: unknown[] = [];
  const sent: { readonly at: number; readonly message: AlertMessage }[] = [];
  let at = 0;
  const open = async () => {
    const sink = {
      send: (messages: readonly AlertMessage[]) => sent.push(...messages.map((message) => ({ at, message }))),
    };
    const ports = { query: prometheus, writer: undefined, store, sink, now: clock.now, sleep: clock.sleep };
    const evaluator = new RuleEvaluator({ ...ports, onProblem: (problem) => expect.fail(problem) });
    return { evaluator, runs: await evaluator.load(RULES) };
  };
  let engine = await open();
  for (const [index, answers] of history.entries()) {
    at = SLOT + index * INTERVAL;
    clock.set(at);
    if (restarts.has(index)) {
      await engine.evaluator.stop();
      engine = await open();
    }
    for (const name of ['q', 's'] as const) prometheus.answers.set(name, () => answers[name] as Sample[]);
    await engine.runs[0]?.evaluateAt(at, never);
    // The store keeps no order among alerts.
    shown.push(engine.evaluator.activeAlerts().toSorted(byFingerprint));
  }
  return { shown, sent: sent.toSorted((a, b) => a.at - b.at || (a.message.key < b.message.key ? -1 : 1)) };
}

function byFingerprint(a: { readonly fingerprint: string }, b: { readonly fingerprint: string }): number {
  return a.fingerprint < b.fingerprint ? -1 : 1;
}

describe('a restart', () => {
  it('before any evaluation changes nothing: the same alerts and the same messages', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyHistory,
        fc.uniqueArray(fc.nat(39), { minLength: 1, maxLength: 5 }),
        async (history, restarts) => {
          expect(await live(history, new Set(restarts))).toEqual(await live(history, new Set()));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a kill', () => {
  it('after any evaluation changes no alert, and sends nothing but what had just been sent', async () => {
    const first = ruleEngine();
    first.prometheus.answers.set(HOT_EXPR, () => hot());
    const [run] = await first.evaluator.load(HOT);
    for (let second = 0; second <= 10; second += 5) {
      first.clock.set(SLOT + second * SECOND);
      await run?.evaluateAt(first.clock.now(), never);
    }
    expect(first.sent).toHaveLength(1);
    const second = ruleEngine({ ...first, store: first.store.copy() });
    const [again] = await second.evaluator.load(HOT);
    expect(second.evaluator.activeAlerts()).toEqual(first.evaluator.activeAlerts());
    await again?.evaluateAt(SLOT + 15 * SECOND, never);
    expect(second.sent.map(({ key, startsAt }) => [key, startsAt])).toEqual(
      first.sent.map(({ key, startsAt }) => [key, startsAt]),
    );
  });
});
