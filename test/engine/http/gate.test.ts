import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capability, planOf, play, times } from '../core/fixtures.ts';
import { type Serving, serve } from './serving.ts';

const UP = { 'a/0': 'up', 'b/0': 'up' } as const;
const FLEET = play(planOf({ capabilities: [capability('default'), capability('big', { gpus: { gpu: '7' } })] }), [
  ...times(24, UP),
  ...times(1, { ...UP, 'a/0': 'hot' }),
]);
const ID = `test00000000.${(FLEET.state.tickMs ?? 0) / 1000}.default`;

let serving: Serving;
beforeAll(async () => {
  serving = await serve({ fleet: FLEET });
});
afterAll(() => serving.close());

async function ask(path: string, init?: RequestInit) {
  const response = await fetch(`${serving.url}/api/v1/gate/${path}`, init);
  const { status, headers } = response;
  return { status, headers, body: await response.text() };
}

describe('GET /api/v1/gate/forward/{capability}', () => {
  it('allows with exactly 200 and an empty body', async () => {
    const { status, headers, body } = await ask('forward/text-to-image?node=b');
    expect([status, body, headers.get('content-length')]).toEqual([200, '', '0']);
    expect([headers.get('x-decision-id'), headers.get('cache-control')]).toEqual([`${ID}.node.b`, 'no-store']);
  });

  it('denies with 429, an integer Retry-After and problem+json', async () => {
    const { status, headers, body } = await ask('forward/text-to-image?node=a');
    expect([status, headers.get('retry-after'), headers.get('content-type')]).toEqual([
      429,
      '297',
      'application/problem+json',
    ]);
    expect([headers.get('cache-control'), headers.get('x-decision-id')]).toEqual(['no-store', `${ID}.node.a`]);
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Low uptime detected: short-term: 83.3% < 99%, medium-term: 91.6% < 99%, long-term: 95.8% < 99%',
      decision_id: `${ID}.node.a`,
      wait_time_seconds: 297,
      multiplier: 10,
      consecutive_failures: 1,
      clears_at_if_healthy: (FLEET.state.tickMs ?? 0) / 1000 + 240,
      stale: false,
    });
  });

  it.each(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('answers %s like GET', async (method) => {
    expect((await ask('forward/x?node=a', { method })).status).toBe(429);
    expect((await ask('forward/x?node=b', { method })).status).toBe(200);
  });

  it.each([
    ['an unknown node', 'forward/x?node=z', 403, /no GPU of node "z"/],
    ['a capability that no GPU may serve', 'forward/big', 403, /^No GPU of fleet may serve big$/],
    ['an unknown flavour', 'traefik/x', 404, /does not exist/],
    ['no capability', 'forward/', 404, /does not exist/],
    ['a broken escape', 'forward/%zz', 404, /does not exist/],
  ])('refuses %s', async (_, path, status, detail) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).detail).toMatch(detail);
  });
});

describe('a gate before history has been read', () => {
  it('answers by on_stale about nodes and GPUs it cannot know yet', async () => {
    const early = await serve({ fleet: play(planOf(), []), isReady: false });
    try {
      for (const subject of ['node=z', 'gpu=GPU-z', 'gpu=3&node=z']) {
        const { status, headers } = await fetch(`${early.url}/api/v1/gate/forward/x?${subject}`);
        expect([status, headers.get('x-decision-stale')]).toEqual([200, 'true']);
      }
    } finally {
      await early.close();
    }
  });
});

describe('the nginx flavour', () => {
  it('denies with 403 and names the real status in headers', async () => {
    const { status, headers } = await ask('nginx/x?node=a');
    expect([status, headers.get('x-decision-status'), headers.get('retry-after')]).toEqual([403, '429', '297']);
  });

  it('has the same status in the body as on the wire', async () => {
    const { status, body } = await ask('nginx/x?node=a');
    expect(JSON.parse(body).status).toBe(status);
  });

  it('answers nothing but 200 and 403', async () => {
    expect((await ask('nginx/x?node=b')).status).toBe(200);
    expect((await ask('nginx/x?node=z')).status).toBe(403);
  });
});

describe('the envoy flavour', () => {
  it('takes the subject from headers and ignores the client path and query behind the capability', async () => {
    const headers = { 'x-gpu-node': 'a' };
    expect((await ask('envoy/x/client/path?node=b', { headers })).status).toBe(429);
    expect((await ask('envoy/x/client/path?node=a', { headers: { 'x-gpu-node': 'b' } })).status).toBe(200);
  });
});
