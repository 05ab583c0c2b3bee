/** Whatever is sent about agents, the engine says what is wrong with it, and never fails. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REGISTRATION, registered } from '../ping/registry-fixtures.ts';
import { servePings } from './ping-serving.ts';

const RUNS = { numRuns: 300 };

const word = fc.oneof(
  fc.constantFrom('agent-001', 'agent-9', '.', '..', '%', '%2e%2e', '__proto__', 'constructor', 'register'),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => encodeURIComponent(text.toWellFormed())),
);
const name = fc.constantFrom(
  'hours',
  'limit',
  'before',
  'after',
  'q',
  'status',
  'capability',
  'due',
  '__proto__',
  'x[y]',
);
const value = fc.oneof(fc.constantFrom('', '0', '-1', '1e400', 'NaN', '0x10', '1.1', '9'.repeat(400)), fc.string());
const query = fc
  .array(fc.tuple(name, value), { maxLength: 4 })
  .map((pairs) => String(new URLSearchParams(pairs.map(([key, text]) => [key, text.toWellFormed()]))));
const path = fc.oneof(
  fc.constantFrom('/ping-system/agents', '/ping-system/agents/due-for-ping', '/ping-system/dashboard', '/sd/agents'),
  word.map((id) => `/ping-system/agents/${id}`),
  word.map((id) => `/ping-system/agents/${id}/history`),
  word.map((id) => `/api/v1/decisions/ping/${id}`),
);

const anything = fc.jsonValue({ maxDepth: 3 });
const nearly = fc.record(
  {
    agent_id: fc.oneof(fc.constantFrom('agent-001', 'agent-2'), anything),
    agent_url: fc.oneof(
      fc.constantFrom('http://agent-host:8001', 'http://[::1]:80', 'http://0x7f.1'),
      fc.webUrl(),
      anything,
    ),
    capabilities: fc.oneof(fc.array(fc.string()), anything),
    metadata: fc.oneof(fc.dictionary(fc.string(), anything), anything),
    at: fc.oneof(fc.double(), anything),
    ended_at: fc.oneof(fc.double(), anything),
    reply: fc.oneof(
      fc.record(
        {
          kind: fc.constantFrom('answered', 'unreachable', 'refused', 'invalid', 'x'),
          answer: anything,
          reason: fc.oneof(fc.string(), anything),
          round_trip_seconds: fc.double(),
          retry_after_seconds: fc.double(),
        },
        { requiredKeys: [] },
      ),
      anything,
    ),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.constant(undefined),
  fc.string(),
  anything.map((json) => JSON.stringify(json)),
  nearly.map((json) => JSON.stringify(json)),
);

describe('any request', () => {
  it('that reads is answered, and changes nothing', async () => {
    const { agents, ask, registry } = await servePings();
    await registered(registry);
    const before = await agents.find('agent-001');
    await fc.assert(
      fc.asyncProperty(path, query, async (where, what) => {
        const { status } = await ask(`GET ${where}?${what}`);
        expect([200, 400, 404, 405]).toContain(status);
      }),
      RUNS,
    );
    expect([await agents.find('agent-001'), registry.size]).toEqual([before, 1]);
  });

  it('that writes is done, or told what is wrong', async () => {
    const { ask, logged, registry } = await servePings();
    await registered(registry);
    const target = fc.oneof(
      fc.constant('POST /ping-system/agents/register'),
      word.map((id) => `POST /ping-system/agents/${id}/ping`),
      word.map((id) => `POST /api/v1/decisions/ping/${id}/ping-result`),
      word.map((id) => `DELETE /ping-system/agents/${id}`),
    );
    await fc.assert(
      fc.asyncProperty(target, body, async (request, sent) => {
        const { status, headers } = await ask(request, { body: sent });
        expect([200, 201, 400, 403, 404, 405, 413, 415]).toContain(status);
        if (status >= 400) expect(headers.get('content-type')).toBe('application/problem+json');
      }),
      RUNS,
    );
    expect(logged()).toBe('');
  });

  it.each([
    ['{"agent_id": "p", "agent_url": "http://h:8001", "__proto__": {"metadata": {}}}', 400],
    ['{"agent_id": "p", "agent_url": "http://h:8001", "metadata": {"__proto__": 1}}', 400],
    [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, 400],
    [JSON.stringify({ ...REGISTRATION, agent_url: `http://${'a.'.repeat(2000)}` }), 400],
    ['\ufeff{}', 400],
  ])('of ill will is refused: %.60s', async (sent, status) => {
    const { ask, registry } = await servePings();
    expect(await ask('POST /ping-system/agents/register', { body: sent })).toMatchObject({ status });
    expect(registry.size).toBe(0);
  });
});
