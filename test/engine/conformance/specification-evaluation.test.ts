/** Items 6 to 13 of the alert-generator specification: when a rule is evaluated, and which alerts come of its result. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Sample } from '../../../engine/prometheus/query.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { type Serving, serve } from '../http/serving.ts';
import { anyLife, everyLife } from './lives.ts';
import { MINUTE, openStage, type Stage } from './stage.ts';

const FLEET = play(planOf(), times(3, { 'a/0': 'up' }));
const serving: Serving[] = [];
afterEach(() => Promise.all(serving.splice(0).map((one) => one.close())));

/** Two series of a counter, as the specification's own example has them. */
const TWO: readonly Sample[] = [
  { labels: { __name__: 'my_metric_total', job: 'foo', status: '500' }, value: 10 },
  { labels: { __name__: 'my_metric_total', job: 'foo', status: '400' }, value: 18 },
];

interface Rule {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The stage after one evaluation of a rule whose query yields `samples`. */
async function evaluated(samples: readonly Sample[], rule: Rule = {}): Promise<Stage> {
  const stage = await openStage({
    rules: JSON.stringify({
      groups: [{ name: 'g', interval: '30s', rules: [{ alert: 'HighLatency', expr: 'x', ...rule }] }],
    }),
    answers: { x: () => samples },
  });
  await stage.until(7000);
  await stage.close();
  return stage;
}

const labelsOf = (stage: Stage) => stage.evaluator.activeAlerts().map(({ labels }) => labels);

describe('the query', () => {
  const cases = [
    ['interval: 30s', 30_000],
    ['interval: 5s', 5000],
    ['interval: 7s500ms', 7500],
    ['limit: 0', MINUTE],
  ] as const;
  const shares = [0, 0.1, 0.25, 0.4999, 0.5, 0.9999];

  it.each(cases.flatMap(([written, intervalMs]) => shares.map((share) => [written, intervalMs, share] as const)))(
    '6. is asked as an instant query at the instant of the evaluation, every interval (%s, %d ms, offset %d)',
    async (written, intervalMs, share) => {
      const offsetMs = Math.floor(intervalMs * share);
      const stage = await openStage({
        rules: `groups: [{ name: g, ${written}, rules: [{ alert: A, expr: x }] }]`,
        offsetMs,
        answers: { x: () => [] },
      });
      await stage.until(offsetMs + 4 * intervalMs);
      await stage.close();
      expect(stage.prometheus.asked).toEqual(
        [0, 1, 2, 3, 4].map((cycle) => ({ expr: 'x', atMs: stage.first + cycle * intervalMs })),
      );
    },
  );
});

describe('alerts of a result', () => {
  it('7. each element gives one alert with its labels, without __name__ (C1)', async () => {
    expect(labelsOf(await evaluated(TWO))).toEqual([
      { job: 'foo', status: '500', alertname: 'HighLatency' },
      { job: 'foo', status: '400', alertname: 'HighLatency' },
    ]);
  });

  it('7. a scalar gives one alert without labels of its own', async () => {
    expect(labelsOf(await evaluated([{ labels: {}, value: 1 }]))).toEqual([{ alertname: 'HighLatency' }]);
  });

  it('8. templates see the labels and the value of their element, not the labels of the rule', async () => {
    const stage = await evaluated(TWO, {
      labels: { status: 'bad', kind: '{{ $labels.status }}-{{ $labels.kind }}', level: '{{ $value }}' },
      annotations: { text: '{{ $labels.status }} of {{ $labels.__name__ }} at {{ $value }}, {{ $labels.level }}' },
    });
    const alerts = stage.evaluator.activeAlerts().map(({ labels, annotations }) => [labels, annotations.text]);
    const common = { job: 'foo', status: 'bad', alertname: 'HighLatency' };
    expect(alerts).toEqual([
      [{ ...common, kind: '500-', level: '10' }, '500 of my_metric_total at 10, '],
      [{ ...common, kind: '400-', level: '18' }, '400 of my_metric_total at 18, '],
    ]);
  });

  it('9. labels of the rule win over those of the element, and one that comes out empty removes it', async () => {
    const stage = await evaluated(TWO.slice(0, 1), { labels: { job: 'ours', status: '{{ $labels.none }}' } });
    expect(labelsOf(stage)).toEqual([{ job: 'ours', alertname: 'HighLatency' }]);
  });

  it('10. alertname is the name of the rule, whatever the element and the rule say', async () => {
    const stage = await evaluated([{ labels: { alertname: 'theirs' }, value: 1 }], { labels: { alertname: 'ours' } });
    expect(labelsOf(stage)).toEqual([{ alertname: 'HighLatency' }]);
  });

  it('11. the labels after that are the identity: one that changes makes a new alert', async () => {
    const stage = await openStage({
      rules: 'groups: [{ name: g, interval: 30s, rules: [{ alert: A, expr: x, for: 1m }] }]',
      offsetMs: 0,
      answers: {
        x: (ms) => [
          { labels: { __name__: ms < 30_000 ? 'before' : 'after', gpu: '0' }, value: ms },
          { labels: { gpu: '1', driver: ms < 30_000 ? '550' : '560' }, value: 1 },
        ],
      },
    });
    await stage.until(30_000);
    await stage.close();
    const active = stage.evaluator.activeAlerts().map(({ labels, activeAt }) => [labels, activeAt - stage.zero]);
    expect(active).toEqual([
      [{ alertname: 'A', gpu: '0' }, 0],
      [{ alertname: 'A', gpu: '1', driver: '560' }, 30_000],
    ]);
  });

  it('12. an alert is pending, firing or inactive, and nothing else', async () => {
    await everyLife(anyLife, (lived) => {
      const seen = lived.flatMap(({ alerts }) => alerts.map(({ state }) => state));
      expect(seen.filter((state) => state !== 'pending' && state !== 'firing')).toEqual([]);
      expect(lived.every(({ alerts }) => alerts.length <= 1)).toBe(true);
    });
  });

  it('13. two alerts with equal labels fail the rule: nothing is sent, nothing is written, and the API says why', async () => {
    const stage = await openStage({
      rules: `
groups:
  - name: g
    interval: 30s
    rules:
      - { alert: A, expr: x, labels: { gpu: all } }
      - { alert: B, expr: x }
`,
      offsetMs: 0,
      answers: {
        x: (ms) => (ms < 60_000 ? ['1'] : ['1', '2']).map((gpu) => ({ labels: { gpu }, value: 1 })),
      },
    });
    await stage.until(30_000);
    stage.sent.splice(0);
    const before = stage.series.all('ALERTS').filter(({ labels }) => labels.alertname === 'A');
    const written = before.map(({ samples }) => samples.length);
    await stage.until(3 * MINUTE);
    await stage.close();
    expect(stage.sent.filter(({ labels }) => labels.alertname === 'A')).toEqual([]);
    expect(stage.sent.filter(({ labels }) => labels.alertname === 'B').length).toBeGreaterThan(0);
    expect(before.map(({ samples }) => samples.length)).toEqual(written);
    const one = await serve({ fleet: FLEET, ruleGroups: stage.evaluator.groups() });
    serving.push(one);
    const answer = await (await fetch(`${one.url}/api/v1/rules`)).json();
    expect(answer).toMatchObject({
      data: {
        groups: [
          {
            rules: [
              {
                name: 'A',
                health: 'err',
                lastError: expect.stringContaining(
                  'vector contains metrics with the same labelset after applying alert labels',
                ),
              },
              { name: 'B', health: 'ok' },
            ],
          },
        ],
      },
    });
  });
});
