/** The endpoint table and the example answers of the README are those of the engine. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fired } from '../engine/core/firing.ts';
import { capability, planOf, play, times } from '../engine/core/fixtures.ts';
import { type Serving, serve } from '../engine/http/serving.ts';
import { ROOT, readDocument, tableRows } from './documents.ts';

const README = readDocument('README.md');
const LISTED = tableRows(README, 'endpoint').map(([cell = '']) => cell.replaceAll('`', ''));
const UP = { 'a/0': 'up', 'b/0': 'up' } as const;
const FLEET = play(planOf({ capabilities: [capability('default')] }), [
  ...times(24, UP),
  ...times(1, { ...UP, 'a/0': 'hot' }),
]);
const ALERT = {
  name: 'GpuThermalCritical',
  state: 'firing',
  severity: 'critical',
  summary: 'gpu 0: 91 °C > 85 °C',
  labels: {},
  sinceMs: 0,
} as const;

let serving: Serving;
beforeAll(async () => {
  const firing = [fired('throttle', 'a/0', 0), fired('notify', 'a', 0), fired('notify', 'b', 0)];
  serving = await serve({ fleet: FLEET, alerts: [ALERT], firing });
});
afterAll(() => serving.close());

async function ask(endpoint: string, body?: object) {
  const [method = '', path = ''] = endpoint.split(' ');
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${serving.url}${path.replace(/\{\w+\}/g, 'some')}`, { method, ...init });
  return { status: response.status, body: await response.text() };
}

/** `GET /api/v1/holds` for every route written in engine/http, with parameters as the README writes them. */
function routes(): readonly string[] {
  const files = globSync('engine/http/*.ts', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));
  return files.flatMap((text) =>
    [...text.matchAll(/\b(?:router|app)\.(get|post|put|patch|delete)\(\s*'([^']+)'/g)].map(
      ([, method = '', path = '']) => `${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`,
    ),
  );
}

describe('the endpoint table', () => {
  it.each(LISTED)('%s is routed by the engine', async (endpoint) => {
    const { status, body } = await ask(endpoint);
    expect([endpoint, status, body]).not.toEqual([endpoint, 404, expect.stringContaining('does not exist')]);
  });

  it('is told apart from what is not routed', async () => {
    expect(await ask('GET /gpu/nothing')).toMatchObject({
      status: 404,
      body: expect.stringContaining('does not exist'),
    });
  });

  it('lists every route of engine/http', () => {
    expect(routes().length).toBeGreaterThan(8);
    expect(routes().filter((route) => !LISTED.includes(route))).toEqual([]);
  });
});

/** Example answers by endpoint, from the blocks that a comment names. */
const EXAMPLES = [...README.text.matchAll(/<!-- example: (\S+ \S+) -->\n```json5\n([\s\S]*?)```/g)].map(
  ([, endpoint = '', json = '']) => [endpoint, json] as const,
);

/** What an answer is made of: keys and types, an array as its first element; labels are whatever a GPU has. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (value === null || typeof value !== 'object') return typeof value;
  const entries = Object.entries(value).map(([key, inner]) => [key, key === 'labels' ? 'labels' : shapeOf(inner)]);
  return Object.fromEntries(entries);
}

describe('the example answers', () => {
  it('are there for every documented endpoint that has one', () => {
    expect(EXAMPLES.map(([endpoint]) => endpoint).sort()).toEqual([
      'GET /gpu/payment-delays',
      'GET /gpu/uptime',
      'POST /api/v1/decisions/delay',
      'POST /gpu/check-payment-delay',
    ]);
  });

  it.each(EXAMPLES)('%s has the shape that the engine gives', async (endpoint, json) => {
    const answer = await ask(endpoint, endpoint.startsWith('POST') ? { capability: 'text-to-image' } : undefined);
    expect(answer.status).toBe(200);
    expect(shapeOf(JSON.parse(json))).toEqual(shapeOf(JSON.parse(answer.body)));
  });
});
