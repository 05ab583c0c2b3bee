/** Paths that are known, with a method that they do not take. */
import { describe, expect, it } from 'vitest';
import { registered } from '../ping/registry-fixtures.ts';
import { servePings } from './ping-serving.ts';

describe('a path with another method', () => {
  it.each([
    ['DELETE /ping-system/agents/register', 'POST'],
    ['GET /ping-system/agents/register', 'POST'],
    ['DELETE /ping-system/agents/due-for-ping', 'GET, HEAD'],
    ['PUT /ping-system/agents/agent-001', 'GET, HEAD, DELETE'],
    ['POST /ping-system/agents/agent-001/', 'GET, HEAD, DELETE'],
    ['GET /ping-system/agents/agent-001/ping', 'POST'],
    ['POST /ping-system/dashboard', 'GET, HEAD'],
    ['PUT /api/v1/decisions/ping/agent-001', 'GET, HEAD'],
    ['GET /api/v1/decisions/ping/agent-001/ping-result', 'POST'],
    ['POST /sd/agents', 'GET, HEAD'],
    ['POST /metrics', 'GET, HEAD'],
    ['PATCH /api/v1/holds', 'GET, HEAD, POST'],
    ['GET /api/v1/holds/1', 'DELETE'],
    ['DELETE /api/v1/query', 'GET, HEAD, POST'],
    ['POST /api/v1/alerts', 'GET, HEAD'],
    ['GET /-/reload', 'POST'],
    ['DELETE /', 'GET, HEAD'],
  ])('%s says that there are %s', async (request, allow) => {
    const { ask, registry } = await servePings({ token: 'operators-token-of-16' });
    await registered(registry);
    const [method, path] = request.split(' ');
    const { status, headers, body } = await ask(request);
    expect([status, headers.get('allow'), headers.get('content-type')]).toEqual([
      405,
      allow,
      'application/problem+json',
    ]);
    const detail = `${path} does not take ${method}: send ${allow.replaceAll(', ', ' or ')}`;
    expect(body).toEqual({ type: 'about:blank', title: 'Method Not Allowed', status: 405, detail });
    expect(registry.size).toBe(1);
  });

  it('is answered before its body is read', async () => {
    const { ask } = await servePings();
    expect(await ask('PUT /ping-system/dashboard', { body: '{"half":' })).toMatchObject({ status: 405 });
  });

  it('leaves OPTIONS, unknown paths and gates as they are', async () => {
    const { ask } = await servePings();
    const options = await ask('OPTIONS /ping-system/agents/agent-001');
    expect([options.status, options.headers.get('allow')]).toEqual([200, 'DELETE, GET, HEAD']);
    expect(await ask('PUT /ping-system/nothing')).toMatchObject({ status: 404 });
    expect((await ask('DELETE /api/v1/gate/forward/default')).status).not.toBe(405);
  });
});
