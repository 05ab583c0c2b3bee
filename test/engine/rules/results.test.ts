import { afterEach, describe, expect, it } from 'vitest';
import { QueryError } from '../../../engine/prometheus/query.ts';
import { WriteError } from '../../../engine/prometheus/series-writer.ts';
import { FakeWriter } from './fake-writer.ts';
import { groups, HOT, hot, ruleEngine, SECOND, SLOT, stopAll, until } from './rule-engine.ts';

afterEach(stopAll);

const HOT_EXPR = 'temperature > 85';
const never = new AbortController().signal;

const RECORDING = groups(`
groups:
  - name: r
    interval: 15s
    limit: 2
    labels: { team: night, site: a }
    rules: [{ record: max, expr: m, labels: { site: b, gone: '' } }]
`);

/** Evaluates the only group at each instant, in seconds. */
async function evaluateAll(engine: ReturnType<typeof ruleEngine>, rules: typeof RECORDING, seconds: readonly number[]) {
  const [run] = await engine.evaluator.load(rules);
  for (const second of seconds) {
    engine.clock.set(SLOT + second * SECOND);
    await run?.evaluateAt(engine.clock.now(), never);
  }
}

describe('a recording rule', () => {
  it('records its result under its name and labels, and ends what vanishes', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set('m', (atMs) => [
      { labels: { __name__: 'm', site: 'x', gone: 'y' }, value: 1 },
      ...(atMs === SLOT ? [{ labels: { gpu: '3' }, value: 2 }] : []),
    ]);
    await evaluateAll(engine, RECORDING, [0, 15]);
    expect(engine.writer?.lines(SLOT)).toEqual([
      'max{site="b",team="night"} = 1 @ 0',
      'max{gpu="3",site="b",team="night"} = 2 @ 0',
      'max{site="b",team="night"} = 1 @ 15',
      'max{gpu="3",site="b",team="night"} = stale @ 15',
    ]);
  });

  it.each([
    [
      'two results with the same labels',
      [
        { labels: { site: '1' }, value: 1 },
        { labels: { site: '2' }, value: 1 },
      ],
      'vector contains metrics with the same labelset after applying rule labels',
    ],
    [
      'more results than the limit',
      ['1', '2', '3'].map((gpu) => ({ labels: { gpu }, value: 1 })),
      'exceeded limit of 2 with 3 series',
    ],
    ['a query that fails', new QueryError('timeout', 'too slow'), 'too slow'],
  ])('fails on %s, and leaves its last values untouched', async (_, answer, lastError) => {
    const engine = ruleEngine();
    engine.prometheus.answers.set('m', (atMs) => (atMs === SLOT ? [{ labels: {}, value: 1 }] : answer));
    await evaluateAll(engine, RECORDING, [0, 15]);
    expect(engine.writer?.lines(SLOT)).toEqual(['max{site="b",team="night"} = 1 @ 0']);
    expect(engine.evaluator.groups()[0]).toMatchObject({
      failures: 1,
      rules: [{ health: 'err', lastError, alerts: [] }],
    });
  });
});

describe('a write that fails', () => {
  it('costs no alert, shows in health and figures, and is told once', async () => {
    const engine = ruleEngine();
    if (engine.writer) engine.writer.failure = new WriteError('failed', 'the receiver is away');
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    await evaluateAll(engine, HOT, [0, 5, 10]);
    expect(engine.sent).toHaveLength(1);
    expect(engine.problems).toEqual(['results of rules are not written: the receiver is away']);
    expect(engine.evaluator.groups()[0]).toMatchObject({
      failures: 3,
      rules: [{ health: 'err', lastError: 'the results are not written: the receiver is away' }],
    });
    expect(engine.evaluator.written()).toEqual({
      samples: 0,
      failures: { no_receiver: 0, refused: 0, duplicate: 0, failed: 3 },
    });
  });

  it('ends later what may have been written by it', async () => {
    const engine = ruleEngine();
    const { writer } = engine;
    engine.prometheus.answers.set('m', (atMs) => (atMs === SLOT ? [{ labels: {}, value: 1 }] : []));
    const [run] = await engine.evaluator.load(RECORDING);
    if (writer) writer.failure = new WriteError('failed', 'broke off');
    await run?.evaluateAt(SLOT, never);
    if (writer) writer.failure = undefined;
    await run?.evaluateAt(SLOT + 15_000, never);
    await run?.evaluateAt(SLOT + 30_000, never);
    expect(writer?.lines(SLOT)).toEqual(['max{site="b",team="night"} = stale @ 15']);
  });

  it('remembers what may have been written for as long as Prometheus looks back, and no longer', async () => {
    const engine = ruleEngine();
    const { writer } = engine;
    engine.prometheus.answers.set('m', (atMs) => [{ labels: { at: String((atMs - SLOT) / SECOND) }, value: 1 }]);
    const [run] = await engine.evaluator.load(RECORDING);
    if (writer) writer.failure = new WriteError('failed', 'the receiver is away');
    for (let second = 0; second < 3600; second += 15) await run?.evaluateAt(SLOT + second * SECOND, never);
    expect(run?.rules[0]?.series.exposed().size).toBe(300 / 15);
    if (writer) writer.failure = undefined;
    engine.prometheus.answers.set('m', () => []);
    await run?.evaluateAt(SLOT + 3600 * SECOND, never);
    expect(writer?.writes.map((series) => series.length)).toEqual([300 / 15]);
    expect(run?.rules[0]?.series.exposed().size).toBe(0);
  });

  it('is not repeated when it was refused', async () => {
    const engine = ruleEngine();
    const { writer } = engine;
    engine.prometheus.answers.set('m', (atMs) => (atMs === SLOT ? [{ labels: {}, value: 1 }] : []));
    if (writer) writer.failure = new WriteError('refused', 'out of order');
    await evaluateAll(engine, RECORDING, [0]);
    expect(engine.evaluator.written().failures.refused).toBe(1);
  });
});

const HOT_AND_RECORDED = groups(`
groups:
  - name: both
    interval: 15s
    rules:
      - { record: rec, expr: m }
      - { alert: Hot, expr: temperature > 85 }
`);

describe('a second engine that writes the same series', () => {
  const DUPLICATE = 'http://prometheus holds other values';

  it('leaves alerting rules well, fails recording rules, and is told once, however many writes succeed in between', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, () => hot());
    engine.prometheus.answers.set('m', () => [{ labels: {}, value: 1 }]);
    const [run] = await engine.evaluator.load(HOT_AND_RECORDED);
    const [recording, alerting] = run?.rules ?? [];
    const { writer } = engine;
    if (writer === undefined || run === undefined) throw new Error('the engine writes nothing');
    for (let turn = 0; turn < 8; turn++) {
      engine.clock.set(SLOT + turn * 15 * SECOND);
      writer.failure = turn % 2 === 0 ? new WriteError('duplicate', DUPLICATE) : undefined;
      await run.evaluateAt(engine.clock.now(), never);
      const lost = turn % 2 === 0 ? `the results are not written: ${DUPLICATE}` : undefined;
      expect([recording?.log.lastError(), alerting?.log.lastError()]).toEqual([lost, undefined]);
    }
    expect(engine.problems).toEqual([`results of rules are not written: ${DUPLICATE}`]);
    expect(engine.evaluator.written().failures).toEqual({ no_receiver: 0, refused: 0, duplicate: 8, failed: 0 });
  });

  it('is told again once there has been none for a quarter of an hour', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set('m', () => [{ labels: {}, value: 1 }]);
    const [run] = await engine.evaluator.load(HOT_AND_RECORDED);
    if (engine.writer) engine.writer.failure = new WriteError('duplicate', DUPLICATE);
    for (const second of [0, 885, 1770, 2670]) {
      engine.clock.set(SLOT + second * SECOND);
      await run?.evaluateAt(engine.clock.now(), never);
    }
    expect(engine.problems).toHaveLength(2);
  });
});

describe('rules that yield nothing', () => {
  it('write nothing: one empty request at the start finds the receiver, and no other follows', async () => {
    const engine = ruleEngine();
    await engine.evaluator.start([...HOT, ...RECORDING]);
    await engine.clock.advance(120 * SECOND);
    expect(engine.prometheus.asked.length).toBeGreaterThan(24);
    expect(engine.writer?.writes).toEqual([[]]);
    await engine.evaluator.reload(HOT);
    await engine.clock.advance(120 * SECOND);
    expect(engine.writer?.writes).toEqual([[]]);
  });
});

const OWN = groups(`
groups:
  - name: own
    interval: 15s
    rules:
      - { record: rec, expr: m }
      - { alert: Hot, expr: temperature > 85, labels: { severity: critical } }
      - { alert: Plain, expr: 'rec{gpu=~"3|4"} > 1.5' }
      - { alert: Meta, expr: 'ALERTS{alertstate="firing", alertname!="Plain"}' }
      - { alert: Since, expr: '{__name__="ALERTS_FOR_STATE", alertname="Hot"}' }
      - { alert: Sum, expr: 'sum(rec) > 1' }
      - { alert: Moved, expr: 'rec offset 5m' }
`);

function answerOwn(engine: ReturnType<typeof ruleEngine>): void {
  engine.prometheus.answers.set(HOT_EXPR, () => hot());
  engine.prometheus.answers.set('m', () => [
    { labels: { gpu: '3' }, value: 2 },
    { labels: { gpu: '4' }, value: 1 },
    { labels: { gpu: '5' }, value: 3 },
  ]);
}

const WARNINGS = ['Sum', 'Moved'].map((name, index) =>
  expect.stringMatching(
    new RegExp(
      `^rules.yml:${11 + index}: rule ${name} reads rec, which Prometheus does not hold .*--web.enable-remote-write-receiver`,
    ),
  ),
);

const UNREADABLE =
  'the rule reads rec, which Prometheus does not hold because results of rules are not written to it: start Prometheus with --web.enable-remote-write-receiver, or set REMOTE_WRITE_URL; where Prometheus evaluates the rules itself that record it, leave them out of RULE_FILES';

describe('without a receiver', () => {
  it('plain selectors on the engine’s own series are answered from memory, and the others are warned of', async () => {
    const engine = ruleEngine({ writer: undefined });
    answerOwn(engine);
    await evaluateAll(engine, OWN, [0]);
    const alerts = engine.evaluator.activeAlerts().map(({ name, labels, value }) => [name, labels.gpu, value]);
    expect(alerts).toEqual([
      ['Hot', '3', 90],
      ['Plain', '3', 2],
      ['Meta', '3', 1],
      ['Since', '3', Math.floor(SLOT / 1000)],
    ]);
    expect(engine.prometheus.asked.map(({ expr }) => expr)).toEqual(['m', HOT_EXPR]);
    expect(engine.problems).toEqual(WARNINGS);
    const statuses = engine.evaluator.groups()[0]?.rules ?? [];
    expect(statuses.map(({ rule, health, lastError }) => [rule.name, health, lastError])).toEqual([
      ['rec', 'ok', undefined],
      ...['Hot', 'Plain', 'Meta', 'Since'].map((name) => [name, 'ok', undefined]),
      ...['Sum', 'Moved'].map((name) => [name, 'err', UNREADABLE]),
    ]);
  });

  it('a failing rule keeps its alerts, and asks for the receiver itself where nothing else is written', async () => {
    const writer = new FakeWriter();
    const engine = ruleEngine({ writer });
    const rules = groups(
      'groups: [{ name: g, interval: 15s, rules: [{ alert: Many, expr: count(ALERTS) > 9 }, { alert: Sum, expr: sum(ALERTS) > 9 }] }]',
    );
    engine.prometheus.answers.set('count(ALERTS) > 9', () => [{ labels: {}, value: 10 }]);
    await engine.evaluator.start(rules);
    await engine.clock.advance(20 * SECOND);
    writer.failure = new WriteError('no_receiver', 'no receiver');
    await engine.clock.advance(15 * SECOND);
    const healthNow = () => engine.evaluator.groups()[0]?.rules.map(({ health }) => health);
    const namesNow = () => engine.evaluator.activeAlerts().map(({ name }) => name);
    await engine.clock.advance(60 * SECOND);
    expect([healthNow(), namesNow()]).toEqual([['err', 'err'], ['Many']]);
    writer.failure = undefined;
    await engine.clock.advance(330 * SECOND);
    expect([healthNow(), namesNow()]).toEqual([['ok', 'ok'], ['Many']]);
  });

  it('forgets what was yielded longer ago than Prometheus looks back', async () => {
    const engine = ruleEngine({ writer: undefined });
    answerOwn(engine);
    const [first] = await engine.evaluator.load(OWN);
    await first?.rules[0]?.evaluate(SLOT, never);
    const [run] = await engine.evaluator.load(OWN);
    await run?.evaluateAt(SLOT, never);
    await run?.rules[2]?.evaluate(SLOT + 300_000, never);
    expect(engine.evaluator.activeAlerts().filter(({ name }) => name === 'Plain')).toEqual([]);
  });

  it('finds out at the start, asks again after five minutes, and then reads from Prometheus', async () => {
    const writer = new FakeWriter();
    writer.failure = new WriteError('no_receiver', 'no receiver (404): start it with the flag');
    const engine = ruleEngine({ writer });
    answerOwn(engine);
    await engine.evaluator.start(OWN);
    await engine.clock.advance(15 * SECOND);
    const refused = 'results of rules are not written: no receiver (404): start it with the flag';
    expect(engine.problems).toEqual([refused, ...WARNINGS]);
    const [recording, alerting] = engine.evaluator.groups()[0]?.rules ?? [];
    expect([recording?.health, alerting?.health]).toEqual(['err', 'ok']);
    writer.failure = undefined;
    await engine.clock.advance(280 * SECOND);
    expect(writer.writes).toEqual([]);
    await engine.clock.advance(20 * SECOND);
    expect(writer.writes.length).toBeGreaterThan(0);
    engine.prometheus.asked.length = 0;
    await engine.clock.advance(15 * SECOND);
    expect(engine.prometheus.asked.map(({ expr }) => expr)).toContain('rec{gpu=~"3|4"} > 1.5');
    expect(engine.evaluator.groups()[0]?.rules[0]?.health).toBe('ok');
  });
});

describe('ALERTS', () => {
  it('is written for pending and firing alerts and ended with every change of state', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(HOT_EXPR, (atMs) => (atMs < SLOT + 15_000 ? hot() : []));
    await engine.evaluator.start(HOT);
    await until(engine, 20);
    const since = Math.floor(SLOT / 1000);
    const series = (state: string) => `ALERTS{alertname="Hot",alertstate="${state}",gpu="3",severity="critical"}`;
    const forState = 'ALERTS_FOR_STATE{alertname="Hot",gpu="3",severity="critical"}';
    expect(engine.writer?.lines(SLOT)).toEqual([
      `${series('pending')} = 1 @ 0`,
      `${forState} = ${since} @ 0`,
      `${series('pending')} = 1 @ 5`,
      `${forState} = ${since} @ 5`,
      `${series('firing')} = 1 @ 10`,
      `${forState} = ${since} @ 10`,
      `${series('pending')} = stale @ 10`,
      `${series('firing')} = stale @ 15`,
      `${forState} = stale @ 15`,
    ]);
  });
});
