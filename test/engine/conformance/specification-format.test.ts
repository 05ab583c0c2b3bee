/** Items 1 to 5 of the alert-generator specification: the alert object, rule files, and what templates may use. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NO_ALERTING, withUrls } from '../../../engine/alertmanager/alerting.ts';
import { Notifier } from '../../../engine/alertmanager/notifier.ts';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { FakeAlertmanager } from '../alertmanager/fake-alertmanager.ts';
import type { SeriesMemory } from './series-memory.ts';
import { element, groupsOf, MINUTE, openStage, SECOND } from './stage.ts';

const RFC_3339_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The bodies that a real HTTP server is posted. */
async function posted(messages: readonly AlertMessage[]): Promise<readonly unknown[]> {
  const alertmanager = new FakeAlertmanager();
  const url = await alertmanager.listen();
  onTestFinished(() => alertmanager.close());
  const ports = { now: Date.now, sleep: async () => {}, random: () => 1, onProblem: () => {} };
  const notifier = new Notifier({ externalUrl: 'http://engine:8000' }, ports);
  notifier.use(withUrls(NO_ALERTING, [url]));
  // The address of an Alertmanager is known a turn after it was named.
  while (notifier.stats().peers.length === 0) await setImmediate();
  notifier.send(messages);
  await notifier.close(5000);
  return alertmanager.posts;
}

describe('the alert object', () => {
  it('1. has labels, annotations, startsAt, endsAt and generatorURL, times in RFC 3339', async () => {
    const stage = await openStage({
      rules:
        'groups: [{ name: g, interval: 30s, rules: [{ alert: A, expr: x, labels: { severity: page }, annotations: { text: hot } }] }]',
      answers: { x: () => element(1, { gpu: '3' }) },
    });
    await stage.until(7000);
    await stage.close();
    const now = Date.now();
    const [body] = await posted(stage.sent.map((one) => ({ ...one, startsAt: now, endsAt: now + MINUTE })));
    expect(body).toEqual([
      {
        labels: { alertname: 'A', gpu: '3', severity: 'page' },
        annotations: { text: 'hot' },
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + MINUTE).toISOString(),
        generatorURL: expect.stringMatching(/^http:\/\/engine:8000\/alerts\/[0-9a-f]{16}$/),
      },
    ]);
    expect(new Date(now).toISOString()).toMatch(RFC_3339_MS);
  });
});

describe('rule files', () => {
  const FULL = {
    groups: [
      {
        name: 'g',
        interval: '90s',
        rules: [
          { alert: 'Größe > 9 °C!', expr: 'x > 1', for: '10m', labels: { a: '{{ $value }}' }, annotations: { b: 'c' } },
        ],
      },
    ],
  };

  it.each([
    ['JSON', JSON.stringify(FULL)],
    [
      'YAML',
      `groups:
  - name: g
    interval: 90s
    rules:
      - alert: Größe > 9 °C!
        expr: x > 1
        for: 10m
        labels: { a: '{{ $value }}' }
        annotations: { b: c }
`,
    ],
  ])('2. are read as %s, an alert named by any label value', (_, text) => {
    expect(groupsOf(text)).toMatchObject([
      {
        name: 'g',
        intervalMs: 90_000,
        rules: [
          {
            kind: 'alerting',
            name: 'Größe > 9 °C!',
            expr: 'x > 1',
            forMs: 600_000,
            written: { labels: { a: '{{ $value }}' }, annotations: { b: 'c' } },
          },
        ],
      },
    ]);
  });

  it('2. have an interval of 1 m and a for of 0 s when they say nothing', () => {
    const [group] = groupsOf('groups: [{ name: g, rules: [{ alert: A, expr: x }] }]');
    expect([group?.intervalMs, group?.rules[0]]).toEqual([MINUTE, expect.objectContaining({ forMs: 0 })]);
  });

  it.each([
    ['two groups of a name', 'groups: [{ name: g, rules: [] }, { name: g, rules: [] }]'],
    ['an alert without a name', "groups: [{ name: g, rules: [{ alert: '', expr: x }] }]"],
    ['an unknown key', 'groups: [{ name: g, rules: [{ alert: A, expr: x, annotation: {} }] }]'],
    ['a broken template', "groups: [{ name: g, rules: [{ alert: A, expr: x, labels: { a: '{{ $value' } }] }]"],
  ])('2. are refused for %s', (_, text) => {
    const { diagnostics } = loadRules([{ file: 'rules.yml', text }]);
    expect(diagnostics.map(({ severity }) => severity)).toContain('error');
  });
});

/** Three rules of which each reads the one before it. */
const CHAIN = {
  base: '{ record: base, expr: x }',
  middle: '{ alert: Middle, expr: base > 1 }',
  top: `{ alert: Top, expr: 'ALERTS{alertname="Middle",alertstate="firing"}' }`,
};

describe('the order of rules', () => {
  it.each([
    [['base', 'middle', 'top'], 0],
    [['top', 'middle', 'base'], 2],
    [['middle', 'base', 'top'], 1],
  ] as const)('3. results are visible to later rules of the cycle: %j fires %d cycles late', async (order, late) => {
    const read = (name: string, labels: Readonly<Record<string, string>>) => (ms: number, series: SeriesMemory) =>
      series.select(name, labels, stage.zero + ms);
    const stage = await openStage({
      rules: `groups: [{ name: g, interval: 30s, rules: [${order.map((rule) => CHAIN[rule]).join(', ')}] }]`,
      answers: {
        x: () => element(2),
        'base > 1': read('base', {}),
        'ALERTS{alertname="Middle",alertstate="firing"}': read('ALERTS', { alertname: 'Middle', alertstate: 'firing' }),
      },
    });
    const firing: boolean[] = [];
    for (const cycle of [0, 1, 2]) {
      await stage.until(7000 + cycle * 30 * SECOND);
      firing.push(stage.evaluator.activeAlerts().some(({ name }) => name === 'Top'));
    }
    await stage.close();
    expect(firing).toEqual([0, 1, 2].map((cycle) => cycle >= late));
  });
});

/** Every variable and function of the templates of v2.33, with what it makes of 15 for a host on port 9400. */
const TEMPLATES = [
  ['{{ $labels.instance }} {{ .Labels.instance }}', 'gpu-1:9400 gpu-1:9400'],
  ['{{ $value }} {{ .Value }}', '15 15'],
  ['{{ range query "n" }}{{ .Labels.id }}={{ .Value }};{{ end }}', '2=20;1=10;'],
  ['{{ query "n" | first | value }}', '20'],
  ['{{ query "n" | first | label "id" }}', '2'],
  ['{{ range query "n" | sortByLabel "id" }}{{ . | value }},{{ end }}', '10,20,'],
  ['{{ query "n" | first | strvalue }}', 'two'],
  ['{{ humanize 1048576.0 }}', '1.049M'],
  ['{{ humanize1024 1048576.0 }}', '1Mi'],
  ['{{ humanizeDuration 135.3563 }}', '2m 15s'],
  ['{{ humanizePercentage 0.959 }}', '95.9%'],
  ['{{ humanizeTimestamp 1643114203.0 }}', '2022-01-25 12:36:43 +0000 UTC'],
  ['{{ title "this part" }} {{ toUpper "up" }} {{ toLower "DOWN" }}', 'This Part UP down'],
  ['{{ match "[0-9]+" "gpu12" }} {{ match "^[0-9]+$" "gpu12" }}', 'true false'],
  ['{{ reReplaceAll "(r)e(d)" "$2-$1" "red rod" }}', 'd-r rod'],
  ['{{ stripPort $labels.instance }} {{ stripPort "[::1]:6006" }}', 'gpu-1 ::1'],
  ['{{ parseDuration "2h10m15s" }}', '7815'],
  ['{{ with args 1 "b" }}{{ .arg0 }}{{ .arg1 }}{{ end }}', '1b'],
  ['{{ define "t" }}[{{ . }}]{{ end }}{{ template "t" $value }}', '[15]'],
  ['{{ if gt $value 10.0 }}hot{{ else }}cold{{ end }} {{ printf "%.1f" $value }}', 'hot 15.0'],
] as const;

/** Optional in the specification; what nobody has set is empty. */
const OPTIONAL = [
  ['graphLink "up"', '/graph?g0.expr=up&g0.tab=0'],
  ['tableLink "up"', '/graph?g0.expr=up&g0.tab=1'],
  ['pathPrefix', ''],
  ['safeHtml "<b>"', '<b>'],
  ['query "n" | first | strvalue', 'two'],
  ['$externalLabels.cluster', ''],
  ['.ExternalLabels.cluster', ''],
  ['$externalURL', ''],
  ['.ExternalURL', ''],
  ['externalURL', ''],
] as const;

/** The texts of one alert whose templates these are. */
async function expanded(templates: readonly string[], into: 'labels' | 'annotations'): Promise<readonly string[]> {
  const texts = Object.fromEntries(templates.map((template, index) => [`t${index}`, template]));
  const rule = { alert: 'A', expr: 'x', [into]: texts };
  const stage = await openStage({
    rules: JSON.stringify({ groups: [{ name: 'g', interval: '30s', rules: [rule] }] }),
    answers: {
      x: () => element(15, { instance: 'gpu-1:9400' }),
      n: () => [
        { labels: { id: '2', __value__: 'two' }, value: 20 },
        { labels: { id: '1', __value__: 'one' }, value: 10 },
      ],
    },
  });
  await stage.until(7000);
  await stage.close();
  const [alert] = stage.evaluator.activeAlerts();
  return templates.map((_, index) => alert?.[into][`t${index}`] ?? '');
}

describe('templates', () => {
  it.each(['labels', 'annotations'] as const)('4. every variable and function of v2.33 works in %s', async (into) => {
    const templates = TEMPLATES.map(([template]) => template);
    expect(await expanded(templates, into)).toEqual(TEMPLATES.map(([, text]) => text));
  });

  it('5. the optional ones are not refused, and an alert that uses them is not lost', async () => {
    const texts = await expanded(
      OPTIONAL.map(([use]) => `a{{ ${use} }}z`),
      'annotations',
    );
    expect(texts).toEqual(OPTIONAL.map(([, text]) => `a${text}z`));
  });

  it('5. tmpl, which only console pages know, costs its text and not the alert', async () => {
    const texts = await expanded(['{{ tmpl "a" . }}', 'whole'], 'annotations');
    expect(texts).toEqual([expect.stringMatching(/^<error expanding template: .*"a"/), 'whole']);
  });
});
