import { afterEach, describe, expect, it } from 'vitest';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import { QueryError } from '../../../engine/prometheus/query.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import type { EvaluatorOptions } from '../../../engine/rules/group-run.ts';
import type { RuleGroup } from '../../../engine/rules/rule.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { FakePrometheus } from './fake-prometheus.ts';
import { MemoryStore } from './memory-store.ts';
import { VirtualClock } from './virtual-clock.ts';

const SECOND = 1000;
const START = Date.UTC(2026, 0, 1, 12, 0, 2);
const SLOT = Date.UTC(2026, 0, 1, 12);

function groups(text: string): readonly RuleGroup[] {
  const loaded = loadRules([{ file: 'rules.yml', text }]);
  expect(loaded.diagnostics).toEqual([]);
  return loaded.groups;
}

const HOT = groups(`
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

interface Engine {
  readonly evaluator: RuleEvaluator;
  readonly prometheus: FakePrometheus;
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
  readonly sent: AlertMessage[];
  readonly problems: string[];
}

const running: RuleEvaluator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((evaluator) => evaluator.stop()));
});

function engine(
  shared: Partial<Pick<Engine, 'store' | 'clock' | 'prometheus'>> = {},
  options: Partial<EvaluatorOptions> = {},
): Engine {
  const { store = new MemoryStore(), clock = new VirtualClock(START), prometheus = new FakePrometheus() } = shared;
  const sent: AlertMessage[] = [];
  const problems: string[] = [];
  const sink = { send: (messages: readonly AlertMessage[]) => void sent.push(...messages) };
  const { now, sleep } = clock;
  const onProblem = (problem: string) => void problems.push(problem);
  const evaluator = new RuleEvaluator({ query: prometheus, store, sink, now, sleep, onProblem }, options);
  running.push(evaluator);
  return { evaluator, prometheus, store, clock, sent, problems };
}

const hot = (value = 90) => [{ labels: { gpu: '3' }, value }];

describe('RuleEvaluator: when it evaluates', () => {
  it('evaluates the slot it starts in, then every slot of the grid', async () => {
    const { evaluator, prometheus, clock } = engine();
    await evaluator.start(HOT);
    await clock.advance(14 * SECOND);
    expect(prometheus.asked.map(({ atMs }) => atMs - SLOT)).toEqual([0, 5000, 10_000, 15_000]);
  });

  it('never overlaps, and counts the slots that a slow query made it miss', async () => {
    const { evaluator, prometheus, clock } = engine();
    prometheus.answers.set('temperature > 85', async (atMs) => {
      if (atMs === SLOT) await clock.sleep(17 * SECOND, new AbortController().signal);
      return [];
    });
    await evaluator.start(HOT);
    await clock.advance(24 * SECOND);
    expect(prometheus.asked.map(({ atMs }) => atMs - SLOT)).toEqual([0, 15_000, 20_000, 25_000]);
    expect(evaluator.groups()).toEqual([
      { file: 'rules.yml', name: 'hot', intervalMs: 5000, evaluations: 4, missed: 2, lastAt: SLOT + 25_000 },
    ]);
  });

  it('evaluates rules in the order of the file, and other groups meanwhile', async () => {
    const rules = groups(`
groups:
  - { name: a, interval: 5s, rules: [{ alert: A1, expr: a1 }, { alert: A2, expr: a2 }] }
  - { name: b, interval: 10s, query_offset: 1s, rules: [{ alert: B, expr: b }] }
`);
    const { evaluator, prometheus, clock } = engine();
    prometheus.answers.set('a1', () => 'hang');
    await evaluator.start(rules);
    await clock.advance(0);
    expect(prometheus.asked).toEqual([
      { expr: 'a1', atMs: SLOT },
      { expr: 'b', atMs: SLOT - 1000 },
    ]);
  });

  it('gives a query that hangs up, and keeps what it knew', async () => {
    const { evaluator, prometheus, clock } = engine({}, { queryTimeoutMs: 20 });
    prometheus.answers.set('temperature > 85', () => 'hang');
    await evaluator.start(HOT);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await clock.advance(0);
    const health = { kind: 'err', at: SLOT, durationMs: 0, message: 'Prometheus did not answer in time' };
    expect(evaluator.rules().map((status) => status.health)).toEqual([health]);
  });
});

describe('RuleEvaluator: alerts', () => {
  it('takes an alert from pending over firing to resolved, and sends it', async () => {
    const { evaluator, prometheus, clock, sent } = engine();
    prometheus.answers.set('temperature > 85', (atMs) => (atMs < SLOT + 20_000 ? hot() : []));
    await evaluator.start(HOT);
    await clock.advance(0);
    const labels = { gpu: '3', severity: 'critical', alertname: 'Hot' };
    const alert = {
      name: 'Hot',
      labels,
      annotations: { summary: '90 °C' },
      value: 90,
      severity: 'critical',
      activeAt: SLOT,
    };
    expect(evaluator.activeAlerts()).toEqual([{ ...alert, state: 'pending', firedAt: undefined }]);
    await clock.advance(10 * SECOND);
    expect(evaluator.activeAlerts()).toEqual([{ ...alert, state: 'firing', firedAt: SLOT + 10_000 }]);
    expect(evaluator.rules()).toEqual([
      expect.objectContaining({ file: 'rules.yml', group: 'hot', pending: 0, firing: 1 }),
    ]);
    await clock.advance(10 * SECOND);
    expect(evaluator.activeAlerts()).toEqual([]);
    expect(sent.map(({ startsAt, endsAt }) => [startsAt - SLOT, endsAt - SLOT])).toEqual([
      [10_000, 10_000 + 240_000],
      [10_000, 20_000],
    ]);
  });

  it('keeps a firing alert through an outage of Prometheus, and says so', async () => {
    const { evaluator, prometheus, clock, sent } = engine();
    const outage = new QueryError('unreachable', 'Prometheus refuses the connection');
    prometheus.answers.set('temperature > 85', (atMs) => (atMs > SLOT + 10_000 ? outage : hot()));
    await evaluator.start(HOT);
    await clock.advance(200 * SECOND);
    expect(evaluator.activeAlerts()).toEqual([expect.objectContaining({ state: 'firing', firedAt: SLOT + 10_000 })]);
    expect(evaluator.rules()[0]?.health).toEqual(expect.objectContaining({ kind: 'err', message: outage.message }));
    expect(sent.map(({ startsAt }) => startsAt - SLOT)).toEqual([10_000, 10_000, 10_000]);
  });
});

describe('RuleEvaluator: restart', () => {
  it('goes on as if it had never been killed: same times, no message more than once a minute', async () => {
    const first = engine();
    first.prometheus.answers.set('temperature > 85', () => hot());
    await first.evaluator.start(HOT);
    await first.clock.advance(20 * SECOND);
    // A kill: nothing is told, the loop just ends.
    await first.evaluator.stop();
    const second = engine(first);
    await second.evaluator.start(HOT);
    await second.clock.advance(40 * SECOND);
    expect(second.evaluator.activeAlerts()).toEqual(first.evaluator.activeAlerts());
    expect(second.sent).toEqual([]);
  });

  it('keeps the ActiveAt of a pending alert over a short outage', async () => {
    const first = engine();
    first.prometheus.answers.set('temperature > 85', () => hot());
    await first.evaluator.start(HOT);
    await first.clock.advance(0);
    await first.evaluator.stop();
    await first.clock.advance(30 * SECOND);
    const second = engine(first);
    await second.evaluator.start(HOT);
    await second.clock.advance(0);
    expect(second.evaluator.activeAlerts()).toEqual([expect.objectContaining({ state: 'firing', activeAt: SLOT })]);
  });

  it('starts a pending alert over when nobody looked for longer than its `for`', async () => {
    const first = engine();
    first.prometheus.answers.set('temperature > 85', () => hot());
    await first.evaluator.start(HOT);
    await first.clock.advance(0);
    await first.evaluator.stop();
    await first.clock.advance(600 * SECOND);
    const second = engine(first);
    await second.evaluator.start(HOT);
    await second.clock.advance(0);
    expect(second.evaluator.activeAlerts()).toEqual([
      expect.objectContaining({ state: 'pending', activeAt: SLOT + 600_000 }),
    ]);
  });

  it('sends the end of an alert that was over when it came back', async () => {
    const first = engine();
    first.prometheus.answers.set('temperature > 85', (atMs) =>
      atMs < SLOT + 60_000 ? hot(Number.POSITIVE_INFINITY) : [],
    );
    await first.evaluator.start(HOT);
    await first.clock.advance(20 * SECOND);
    await first.evaluator.stop();
    await first.clock.advance(60 * SECOND);
    const second = engine(first);
    await second.evaluator.start(HOT);
    await second.clock.advance(0);
    expect(second.sent.map(({ startsAt, endsAt }) => [startsAt - SLOT, endsAt - SLOT])).toEqual([[10_000, 80_000]]);
  });

  it('starts without a record it cannot read, and says which', async () => {
    const { evaluator, store, problems, clock } = engine();
    await store.write('alert', { put: [{ key: HOT[0]?.rules[0]?.id ?? '', value: { alerts: 'none' } }] });
    await evaluator.start(HOT);
    await clock.advance(0);
    expect(problems).toEqual(['the saved alerts of rule Hot cannot be read; the rule starts without them']);
    expect(evaluator.activeAlerts()).toEqual([]);
  });

  it('evaluates on when the store fails, and says so', async () => {
    const { evaluator, prometheus, store, problems, clock, sent } = engine();
    prometheus.answers.set('temperature > 85', () => hot());
    await evaluator.start(HOT);
    store.failure = new Error('disk full');
    await clock.advance(10 * SECOND);
    expect(sent).toHaveLength(1);
    expect(problems[0]).toBe('the alerts of rule Hot could not be saved, a restart may lose them: disk full');
  });

  it('writes nothing for rules without alerts, and deletes the record when the last one is forgotten', async () => {
    const { evaluator, prometheus, store, clock } = engine();
    await evaluator.start(HOT);
    await clock.advance(60 * SECOND);
    expect(store.writes).toBe(0);
    prometheus.answers.set('temperature > 85', (atMs) => (atMs === SLOT + 65_000 ? hot() : []));
    await clock.advance(10 * SECOND);
    expect(store.writes).toBe(2);
    expect(await store.list('alert')).toEqual([]);
  });
});

describe('RuleEvaluator: reload', () => {
  it('keeps the alerts of rules that stay, and forgets those of rules that go', async () => {
    const other = groups('groups: [{ name: other, interval: 5s, rules: [{ alert: Cold, expr: temperature < 5 }] }]');
    const { evaluator, prometheus, store, clock } = engine();
    prometheus.answers.set('temperature > 85', () => hot());
    prometheus.answers.set('temperature < 5', () => hot(4));
    await evaluator.start([...HOT, ...other]);
    await clock.advance(20 * SECOND);
    const before = evaluator.activeAlerts().filter(({ name }) => name === 'Hot');
    await evaluator.reload(HOT);
    await clock.advance(20 * SECOND);
    expect(evaluator.activeAlerts()).toEqual(before);
    expect((await store.list('alert')).map(({ key }) => key)).toEqual([HOT[0]?.rules[0]?.id]);
  });

  it('takes two reloads at once one after the other, and none after the stop', async () => {
    const { evaluator, prometheus, clock } = engine();
    await evaluator.start(HOT);
    await Promise.all([evaluator.reload(HOT), evaluator.reload(HOT)]);
    prometheus.asked.length = 0;
    await clock.advance(5 * SECOND);
    expect(prometheus.asked.map(({ atMs }) => atMs - SLOT)).toEqual([5000]);
    await evaluator.stop();
    await evaluator.reload(HOT);
    prometheus.asked.length = 0;
    await clock.advance(60 * SECOND);
    expect(prometheus.asked).toEqual([]);
  });
});
