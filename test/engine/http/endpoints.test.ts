import { afterEach, describe, expect, it } from 'vitest';
import { capability, type Played, planOf, play, times } from '../core/fixtures.ts';
import { type Serving, type ServingOptions, serve } from './serving.ts';

const open: Serving[] = [];

afterEach(async () => {
  for (const serving of open.splice(0)) await serving.close();
});

async function serving(options: Partial<ServingOptions> = {}): Promise<string> {
  const started = await serve({ fleet: BAD, ...options });
  open.push(started);
  return started.url;
}

const UP = { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up' } as const;
const PLAN = planOf({ capabilities: [capability('default'), capability('text-to-image', { gpus: { gpu: '0' } })] });

/** Node a has one hot GPU of two since the newest tick, node b is healthy. */
const BAD: Played = play(PLAN, [...times(24, UP), ...times(1, { ...UP, 'a/0': 'hot' })]);
const TIMESTAMP = (BAD.state.tickMs ?? 0) / 1000 + 3;

/** JSON as a tree to walk; leaves are only ever compared. */
interface Json {
  readonly [key: string]: Json;
}

async function json(response: Response): Promise<Json> {
  return (await response.json()) as Json;
}

async function get(path: string, options?: Partial<ServingOptions>) {
  const response = await fetch(`${await serving(options)}${path}`);
  return { status: response.status, body: await json(response) };
}

async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  options?: Partial<ServingOptions>,
) {
  const response = await fetch(`${await serving(options)}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

describe('GET /gpu/uptime', () => {
  it('answers the documented JSON for the fleet', async () => {
    expect(await get('/gpu/uptime')).toEqual({
      status: 200,
      body: {
        timestamp: TIMESTAMP,
        overall_status: 'unhealthy',
        uptime_summary: {
          short: { uptime_percentage: 94.444, is_full: true, samples: 18 },
          medium: { uptime_percentage: 97.222, is_full: true, samples: 36 },
          long: { uptime_percentage: 98.611, is_full: true, samples: 72 },
        },
        alerts: [],
      },
    });
  });

  it.each([
    ['node=b', 'healthy', 6],
    ['node=a', 'unhealthy', 12],
    ['gpu=a/1', 'healthy', 6],
    ['gpu=0&node=a', 'unhealthy', 6],
    ['gpu=1', 'healthy', 6],
    ['capability=text-to-image&node=a', 'unhealthy', 6],
    ['capability=never-heard-of&node=b', 'healthy', 6],
  ])('is filtered by %s', async (query, status, samples) => {
    const { body } = await get(`/gpu/uptime?${query}`);
    expect([body.overall_status, body.uptime_summary?.short?.samples]).toEqual([status, samples]);
  });

  it.each([
    ['node=z', 404, 'no GPU of node "z" has been seen; GET /gpu/monitoring/summary lists the nodes'],
    ['gpu=9', 404, 'GPU "9" has not been seen'],
    ['gpu=0', 404, '2 GPUs have index 0; add node=… or give the UUID'],
    ['nod=a', 400, 'the query is not valid: query: "nod" is not known here; known: capability, node, gpu'],
    ['node=', 400, 'the query is not valid: node: it is "", and must have at least 1 character'],
    ['node=a&node=b', 400, 'the query is not valid: node: it is a list, and must be text'],
  ])('refuses %s', async (query, status, detail) => {
    expect(await get(`/gpu/uptime?${query}`)).toMatchObject({ status, body: { status, detail } });
  });

  it('shows the alerts of the subject', async () => {
    const alert = {
      name: 'GpuThermalCritical',
      state: 'firing',
      severity: 'critical',
      summary: 'hot',
      sinceMs: 5000,
    } as const;
    const alerts = [
      { ...alert, labels: { UUID: 'a/0', instance: 'a' } },
      { ...alert, labels: { uuid: 'b/0', node: 'b' } },
    ];
    const shown = async (query: string) => (await get(`/gpu/uptime${query}`, { alerts })).body.alerts;
    expect(await shown('')).toHaveLength(2);
    expect(await shown('?node=b')).toEqual([
      {
        name: 'GpuThermalCritical',
        state: 'firing',
        severity: 'critical',
        summary: 'hot',
        labels: { uuid: 'b/0', node: 'b' },
        since: 5,
      },
    ]);
    expect(await shown('?gpu=a/0')).toHaveLength(1);
    expect(await shown('?gpu=a/1')).toEqual([]);
  });

  it('has no figure where nothing was observed', async () => {
    const { body } = await get('/gpu/uptime', { fleet: play(PLAN, []) });
    expect(body).toMatchObject({ overall_status: 'unknown', uptime_summary: {} });
  });
});

describe('GET /gpu/payment-delays', () => {
  it('answers the documented JSON, one entry per delayed capability', async () => {
    const delay = { delay_seconds: 300, multiplier: 10, consecutive_failures: 1, can_call_now: false, wait_time: 297 };
    expect(await get('/gpu/payment-delays')).toEqual({
      status: 200,
      body: {
        timestamp: TIMESTAMP,
        active_delays_count: 2,
        active_delays: [
          { capability: 'default', ...delay },
          { capability: 'text-to-image', ...delay },
        ],
      },
    });
  });

  it.each([
    ['?node=b', 0, []],
    ['?node=a&capability=text-to-image', 1, ['text-to-image']],
    ['?capability=own-name', 1, ['own-name']],
  ])('is filtered by %s', async (query, count, names) => {
    const { body } = await get(`/gpu/payment-delays${query}`);
    expect([
      body.active_delays_count,
      Object.values(body.active_delays ?? {}).map(({ capability: name }) => name),
    ]).toEqual([count, names]);
  });
});

describe('POST /gpu/check-payment-delay', () => {
  it('answers the documented JSON with Retry-After', async () => {
    const { status, headers, body } = await post('/gpu/check-payment-delay', {
      capability: 'text-to-image',
      request_id: 'req_123',
    });
    expect(body).toEqual({
      can_process: false,
      wait_time_seconds: 297,
      reason: 'Low uptime detected: short-term: 91.6% < 99%, medium-term: 95.8% < 99%, long-term: 97.9% < 99%',
    });
    expect([status, headers.get('retry-after')]).toEqual([200, '297']);
  });

  it('lets a healthy node process', async () => {
    const { body, headers } = await post('/gpu/check-payment-delay', { capability: 'text-to-image', node: 'b' });
    expect(body).toEqual({
      can_process: true,
      wait_time_seconds: 0,
      reason: 'Every window with enough data meets its threshold',
    });
    expect(headers.get('retry-after')).toBeNull();
  });

  it('answers the same a hundred times', async () => {
    const url = await serving();
    const ask = () =>
      fetch(`${url}/gpu/check-payment-delay`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"capability":"text-to-image"}',
      });
    const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await ask()).text()));
    expect(new Set(bodies).size).toBe(1);
  });

  it.each([
    ['half a JSON', '{"capability":', 400, /^the body is not JSON/],
    ['a list', '[]', 400, /^the body is not valid: body: it is a list, and must be an object$/],
    [
      'an unknown field',
      '{"capabilty":"x"}',
      400,
      /"capabilty" is not known here; known: capability, node, gpu, request_id$/,
    ],
    [
      'a number as capability',
      '{"capability":7}',
      400,
      /^the body is not valid: capability: it is 7, and must be text$/,
    ],
    ['too much', JSON.stringify({ capability: 'x'.repeat(70_000) }), 413, /too large/],
  ])('refuses %s', async (_, sent, status, detail) => {
    const answer = await post('/gpu/check-payment-delay', sent);
    expect(answer).toMatchObject({ status, body: { status, detail: expect.stringMatching(detail) } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('asks for JSON when it gets something else', async () => {
    expect(await post('/gpu/check-payment-delay', 'capability=x', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
    });
  });
});

describe('POST /api/v1/decisions/delay', () => {
  it('answers 200 with the whole answer', async () => {
    const { status, body } = await post('/api/v1/decisions/delay', {
      capability: 'text-to-image',
      node: 'a',
      request_id: 'r1',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      decision_id: `test00000000.${TIMESTAMP - 3}.text-to-image.node.a`,
      policy_revision: 'test00000000',
      capability: 'text-to-image',
      subject: { level: 'node', id: 'a', name: 'node a' },
      can_process: false,
      wait_time_seconds: 297,
      basis: 'delayed',
      status: 'unhealthy',
      multiplier: 10,
      delay_seconds: 300,
      consecutive_failures: 1,
      low_since: TIMESTAMP - 3,
      clears_at_if_healthy: TIMESTAMP - 3 + 240,
      affected_gpus: 1,
      gpus: 1,
      guard_frozen: false,
      evaluated_at: TIMESTAMP - 3,
      data_age_seconds: 3,
      stale: false,
      request_id: 'r1',
    });
    expect(body.windows[0]).toEqual({
      name: 'short',
      range_seconds: 60,
      threshold_percentage: 99,
      uptime_percentage: 83.333,
      coverage_percentage: 100,
      min_coverage_percentage: 50,
      samples: 6,
      up: 5,
      busy: 0,
      down: 1,
      maintenance: 0,
      maintenance_percentage: 0,
      unobserved: 0,
      is_full: true,
      verdict: 'low',
    });
    expect(body.causes).toEqual([
      {
        gpu: 'a/0',
        node: 'a',
        labels: { gpu: '0', modelName: 'NVIDIA A100' },
        state: 'down',
        reason: 'temperature 91 °C > 85 °C',
        since: TIMESTAMP - 3,
      },
    ]);
  });
});

describe('GET /gpu/monitoring/summary', () => {
  it('shows fleet, nodes, GPUs that are not up, delays and the engine itself', async () => {
    const { body } = await get('/gpu/monitoring/summary');
    expect(body).toMatchObject({
      overall_status: 'unhealthy',
      gpus: { total: 3, up: 2, busy: 0, down: 1, unobserved: 0 },
      nodes: [
        { node: 'a', status: 'unhealthy', gpus: 2, can_process: false },
        { node: 'b', status: 'healthy', gpus: 1, can_process: true },
      ],
      unhealthy_gpus: [{ gpu: 'a/0', node: 'a', state: 'down', reason: 'temperature 91 °C > 85 °C' }],
      active_delays: [
        { capability: 'default', delay_seconds: 300 },
        { capability: 'text-to-image', delay_seconds: 300 },
      ],
      alerts: [],
      holds: [],
      guard: { frozen: false, low_nodes: 1 },
      engine: {
        ready: true,
        policy_revision: 'test00000000',
        data_age_seconds: 3,
        stale: false,
        backlog_ticks: 0,
        last_failure: null,
      },
    });
  });
});

describe('/api/v1/holds', () => {
  const HOLD = { effect: 'allow', owner: 'ops', reason: 'fan swapped', expires_in_seconds: 600, node: 'a' };

  it('holds a node, shows the hold, and lets it go', async () => {
    const url = await serving();
    const send = (method: string, path: string, body?: unknown) =>
      fetch(`${url}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const gate = async () => (await fetch(`${url}/api/v1/gate/forward/default?node=a`)).status;
    expect(await gate()).toBe(429);
    const created = await json(await send('POST', '/api/v1/holds', HOLD));
    expect(created).toMatchObject({
      effect: 'allow',
      owner: 'ops',
      subject: { level: 'node', id: 'a' },
      capability: null,
      expires_at: TIMESTAMP + 600,
    });
    expect(await gate()).toBe(200);
    expect((await json(await fetch(`${url}/api/v1/holds`))).holds).toEqual([created]);
    expect((await send('DELETE', `/api/v1/holds/${created.id}`)).status).toBe(204);
    expect((await send('DELETE', `/api/v1/holds/${created.id}`)).status).toBe(404);
    expect(await gate()).toBe(429);
  });

  it('refuses a hold on a node nobody has seen, or one without an end', async () => {
    expect(await post('/api/v1/holds', { ...HOLD, node: 'z' })).toMatchObject({ status: 404 });
    expect(await post('/api/v1/holds', { ...HOLD, expires_in_seconds: undefined })).toMatchObject({ status: 400 });
  });

  it.each([
    ['no token is set and the engine listens beyond loopback', { address: '0.0.0.0' }, {}, 403],
    ['the token is missing', { token: 'sixteen-letters!' }, {}, 401],
    ['the token is wrong', { token: 'sixteen-letters!' }, { authorization: 'Bearer sixteen-letters?' }, 401],
    [
      'the token is right',
      { token: 'sixteen-letters!', address: '0.0.0.0' },
      { authorization: 'Bearer sixteen-letters!' },
      201,
    ],
    [
      'the scheme is in small letters',
      { token: 'sixteen-letters!' },
      { authorization: 'bearer sixteen-letters!' },
      201,
    ],
    ['the token is in other letters', { token: 'sixteen-letters!' }, { authorization: 'Bearer Sixteen-letters!' }, 401],
    ['the scheme is another one', { token: 'sixteen-letters!' }, { authorization: 'Basic sixteen-letters!' }, 401],
    ['a web page writes without a token', {}, { origin: 'http://evil.test' }, 403],
  ])('when %s, a write answers accordingly', async (_, options, headers, status) => {
    expect((await post('/api/v1/holds', HOLD, headers, options)).status).toBe(status);
    expect((await post('/-/reload', {}, headers, options)).status).toBe(status === 201 ? 200 : status);
  });
});

describe('/-/ endpoints', () => {
  it('are healthy while starting, and ready only with history', async () => {
    const url = await serving({ isReady: false });
    expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
    const ready = await fetch(`${url}/-/ready`);
    expect([ready.status, (await json(ready)).detail]).toEqual([
      503,
      'still reading Prometheus history: http://prometheus is unreachable',
    ]);
  });

  it('a refused reload says why and keeps what was', async () => {
    const answer = await post(
      '/-/reload',
      {},
      {},
      { reload: async () => ({ ok: false, text: 'rules/policy.yml:3:1: error' }) },
    );
    expect(answer).toMatchObject({ status: 422, body: { diagnostics: 'rules/policy.yml:3:1: error' } });
  });

  it('unknown paths are a problem, too', async () => {
    expect(await get('/gpu/uptme')).toMatchObject({
      status: 404,
      body: { detail: 'GET /gpu/uptme does not exist; the README lists the endpoints' },
    });
  });
});
