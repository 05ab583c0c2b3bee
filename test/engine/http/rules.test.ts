import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import type { GroupStatus } from '../../../engine/rules/status.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { activeAlert, alerting, evaluation, group, recording, resolvedAlert } from './rule-groups.ts';
import { type Serving, serve } from './serving.ts';

const FLEET = play(planOf(), times(3, { 'a/0': 'up' }));
const serving: Serving[] = [];
afterEach(() => Promise.all(serving.splice(0).map((one) => one.close())));

async function ask(groups: readonly GroupStatus[], path: string) {
  const one = await serve({ fleet: FLEET, ruleGroups: groups });
  serving.push(one);
  const response = await fetch(`${one.url}${path}`);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: JSON.parse(await response.text()),
  };
}

const ALERT = {
  labels: { alertname: 'GpuThermalCritical', severity: 'critical', action: 'throttle', UUID: 'GPU-1' },
  annotations: { summary: 'gpu 3 on node-1: 91 °C > 85 °C', runbook_url: 'https://example.com/hot' },
  state: 'firing',
  activeAt: '2026-01-01T12:01:35.000Z',
  value: '9.1e+01',
  fingerprint: '00000000deadbeef',
};

const ALERTING = {
  state: 'firing',
  name: 'GpuThermalCritical',
  query: `temperature{zone="it's"} > 85`,
  duration: 30,
  keepFiringFor: 60,
  labels: { severity: 'critical' },
  annotations: { summary: '{{ $value }} °C' },
  alerts: [ALERT],
  id: 'rule-hot',
  health: 'ok',
  evaluationTime: 0.0125,
  lastEvaluation: '2026-01-01T12:03:05.000Z',
  type: 'alerting',
};

const RECORDING = {
  name: 'node:temperature:max',
  query: 'max by (node) (temperature)',
  labels: { team: 'gpu' },
  id: 'rule-max',
  health: 'ok',
  evaluationTime: 0.0125,
  lastEvaluation: '2026-01-01T12:03:05.000Z',
  type: 'recording',
};

describe('GET /api/v1/rules', () => {
  it('answers as Prometheus does, with keys of our own beside', async () => {
    const { status, body } = await ask([group('gpu', [alerting(), recording()])], '/api/v1/rules');
    expect([status, body]).toEqual([
      200,
      {
        status: 'success',
        data: {
          groups: [
            {
              name: 'gpu',
              file: 'rules/gpu.yml',
              rules: [ALERTING, RECORDING],
              interval: 15,
              limit: 0,
              evaluationTime: 0.02,
              lastEvaluation: '2026-01-01T12:03:05.000Z',
              queryOffset: 5,
              evaluations: 4,
              missed: 1,
            },
          ],
        },
      },
    ]);
  });

  it.each([
    ['inactive', []],
    ['pending', [activeAlert({ state: 'pending', firedAt: undefined })]],
    ['firing', [activeAlert({ state: 'pending', firedAt: undefined }), activeAlert()]],
  ])('calls a rule %s by its strongest alert', async (state, alerts) => {
    const { body } = await ask([group('gpu', [alerting({ alerts })])], '/api/v1/rules');
    expect(body.data.groups[0].rules[0].state).toBe(state);
  });

  it('shows why a rule fails, and the zero time of Go before its first evaluation', async () => {
    const failing = alerting({ health: 'err', lastError: 'Prometheus did not answer in time', alerts: [] });
    const unknown = recording({ health: 'unknown', evaluations: [] });
    const groups = [group('gpu', [failing, unknown], { lastAt: undefined, lastDurationMs: undefined })];
    const { body } = await ask(groups, '/api/v1/rules');
    expect(body.data.groups[0]).toMatchObject({
      lastEvaluation: '0001-01-01T00:00:00Z',
      evaluationTime: 0,
      rules: [
        { health: 'err', lastError: 'Prometheus did not answer in time' },
        { health: 'unknown', lastEvaluation: '0001-01-01T00:00:00Z', evaluationTime: 0 },
      ],
    });
  });

  const GROUPS = [
    group('gpu', [alerting(), recording()]),
    group('node', [recording()], { file: 'rules/node.yml' }),
    group('empty', []),
  ];
  const names = (body: { data: { groups: { name: string; rules: { name: string }[] }[] } }) =>
    body.data.groups.map(({ name, rules }) => [name, rules.map((rule) => rule.name)]);
  const [HOT, MAX] = ['GpuThermalCritical', 'node:temperature:max'];

  it.each([
    ['type=alert', [['gpu', [HOT]]]],
    [
      'type=Record',
      [
        ['gpu', [MAX]],
        ['node', [MAX]],
      ],
    ],
    [
      'rule_name[]=node:temperature:max&rule_name[]=none',
      [
        ['gpu', [MAX]],
        ['node', [MAX]],
      ],
    ],
    ['rule_group[]=node', [['node', [MAX]]]],
    ['file[]=rules/gpu.yml', [['gpu', [HOT, MAX]]]],
    ['match[]={severity="critical"}', [['gpu', [HOT]]]],
    [
      'match[]={severity=~"crit.*",team=""}&match[]={team!~"x|y",team!=""}',
      [
        ['gpu', [HOT, MAX]],
        ['node', [MAX]],
      ],
    ],
    ['match[]={severity="warning"}', []],
    ['match[]=up', []],
    ['rule_name[]=none', []],
  ])('%s selects', async (query, expected) => {
    const { body } = await ask(GROUPS, `/api/v1/rules?${encodeURI(query)}`);
    expect(names(body)).toEqual(expected);
  });

  it('lists groups by file, then by name', async () => {
    const one = (name: string, file: string) => group(name, [recording()], { file });
    const { body } = await ask([one('b', 'y'), one('c', 'x'), one('a', 'y'), one('a', 'x')], '/api/v1/rules');
    expect(body.data.groups.map(({ name, file }: { name: string; file: string }) => `${file} ${name}`)).toEqual([
      'x a',
      'x c',
      'y a',
      'y b',
    ]);
  });

  it('leaves the alerts out when asked to', async () => {
    const { body } = await ask(GROUPS, '/api/v1/rules?exclude_alerts=true&type=alert');
    expect(body.data.groups[0].rules[0].alerts).toBeNull();
  });

  it('gives page after page until none is left', async () => {
    const pages: unknown[] = [];
    let token = '';
    do {
      const { body } = await ask(GROUPS, `/api/v1/rules?group_limit=1${token && `&group_next_token=${token}`}`);
      pages.push(names(body));
      token = body.data.groupNextToken ?? '';
    } while (token !== '');
    expect(pages).toEqual([[['gpu', [HOT, MAX]]], [['node', [MAX]]]]);
  });

  it.each([
    ['type=both', 'type=both is neither "alert" nor "record"'],
    ['exclude_alerts=maybe', 'exclude_alerts=maybe is neither "true" nor "false"'],
    ['group_limit=0', 'group_limit=0 is not a whole number above 0'],
    ['group_next_token=abc', 'group_next_token needs group_limit beside it'],
    ['group_limit=1&group_next_token=abc', 'group_next_token names no group; the rules may have changed: start over'],
    ['match[]=sum(up)', 'match[]=sum(up) is not a series selector: write one selector, such as {severity="critical"}'],
  ])('refuses %s in Prometheus’ form', async (query, error) => {
    const { status, body } = await ask(GROUPS, `/api/v1/rules?${encodeURI(query)}`);
    expect([status, body]).toEqual([400, { status: 'error', errorType: 'bad_data', error }]);
  });

  it('refuses a selector that does not parse, saying why', async () => {
    const { status, body } = await ask(GROUPS, '/api/v1/rules?match[]={a=');
    expect([status, body.error]).toEqual([400, expect.stringMatching(/^match\[\]=\{a= is not a series selector: ./)]);
  });
});

describe('GET /api/v1/alerts', () => {
  it('lists the alerts of all rules', async () => {
    const { body } = await ask([group('gpu', [alerting()]), group('b', [recording()])], '/api/v1/alerts');
    expect(body).toEqual({ status: 'success', data: { alerts: [ALERT] } });
  });

  it.each([
    [15, '1.5e+01'],
    [0, '0e+00'],
    [-0, '-0e+00'],
    [1e-7, '1e-07'],
    [1e100, '1e+100'],
    [Number.NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
  ])('writes %d as Go does', async (value, text) => {
    const { body } = await ask([group('gpu', [alerting({ alerts: [activeAlert({ value })] })])], '/api/v1/alerts');
    expect(body.data.alerts[0].value).toBe(text);
  });

  it('says since when only keep_firing_for keeps an alert firing', async () => {
    const alerts = [activeAlert({ missingSince: Date.UTC(2026, 0, 1, 12, 3) })];
    const { body } = await ask([group('gpu', [alerting({ alerts })])], '/api/v1/alerts');
    expect(body.data.alerts[0].keepFiringSince).toBe('2026-01-01T12:03:00.000Z');
  });
});

describe('GET /api/v1/rules/{rule_id} and /api/v1/alerts/{fingerprint}', () => {
  const failed = evaluation({ at: Date.UTC(2026, 0, 1, 12, 2, 50), samples: 0, error: 'no answer' });
  const GROUPS = [group('gpu', [alerting({ evaluations: [evaluation(), failed] })])];

  it('shows the newest evaluations and how to repeat them', async () => {
    const { body } = await ask(GROUPS, '/api/v1/rules/rule-hot');
    expect(body).toMatchObject({ name: 'GpuThermalCritical', group: 'gpu', line: 7, interval: 15, queryOffset: 5 });
    expect(body.evaluations).toEqual([
      { at: '2026-01-01T12:03:05.000Z', evaluationTime: 0.0125, samples: 1, curl: expect.any(String) },
      {
        at: '2026-01-01T12:02:50.000Z',
        evaluationTime: 0.0125,
        samples: 0,
        error: 'no answer',
        curl: expect.any(String),
      },
    ]);
  });

  it('gives a command line that a shell reads back as the same question, at the queried instant', async () => {
    const { body } = await ask(GROUPS, '/api/v1/rules/rule-hot');
    const words = execFileSync('sh', ['-c', `set -- ${body.evaluations[0].curl}; printf '%s\\n' "$@"`], {
      encoding: 'utf8',
    });
    expect(words.trimEnd().split('\n')).toEqual([
      'curl',
      '-sG',
      'http://prometheus.example:9090/api/v1/query',
      '--data-urlencode',
      `query=temperature{zone="it's"} > 85`,
      '--data-urlencode',
      'time=1767268980.000',
    ]);
  });

  it('shows an alert with its rule', async () => {
    const { body } = await ask(GROUPS, '/api/v1/alerts/00000000deadbeef');
    expect(body).toMatchObject({
      name: 'GpuThermalCritical',
      ...ALERT,
      firedAt: '2026-01-01T12:02:05.000Z',
      rule: { id: 'rule-hot' },
    });
  });

  it('shows an alert that is over, too', async () => {
    const groups = [group('gpu', [alerting({ alerts: [], resolved: [resolvedAlert()] })])];
    const { body } = await ask(groups, '/api/v1/alerts/0000000000000bad');
    expect(body).toMatchObject({ state: 'resolved', resolvedAt: '2026-01-01T12:03:00.000Z' });
    expect((await ask(groups, '/api/v1/alerts')).body.data.alerts).toEqual([]);
  });

  it.each(['/api/v1/rules/none', '/api/v1/alerts/none'])('%s is not found', async (path) => {
    const { status, type } = await ask(GROUPS, path);
    expect([status, type]).toEqual([404, 'application/problem+json']);
  });
});
