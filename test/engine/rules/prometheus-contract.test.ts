/** What rules yield, as a real Prometheus shows it that takes remote writes. */
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import { createPromClient } from '../../../engine/prometheus/client.ts';
import type { PromQuery } from '../../../engine/prometheus/query.ts';
import { createRemoteWriter } from '../../../engine/prometheus/remote-write.ts';
import type { SeriesWriter } from '../../../engine/prometheus/series-writer.ts';
import type { EvaluatorOptions } from '../../../engine/rules/evaluation.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import type { RuleGroup } from '../../../engine/rules/rule.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import { MemoryStore } from './memory-store.ts';
import { groups } from './rule-engine.ts';
import { VirtualClock } from './virtual-clock.ts';

const never = new AbortController().signal;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

interface World {
  readonly query: PromQuery;
  readonly writer: SeriesWriter;
  /** An instant an hour ago, on a whole second: Prometheus takes nothing much older, nor the future. */
  readonly base: number;
  /** `name{labels} value` of every element, sorted, `seconds` after the base. */
  ask(expr: string, seconds: number): Promise<readonly string[]>;
  /** Writes one sample, `seconds` after the base. */
  put(name: string, labels: Readonly<Record<string, string>>, value: number, seconds: number): Promise<void>;
}

async function world(context: TestContext): Promise<World> {
  const server = await startPrometheus({ tool: await requireTool(context, 'prometheus') });
  const query = createPromClient({ url: server.url, timeoutMs: 10_000, concurrency: 4 });
  const writer = createRemoteWriter({ url: `${server.url}/api/v1/write`, timeoutMs: 10_000, concurrency: 4 });
  onTestFinished(async () => {
    await Promise.all([query.close(), writer.close()]);
    await server.stop();
  });
  const base = Math.floor(Date.now() / SECOND) * SECOND - 60 * MINUTE;
  return {
    query,
    writer,
    base,
    ask: async (expr, seconds) => {
      const samples = await query.instant(expr, base + seconds * SECOND, never);
      return samples
        .map(({ labels: { __name__: name = '', ...labels }, value }) => {
          const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
          return `${name}{${pairs.map(([label, of]) => `${label}="${of}"`).join(',')}} ${value}`;
        })
        .sort();
    },
    put: (name, labels, value, seconds) =>
      writer.write(
        [{ labels: { ...labels, __name__: name }, samples: [{ atMs: base + seconds * SECOND, value }] }],
        never,
      ),
  };
}

interface Engine {
  readonly evaluator: RuleEvaluator;
  readonly problems: string[];
  readonly sent: AlertMessage[];
  /** Evaluates every group, `seconds` after the base. */
  evaluate(seconds: number): Promise<void>;
}

async function start(
  { query, writer, base }: World,
  rules: readonly RuleGroup[],
  { store = new MemoryStore(), ...options }: Partial<EvaluatorOptions> & { readonly store?: MemoryStore } = {},
): Promise<Engine> {
  const problems: string[] = [];
  const sent: AlertMessage[] = [];
  const clock = new VirtualClock(base);
  const evaluator = new RuleEvaluator(
    {
      query,
      writer,
      store,
      now: clock.now,
      sleep: clock.sleep,
      sink: { send: (messages) => void sent.push(...messages) },
      onProblem: (problem) => void problems.push(problem),
    },
    options,
  );
  const runs = await evaluator.load(rules);
  const evaluate = async (seconds: number) => {
    clock.set(base + seconds * SECOND);
    for (const run of runs) await run.evaluateAt(base + seconds * SECOND, never);
  };
  return { evaluator, problems, sent, evaluate };
}

it('a rule sees at once what the rules before it have yielded', async (context) => {
  const here = await world(context);
  const engine = await start(
    here,
    groups(`
groups:
  - name: chain
    interval: 15s
    labels: { team: night, cluster: west }
    rules:
      - { record: 'gpu:temperature:max', expr: 'max by (gpu) (temperature)', labels: { cluster: east } }
      - { alert: Hot, expr: 'gpu:temperature:max > 85', labels: { severity: critical } }
      - { record: 'alerts:firing', expr: 'count(ALERTS{alertstate="firing",alertname="Hot"})' }
      - { alert: Many, expr: 'alerts:firing >= 1' }
      - { record: one, expr: '1' }
`),
  );
  await here.put('temperature', { gpu: '3', sensor: 'a' }, 90, 0);
  await engine.evaluate(0);
  expect(engine.evaluator.groups()[0]?.rules.map(({ lastError }) => lastError)).toEqual(Array(5).fill(undefined));
  expect(await here.ask('{__name__=~"gpu:temperature:max|alerts:firing|one"}', 0)).toEqual([
    'alerts:firing{cluster="west",team="night"} 1',
    'gpu:temperature:max{cluster="east",gpu="3",team="night"} 90',
    'one{cluster="west",team="night"} 1',
  ]);
  expect(await here.ask('ALERTS', 0)).toEqual([
    'ALERTS{alertname="Hot",alertstate="firing",cluster="west",gpu="3",severity="critical",team="night"} 1',
    'ALERTS{alertname="Many",alertstate="firing",cluster="west",team="night"} 1',
  ]);
});

it('ALERTS has exactly the labels of the alert, and ends with it a moment later', async (context) => {
  const here = await world(context);
  const engine = await start(
    here,
    groups(`
groups:
  - name: g
    interval: 15s
    rules:
      - { alert: Hot, expr: 'temperature > 85', for: 15s, labels: { rack: '{{ $labels.rack }}', alertstate: odd } }
`),
  );
  for (const [seconds, value] of [
    [0, 90],
    [15, 90],
    [30, 60],
  ] as const) {
    await here.put('temperature', { gpu: '3' }, value, seconds);
    await engine.evaluate(seconds);
  }
  const alert = (state: string) => [`ALERTS{alertname="Hot",alertstate="${state}",gpu="3"} 1`];
  expect(await here.ask('ALERTS', 1)).toEqual(alert('pending'));
  expect(await here.ask('ALERTS', 16)).toEqual(alert('firing'));
  expect(await here.ask('ALERTS_FOR_STATE', 16)).toEqual([
    `ALERTS_FOR_STATE{alertname="Hot",alertstate="odd",gpu="3"} ${here.base / 1000}`,
  ]);
  expect(await here.ask('{__name__=~"ALERTS.*"}', 31)).toEqual([]);
});

it('a recorded series ends when it vanishes, and stays as it is while its rule fails', async (context) => {
  const here = await world(context);
  const engine = await start(
    here,
    groups(`
groups:
  - name: g
    interval: 15s
    rules: [{ record: hot, expr: 'temperature > 85' }, { record: joined, expr: 'temperature * on() group_right() other' }]
`),
  );
  await here.put('temperature', { gpu: '3' }, 90, 0);
  await here.put('other', {}, 1, 0);
  await engine.evaluate(0);
  await here.put('temperature', { gpu: '3' }, 60, 15);
  await here.put('temperature', { gpu: '4' }, 60, 15);
  await engine.evaluate(15);
  expect(await here.ask('hot', 14)).toEqual(['hot{gpu="3"} 90']);
  expect(await here.ask('hot', 16)).toEqual([]);
  const [hot, joined] = engine.evaluator.groups()[0]?.rules ?? [];
  expect([hot?.health, joined?.health]).toEqual(['ok', 'err']);
  expect(joined?.lastError).toContain('many-to-many');
  expect(await here.ask('joined', 16)).toEqual(['joined{} 90']);
});

it('keeps the bits of special values, and ends no series by recording NaN', async (context) => {
  const here = await world(context);
  const engine = await start(
    here,
    groups(`
groups:
  - name: g
    interval: 15s
    rules: [{ record: nan, expr: '0 / 0' }, { record: inf, expr: '-1 / 0' }, { record: tiny, expr: '5e-324' }]
`),
  );
  await engine.evaluate(0);
  expect(await here.ask('{__name__=~"nan|inf|tiny"}', 1)).toEqual(['inf{} -Infinity', 'nan{} NaN', 'tiny{} 5e-324']);
});

it('a removed rule’s series end with the next evaluation, a removed group’s after two intervals', async (context) => {
  const here = await world(context);
  const before = groups(`
groups:
  - { name: stays, interval: 15s, rules: [{ record: kept, expr: '1' }, { record: dropped, expr: '2' }] }
  - { name: goes, interval: 15s, rules: [{ record: gone, expr: '3' }, { record: moved, expr: '4' }] }
`);
  const after = groups(`
groups:
  - { name: stays, interval: 15s, rules: [{ record: kept, expr: '1' }] }
  - { name: new, interval: 15s, rules: [{ record: moved, expr: '4' }] }
`);
  const clock = new VirtualClock(here.base);
  const evaluator = new RuleEvaluator({
    ...here,
    store: new MemoryStore(),
    now: clock.now,
    sleep: clock.sleep,
    sink: { send: () => {} },
    onProblem: (problem) => expect.fail(problem),
  });
  onTestFinished(() => evaluator.stop());
  await evaluator.start(before);
  const turn = async () => {
    await clock.advance(15 * SECOND);
    await expect
      .poll(() => evaluator.groups().every(({ rules }) => rules.every(({ health }) => health === 'ok')))
      .toBe(true);
  };
  await turn();
  const at = (clock.now() - here.base) / SECOND;
  expect(await here.ask('{__name__=~"kept|dropped|gone|moved"}', at)).toHaveLength(4);
  await evaluator.reload(after);
  await turn();
  await turn();
  await turn();
  await expect
    .poll(() => here.ask('{__name__=~"kept|dropped|gone|moved"}', (clock.now() - here.base) / SECOND))
    .toEqual(['kept{} 1', 'moved{} 4']);
});

it('a lost store does not restart a long `for`', async (context) => {
  const here = await world(context);
  const rules = groups(`
groups:
  - name: g
    interval: 1m
    rules:
      - { alert: Long, expr: 'temperature > 85', for: 30m, labels: { severity: critical, rack: '{{ $labels.gpu }}' } }
      - { alert: Short, expr: 'temperature > 85', for: 5m }
`);
  const first = await start(here, rules);
  for (let minute = 0; minute <= 12; minute++) {
    await here.put('temperature', { gpu: '3' }, 90, minute * 60);
    // This one is over before the outage: its next alert is a new one.
    await here.put('temperature', { gpu: '4' }, minute < 12 ? 90 : 60, minute * 60);
    await first.evaluate(minute * 60);
  }
  for (const gpu of ['3', '4']) await here.put('temperature', { gpu }, 90, 20 * 60);
  const second = await start(here, rules);
  await second.evaluate(20 * 60);
  const since = second.evaluator
    .activeAlerts()
    .map(({ name, state, labels, activeAt }) => [name, labels.gpu, state, (activeAt - here.base) / MINUTE]);
  expect(since.sort()).toEqual([
    // Twelve of thirty minutes had passed; the outage of eight does not count.
    ['Long', '3', 'pending', 8],
    ['Long', '4', 'pending', 20],
    ['Short', '3', 'pending', 20],
    ['Short', '4', 'pending', 20],
  ]);
  expect(second.problems).toEqual([]);
});
