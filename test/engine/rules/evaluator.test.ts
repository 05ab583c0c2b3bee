import { afterEach, describe, expect, it } from 'vitest';
import { QueryError } from '../../../engine/prometheus/query.ts';
import { groups, HOT, hot, ruleEngine, SECOND, SLOT, START, stopAll, until } from './rule-engine.ts';

afterEach(stopAll);

const HOT_EXPR = 'temperature > 85';
const instants = (asked: readonly { atMs: number }[]) => asked.map(({ atMs }) => (atMs - SLOT) / SECOND);

describe('RuleEvaluator: when it evaluates', () => {
  it('evaluates at its next slot, then at every slot of the grid', async () => {
    const engine = ruleEngine();
    await engine.evaluator.start(HOT);
    await engine.clock.advance(1.999 * SECOND);
    expect(engine.prometheus.asked).toEqual([]);
    await until(engine, 15);
    expect(instants(engine.prometheus.asked)).toEqual([0, 5, 10, 15]);
  });

  it('evaluates at the same instants wherever within the interval it starts', async () => {
    const first = ruleEngine();
    await first.evaluator.start(HOT);
    await until(first, 3);
    const second = ruleEngine({ clock: first.clock });
    await second.evaluator.start(HOT);
    await until(first, 20);
    expect(instants(first.prometheus.asked)).toEqual([0, 5, 10, 15, 20]);
    expect(instants(second.prometheus.asked)).toEqual([5, 10, 15, 20]);
  });

  it('never overlaps, and counts the slots that a slow query made it miss', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, async (atMs) => {
      if (atMs === SLOT) await engine.clock.sleep(17 * SECOND, new AbortController().signal);
      return [];
    });
    await engine.evaluator.start(HOT);
    await until(engine, 25);
    expect(instants(engine.prometheus.asked)).toEqual([0, 15, 20, 25]);
    expect(engine.evaluator.groups()).toEqual([
      expect.objectContaining({
        file: 'rules.yml',
        name: 'hot',
        intervalMs: 5000,
        evaluations: 4,
        missed: 2,
        failures: 0,
        lastAt: SLOT + 25_000,
        lastDurationMs: 0,
        lastSamples: 0,
      }),
    ]);
  });

  it('evaluates rules in the order of the file, and the groups beside a slow one meanwhile', async () => {
    const rules = groups(`
groups:
  - { name: a, interval: 5s, rules: [{ alert: A1, expr: a1 }, { alert: A2, expr: a2 }] }
  - { name: b, interval: 5s, query_offset: 1s, rules: [{ alert: B1, expr: b1 }, { alert: B2, expr: b2 }] }
`);
    const engine = ruleEngine();
    engine.prometheus.answers.set('a1', () => 'hang');
    await engine.evaluator.start(rules);
    await engine.clock.advance(9.999 * SECOND);
    const asked = engine.prometheus.asked.map(({ expr }) => expr);
    expect(asked.filter((expr) => expr.startsWith('a'))).toEqual(['a1']);
    expect(asked.filter((expr) => expr.startsWith('b'))).toEqual(['b1', 'b2', 'b1', 'b2']);
  });

  it('with one place for all, lets every group have its turn after the timeout of one slow query', async () => {
    const slow = Array.from({ length: 3 }, (_, index) => `{ alert: S${index}, expr: slow${index} }`);
    const rules = groups(`
groups:
  - { name: slow, interval: 5s, rules: [${slow.join(', ')}] }
  - { name: quick, interval: 5s, rules: [{ alert: Quick, expr: quick }] }
`);
    const engine = ruleEngine({}, { groupsAtOnce: 1, queryTimeoutMs: 20 });
    for (const index of slow.keys()) engine.prometheus.answers.set(`slow${index}`, () => 'hang');
    const [slowRun, quickRun] = await engine.evaluator.load(rules);
    const { signal } = new AbortController();
    const order: string[] = [];
    await Promise.all([
      slowRun?.evaluateAt(SLOT, signal).then(() => order.push('slow')),
      quickRun?.evaluateAt(SLOT, signal).then(() => order.push('quick')),
    ]);
    expect(order).toEqual(['quick', 'slow']);
    expect(engine.prometheus.asked.map(({ expr }) => expr)).toEqual(['slow0', 'quick', 'slow1', 'slow2']);
  });

  it('asks a group with an offset for the past, and counts its alerts from the evaluation', async () => {
    const [group] = groups(
      'groups: [{ name: late, interval: 5s, query_offset: 1m, rules: [{ alert: A, expr: a, annotations: { x: "{{ query `b` }}" } }] }]',
    );
    const engine = ruleEngine();
    engine.prometheus.answers.set('a', () => hot());
    const [run] = await engine.evaluator.load(group === undefined ? [] : [group]);
    await run?.evaluateAt(SLOT, new AbortController().signal);
    expect(instants(engine.prometheus.asked)).toEqual([-60, 0]);
    expect(engine.evaluator.activeAlerts()).toEqual([expect.objectContaining({ activeAt: SLOT })]);
    expect(engine.writer?.writes.flat().map(({ samples }) => samples[0]?.atMs)).toEqual([SLOT - 60_000, SLOT - 60_000]);
  });

  it('gives a query that hangs up, and keeps what it knew', async () => {
    const engine = ruleEngine({}, { queryTimeoutMs: 20 });
    engine.prometheus.answers.set(HOT_EXPR, () => 'hang');
    const [run] = await engine.evaluator.load(HOT);
    await run?.evaluateAt(SLOT, new AbortController().signal);
    const error = 'Prometheus did not answer in time';
    expect(engine.evaluator.groups()[0]?.rules).toEqual([
      expect.objectContaining({
        health: 'err',
        lastError: error,
        alerts: [],
        evaluations: [{ at: SLOT, durationMs: 0, samples: 0, error }],
      }),
    ]);
  });
});

const TWO = groups(`
groups:
  - name: two
    interval: 5s
    rules: [{ alert: Hot, expr: temperature > 85 }, { record: rec, expr: r }]
`);
/** What no client should answer: labels are texts. */
const MALFORMED = [{ labels: { gpu: 3 }, value: 1 }] as never;

describe('RuleEvaluator: what nobody has foreseen', () => {
  it('in an answer is an error of that rule, and the group goes on', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    engine.prometheus.answers.set('r', (atMs) => (atMs < SLOT + 15_000 ? MALFORMED : hot()));
    await engine.evaluator.start(TWO);
    await engine.clock.advance(10 * SECOND);
    const health = () => engine.evaluator.groups()[0]?.rules.map((rule) => rule.health);
    expect(health()).toEqual(['ok', 'err']);
    const [lastError] = [engine.evaluator.groups()[0]?.rules[1]?.lastError];
    expect(lastError).toMatch(/^unexpected error: ./);
    expect(engine.problems).toEqual([`rule rec fails: ${lastError}`]);
    await engine.clock.advance(320 * SECOND);
    expect(health()).toEqual(['ok', 'ok']);
    expect(engine.evaluator.groups()[0]).toMatchObject({ evaluations: 66, missed: 0 });
  });

  it('on the way to the receiver is told once, and what was not handed over is sent again', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    const push = engine.sent.push.bind(engine.sent);
    engine.sent.push = () => {
      throw new TypeError('labels are odd');
    };
    await engine.evaluator.start(TWO);
    await engine.clock.advance(15 * SECOND);
    const lastError = 'unexpected error: labels are odd';
    expect(engine.problems).toEqual([`rule Hot fails: ${lastError}`]);
    expect(engine.evaluator.groups()[0]).toMatchObject({
      evaluations: 3,
      failures: 3,
      rules: [
        { health: 'err', lastError, evaluations: [{ samples: 0 }, { samples: 0 }, { samples: 0 }] },
        { health: 'ok', lastError: undefined },
      ],
    });
    engine.sent.push = push;
    await engine.clock.advance(5 * SECOND);
    expect(engine.sent).toHaveLength(1);
    expect(engine.evaluator.groups()[0]?.rules[0]?.health).toBe('ok');
  });

  it('in the writing of results ends neither a group, nor the process when a group is removed', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set('r', () => hot());
    await engine.evaluator.start([...HOT, ...TWO]);
    await engine.clock.advance(10 * SECOND);
    if (engine.writer) engine.writer.failure = new TypeError('bytes are odd');
    await engine.clock.advance(10 * SECOND);
    const told = ['rule rec fails: unexpected error: bytes are odd'];
    expect(engine.problems).toEqual(told);
    expect(engine.evaluator.groups()[1]?.rules[1]?.health).toBe('err');
    const asked = engine.prometheus.asked.length;
    await engine.evaluator.reload(HOT);
    await engine.clock.advance(30 * SECOND);
    expect(engine.prometheus.asked.length - asked).toBe(6);
    expect(engine.problems).toEqual([...told, 'the evaluation of rules met an unexpected error: bytes are odd']);
  });
});

describe('RuleEvaluator: rules known to be slow', () => {
  it('leave half of the places to the others', async () => {
    const slow = Array.from(
      { length: 4 },
      (_, index) => `{ name: s${index}, rules: [{ alert: S${index}, expr: slow }] }`,
    );
    const rules = groups(`groups: [${slow.join(', ')}, { name: quick, rules: [{ alert: Quick, expr: quick }] }]`);
    const engine = ruleEngine({}, { groupsAtOnce: 4 });
    engine.prometheus.answers.set('slow', async () => {
      await engine.clock.sleep(9 * SECOND, new AbortController().signal);
      return new QueryError('timeout', 'Prometheus did not answer in time');
    });
    const runs = await engine.evaluator.load(rules);
    const [quick] = runs.slice(-1);
    const secondsUntilQuick = async (at: number) => {
      engine.prometheus.asked.length = 0;
      const done = Promise.all(runs.map((run) => run.evaluateAt(at, new AbortController().signal)));
      const askedAt = engine.clock.now();
      let waited = Number.NaN;
      for (let second = 0; second <= 20; second++) {
        const isAsked = engine.prometheus.asked.some(({ expr }) => expr === 'quick');
        if (isAsked && Number.isNaN(waited)) waited = (engine.clock.now() - askedAt) / SECOND;
        await engine.clock.advance(SECOND);
      }
      await done;
      return waited;
    };
    expect(quick?.group.name).toBe('quick');
    // Nobody knows yet that they are slow.
    expect(await secondsUntilQuick(SLOT)).toBeGreaterThanOrEqual(9);
    expect(await secondsUntilQuick(SLOT + 60_000)).toBeLessThanOrEqual(1);
  });
});

describe('RuleEvaluator: a clock that is set', () => {
  it('evaluates no slot twice when the clock goes back a little', async () => {
    const engine = ruleEngine();
    await engine.evaluator.start(HOT);
    await until(engine, 10);
    engine.clock.set(SLOT + 3 * SECOND);
    await engine.clock.advance(20 * SECOND);
    expect(instants(engine.prometheus.asked)).toEqual([0, 5, 10, 15, 20]);
  });

  it('goes on at once when the clock goes far back, with ages and waits as they were', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    await engine.evaluator.start(HOT);
    await until(engine, 5);
    engine.clock.set(SLOT + 5 * SECOND - 3600 * SECOND);
    await engine.clock.advance(60 * SECOND);
    expect(instants(engine.prometheus.asked).slice(0, 4)).toEqual([0, 5, -3590, -3585]);
    expect(engine.evaluator.activeAlerts()).toEqual([
      expect.objectContaining({ state: 'firing', activeAt: SLOT - 3600_000, firedAt: SLOT - 3590_000 }),
    ]);
  });

  it('counts what it missed when the clock goes forward', async () => {
    const engine = ruleEngine();
    await engine.evaluator.start(HOT);
    await until(engine, 5);
    engine.clock.set(SLOT + 103 * SECOND);
    await until(engine, 110);
    expect(instants(engine.prometheus.asked)).toEqual([0, 5, 105, 110]);
    expect(engine.evaluator.groups()[0]?.missed).toBe(19);
  });
});

describe('RuleEvaluator: alerts', () => {
  it('takes an alert from pending over firing to resolved, and sends it', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, (atMs) => (atMs < SLOT + 20_000 ? hot() : []));
    await engine.evaluator.start(HOT);
    await until(engine, 0);
    const alert = {
      name: 'Hot',
      ruleId: HOT[0]?.rules[0]?.id,
      fingerprint: '8c06a1b0c4c3eba8',
      labels: { gpu: '3', severity: 'critical', alertname: 'Hot' },
      annotations: { summary: '90 °C' },
      value: 90,
      severity: 'critical',
      activeAt: SLOT,
      missingSince: undefined,
    };
    expect(engine.evaluator.activeAlerts()).toEqual([
      { ...alert, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/), state: 'pending', firedAt: undefined },
    ]);
    await until(engine, 10);
    const [firing] = engine.evaluator.activeAlerts();
    expect(firing).toMatchObject({ state: 'firing', firedAt: SLOT + 10_000 });
    expect(engine.evaluator.groups()[0]?.rules[0]).toMatchObject({ health: 'ok', alerts: [firing] });
    await until(engine, 20);
    expect(engine.evaluator.activeAlerts()).toEqual([]);
    expect(engine.sent.map(({ startsAt, endsAt }) => [startsAt - SLOT, endsAt - SLOT])).toEqual([
      [10_000, 10_000 + 240_000],
      [10_000, 20_000],
    ]);
  });

  it('8: templates see the element’s labels, the external ones and the engine’s address', async () => {
    const rules = groups(`
groups:
  - name: g
    interval: 5s
    labels: { severity: mild }
    rules:
      - alert: A
        expr: a
        labels: { severity: critical, was: '{{ $labels.severity }}' }
        annotations: { from: '{{ $externalLabels.cluster }} {{ $externalURL }}' }
`);
    const engine = ruleEngine({}, { externalUrl: 'http://engine:8000' });
    engine.prometheus.answers.set('a', () => [{ labels: { __name__: 'a', severity: 'odd' }, value: 1 }]);
    const [run] = await engine.evaluator.load(rules, { reactions: {}, externalLabels: { cluster: 'west' } });
    await run?.evaluateAt(SLOT, new AbortController().signal);
    expect(engine.evaluator.activeAlerts()).toEqual([
      expect.objectContaining({
        labels: { alertname: 'A', severity: 'critical', was: 'odd' },
        annotations: { from: 'west http://engine:8000' },
      }),
    ]);
  });

  it('keeps a firing alert through an outage of Prometheus, and says so', async () => {
    const engine = ruleEngine();
    const outage = new QueryError('unreachable', 'Prometheus refuses the connection');
    engine.prometheus.answers.set(HOT_EXPR, (atMs) => (atMs > SLOT + 10_000 ? outage : hot()));
    await engine.evaluator.start(HOT);
    await until(engine, 200);
    expect(engine.evaluator.activeAlerts()).toEqual([
      expect.objectContaining({ state: 'firing', firedAt: SLOT + 10_000 }),
    ]);
    expect(engine.evaluator.groups()[0]?.rules[0]).toMatchObject({ health: 'err', lastError: outage.message });
    expect(engine.sent.map(({ startsAt }) => startsAt - SLOT)).toEqual([10_000, 10_000, 10_000]);
  });

  it('13: sends and writes nothing while labels collide, and shows why', async () => {
    const rules = groups('groups: [{ name: g, interval: 5s, rules: [{ alert: A, expr: a, labels: { gpu: all } }] }]');
    const engine = ruleEngine();
    const twice = [
      { labels: { gpu: '1' }, value: 1 },
      { labels: { gpu: '2' }, value: 1 },
    ];
    engine.prometheus.answers.set('a', (atMs) => (atMs === SLOT ? twice.slice(1) : twice));
    const [run] = await engine.evaluator.load(rules);
    const { signal } = new AbortController();
    await run?.evaluateAt(SLOT, signal);
    const [sent, writes] = [engine.sent.length, engine.writer?.writes.length];
    await run?.evaluateAt(SLOT + 120_000, signal);
    expect([engine.sent.length, engine.writer?.writes.length]).toEqual([sent, writes]);
    expect(engine.evaluator.groups()[0]?.rules[0]).toMatchObject({
      health: 'err',
      lastError:
        'vector contains metrics with the same labelset after applying alert labels: {gpu="all", alertname="A"}',
      alerts: [{ labels: { gpu: 'all', alertname: 'A' }, state: 'firing' }],
    });
  });

  it('remembers the last twenty evaluations of a rule, newest first', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    await engine.evaluator.start(HOT);
    await until(engine, 5 * 24);
    const evaluations = engine.evaluator.groups()[0]?.rules[0]?.evaluations ?? [];
    expect(evaluations.map(({ at, samples }) => [(at - SLOT) / SECOND, samples])).toEqual(
      Array.from({ length: 20 }, (_, back) => [5 * (24 - back), 1]),
    );
  });
});

describe('the start', () => {
  it('is at most an interval before the first evaluation', () => {
    expect(SLOT - START).toBeLessThanOrEqual(5 * SECOND);
  });
});
