import { afterEach, describe, expect, it } from 'vitest';
import { fired, firingTimes, playFiring } from '../core/firing.ts';
import { planOf, SECOND } from '../core/fixtures.ts';
import { type Serving, type ServingOptions, serve } from './serving.ts';

const open: Serving[] = [];

afterEach(async () => {
  for (const serving of open.splice(0)) await serving.close();
});

const UP = { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up', 'c/0': 'up', 'd/0': 'up' } as const;

/** Node b must take no new work, GPU a/0 is throttled, and an alert names a GPU that nobody has seen. */
const FLEET = playFiring(planOf(), [
  ...firingTimes(24, UP),
  ...firingTimes(1, UP, [
    ['preempt', 'b'],
    ['throttle', 'a/0'],
    ['quarantine', 'z/9'],
  ]),
]);
const TICK = (FLEET.state.tickMs ?? 0) / SECOND;
/** Fired half a second after the tick. */
const ECC = fired('quarantine', 'a/0', TICK * SECOND + 500);
const ID = `test00000000.${TICK}.default`;

async function start(options: Partial<ServingOptions> = {}): Promise<string> {
  const started = await serve({ fleet: FLEET, firing: [ECC], ...options });
  open.push(started);
  return started.url;
}

async function ask(path: string, options: Partial<ServingOptions> = {}, init: RequestInit = {}) {
  const { status, headers, ...response } = await fetchFrom(await start(options), path, init);
  return { status, headers, body: response.body };
}

async function fetchFrom(url: string, path: string, init: RequestInit = {}) {
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? '' : JSON.parse(text) };
}

const PREEMPT = {
  action: 'preempt',
  alert: 'GpuPowerCritical',
  severity: 'critical',
  gpu: null,
  node: 'b',
  since: TICK,
  summary: '',
  ignored: null,
};
const THROTTLE = { ...PREEMPT, action: 'throttle', alert: 'GpuThermalCritical', gpu: 'a/0', node: 'a' };
const QUARANTINE = {
  ...THROTTLE,
  action: 'quarantine',
  alert: 'GpuEccUncorrectable',
  since: TICK + 0.5,
  summary: 'GpuEccUncorrectable on a/0',
};
const UNKNOWN = { ...QUARANTINE, gpu: 'z/9', node: null, since: TICK, summary: '', ignored: 'unknown' };

const ROW_NODE = {
  gpu: null,
  node: 'b',
  action: 'preempt',
  place: false,
  move_work_off: true,
  hold: null,
  alerts: [PREEMPT],
};
const ROW_B0 = { ...ROW_NODE, gpu: 'b/0' };
const ROW_A0 = { ...ROW_NODE, gpu: 'a/0', node: 'a', action: 'quarantine', alerts: [QUARANTINE, THROTTLE] };

describe('GET /api/v1/actions', () => {
  it('lists every GPU and node with an action in effect, and what is ignored', async () => {
    expect(await ask('/api/v1/actions')).toMatchObject({
      status: 200,
      body: { evaluated_at: TICK, stale: false, count: 3, actions: [ROW_NODE, ROW_A0, ROW_B0], ignored: [UNKNOWN] },
    });
  });

  it('answers exactly that JSON for one GPU, with the row of its node', async () => {
    expect((await ask('/api/v1/actions?gpu=b/0')).body).toEqual({
      evaluated_at: TICK,
      stale: false,
      count: 2,
      actions: [ROW_NODE, ROW_B0],
      ignored: [UNKNOWN],
    });
  });

  it.each<[string, (string | null)[]]>([
    ['action=quarantine', ['a/0']],
    ['action=preempt', [null, 'b/0']],
    ['action=throttle', []],
    ['node=a', ['a/0']],
    ['node=b&action=preempt', [null, 'b/0']],
    ['gpu=1&node=a', []],
    ['node=c', []],
  ])('is filtered by %s', async (query, gpus) => {
    const { body } = await ask(`/api/v1/actions?${query}`);
    expect(body.actions.map(({ gpu }: { gpu: string | null }) => gpu)).toEqual(gpus);
  });

  it('lets a throttled GPU stay in placement', async () => {
    const { body } = await ask('/api/v1/actions?gpu=a/0', { firing: [] });
    expect(body.actions).toEqual([
      { gpu: 'a/0', node: 'a', action: 'throttle', place: true, move_work_off: false, hold: null, alerts: [THROTTLE] },
    ]);
  });

  it('leaves out alerts that only notify', async () => {
    const { body } = await ask('/api/v1/actions?node=c', { firing: [fired('notify', 'c/0', 0)] });
    expect(body).toMatchObject({ count: 0, actions: [], ignored: [UNKNOWN] });
  });

  it('is empty JSON without alerts', async () => {
    const quiet = playFiring(planOf(), firingTimes(3, UP));
    expect((await ask('/api/v1/actions', { fleet: quiet, firing: [] })).body).toEqual({
      evaluated_at: (quiet.state.tickMs ?? 0) / SECOND,
      stale: false,
      count: 0,
      actions: [],
      ignored: [],
    });
  });

  it('obeys an operator who lets work through', async () => {
    const url = await start();
    const hold = { effect: 'allow', owner: 'ops', reason: 'burn-in', expires_in_seconds: 60, gpu: 'a/0' };
    const { body: created } = await fetchFrom(url, '/api/v1/holds', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(hold),
    });
    expect((await fetchFrom(url, '/api/v1/actions?gpu=a/0')).body.actions).toEqual([
      { ...ROW_A0, place: true, move_work_off: false, hold: created.id },
    ]);
  });

  it.each([
    ['gpu=9', 404, 'GPU "9" has not been seen'],
    [
      'action=notify',
      400,
      'the query is not valid: action: it is "notify", and must be one of throttle, preempt, quarantine',
    ],
    ['uuid=a', 400, 'the query is not valid: query: "uuid" is not known here; known: action, node, gpu'],
  ])('refuses %s', async (query, status, detail) => {
    expect(await ask(`/api/v1/actions?${query}`)).toMatchObject({
      status,
      body: { detail: expect.stringContaining(detail) },
    });
  });
});

describe('a gate', () => {
  it('denies a quarantined GPU before the next tick, with 429, Retry-After and the reason', async () => {
    const { status, headers, body } = await ask('/api/v1/gate/forward/x?gpu=a/0');
    expect([status, headers.get('retry-after'), headers.get('x-gpu-action')]).toEqual([429, '9', 'quarantine']);
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Quarantined: GpuEccUncorrectable fires on a/0 since 2023-11-14T22:17:20Z',
      decision_id: `${ID}.gpu.a%2F0.quarantined-GpuEccUncorrectable`,
      wait_time_seconds: 9,
      multiplier: 0,
      consecutive_failures: 0,
      stale: false,
      action: 'quarantine',
    });
  });

  it('denies a node whose GPUs are all preempted', async () => {
    const { status, headers, body } = await ask('/api/v1/gate/nginx/x?node=b');
    expect([status, headers.get('x-decision-status'), headers.get('x-gpu-action')]).toEqual([403, '429', 'preempt']);
    expect(body.detail).toBe(
      'Preempted: 1 of 1 GPUs of node b take no new work: GpuPowerCritical fires on node b since 2023-11-14T22:17:20Z',
    );
  });

  it.each([
    ['a throttled GPU with the header', 'gpu=a/0', 'throttle'],
    ['a node with a free GPU without it', 'node=a', null],
    ['a GPU that no alert names without it', 'gpu=c/0', null],
  ])('allows %s', async (_, query, action) => {
    const { status, headers, body } = await ask(`/api/v1/gate/envoy/x`, { firing: [] }, { headers: subject(query) });
    expect([status, headers.get('x-gpu-action'), body]).toEqual([200, action, '']);
  });

  it('explains anew when another alert fires within the same tick', async () => {
    const firing = [ECC];
    const url = await start({ firing });
    const detail = async () => (await fetchFrom(url, '/api/v1/gate/forward/x?gpu=a/0')).body.detail;
    expect(await detail()).toMatch(/^Quarantined: GpuEccUncorrectable fires on a\/0 since \S+$/);
    firing.push(fired('quarantine', 'a', TICK * SECOND + 900));
    expect(await detail()).toMatch(/fires on a\/0 since \S+, GpuEccUncorrectable fires on node a since \S+$/);
  });
});

function subject(query: string): Record<string, string> {
  const [name = '', value = ''] = query.split('=');
  return name === 'gpu' ? { 'x-gpu-uuid': value } : { 'x-gpu-node': value };
}

describe('the whole answer', () => {
  const post = async (body: unknown, options: Partial<ServingOptions> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return (await ask('/api/v1/decisions/delay', options, init)).body;
  };

  it('carries the action, its alerts, and how many GPUs are free', async () => {
    expect(await post({ gpu: 'a/0' })).toMatchObject({
      can_process: false,
      basis: 'quarantined',
      action: 'quarantine',
      actions: [QUARANTINE, THROTTLE],
      placement: { gpus: 1, free: 0, throttled: 0, preempted: 0, quarantined: 1 },
    });
    expect(await post({})).toMatchObject({
      can_process: true,
      basis: 'clear',
      action: null,
      actions: [QUARANTINE, PREEMPT, THROTTLE, UNKNOWN],
      placement: { gpus: 5, free: 3, throttled: 0, preempted: 1, quarantined: 1 },
    });
    expect(await post({ gpu: 'c/0' })).toMatchObject({
      action: null,
      actions: [],
      placement: { gpus: 1, free: 1, throttled: 0, preempted: 0, quarantined: 0 },
    });
  });

  it('shows an alert that only notifies, which changes nothing', async () => {
    expect(await post({ gpu: 'c/0' }, { firing: [fired('notify', 'c/0', TICK * SECOND)] })).toMatchObject({
      can_process: true,
      basis: 'clear',
      action: 'notify',
      reason: 'Every window with enough data meets its threshold',
      actions: [{ action: 'notify', alert: 'GpuThermalWarning', gpu: 'c/0', ignored: null }],
    });
  });
});

describe('the documented endpoints', () => {
  it('keep their shapes; reasons tell', async () => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"capability":"x","gpu":"a/0"}',
    };
    const { status, headers, body } = await ask('/gpu/check-payment-delay', {}, init);
    expect([status, headers.get('retry-after')]).toEqual([200, '9']);
    expect(body).toEqual({
      can_process: false,
      wait_time_seconds: 9,
      reason: 'Quarantined: GpuEccUncorrectable fires on a/0 since 2023-11-14T22:17:20Z',
    });
  });

  it('name the quarantine as what keeps a GPU down', async () => {
    const fleet = playFiring(planOf(), [...firingTimes(24, UP), ...firingTimes(1, UP, [['quarantine', 'a/0']])]);
    const { body } = await ask('/gpu/monitoring/summary', { fleet, firing: [] });
    expect(body.unhealthy_gpus).toEqual([
      {
        gpu: 'a/0',
        node: 'a',
        labels: { gpu: '0', modelName: 'NVIDIA A100' },
        state: 'down',
        reason: 'quarantined by GpuEccUncorrectable since 2023-11-14T22:17:20Z',
      },
    ]);
  });
});
