import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { createTokenBucket } from '../../../exporter/web/rate-limit.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { askHttp, basic } from './https-client.ts';
import { type ServeOptions, serveWeb } from './web-server-under-test.ts';

async function serveConfig(config: unknown, options: ServeOptions = {}) {
  const path = join(temporaryDirectory(), 'web.yml');
  writeFileSync(path, JSON.stringify(config));
  return serveWeb({ config: path, ...options });
}

const headers = {
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'sameorigin',
  'X-XSS-Protection': '1; mode=block',
  'Content-Security-Policy': "default-src 'self' *.example.org",
};
const lowerCased = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

describe('http_server_config.headers', () => {
  it('are on every answer, also where a password is asked for', async () => {
    const { port } = await serveConfig({
      http_server_config: { headers },
      basic_auth_users: { sre: hashSync('secret', 4) },
    });
    const letIn = await askHttp({ port, headers: basic('sre', 'secret') });
    const refused = await askHttp({ port });
    expect([letIn.status, refused.status]).toEqual([200, 401]);
    expect(letIn.headers).toMatchObject(lowerCased);
    expect(refused.headers).toMatchObject(lowerCased);
  });

  it('can be left empty, and are then not sent', async () => {
    const { port } = await serveConfig({
      http_server_config: { headers: { 'X-XSS-Protection': '', 'X-Frame-Options': null } },
    });
    const { 'x-xss-protection': blank, 'x-frame-options': missing } = (await askHttp({ port })).headers;
    expect([blank, missing]).toEqual([undefined, undefined]);
  });
});

describe('rate_limit', () => {
  it('answers 429 exactly as the original does, and goes on after the interval', async () => {
    let atMs = 0;
    const config = { rate_limit: { interval: '1s', burst: 2 }, http_server_config: { headers } };
    const { port } = await serveConfig(config, { now: () => atMs });
    const statuses = [await askHttp({ port }), await askHttp({ port }), await askHttp({ port })].map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 200, 429]);
    const { date: _, ...refused } = (await askHttp({ port })).headers;
    expect(refused).toEqual({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-length': '18',
      connection: 'close',
    });
    expect((await askHttp({ port })).body).toBe('Too Many Requests\n');
    atMs = 1000;
    expect([(await askHttp({ port })).status, (await askHttp({ port })).status]).toEqual([200, 429]);
  });

  it('counts wrong passwords too', async () => {
    const users = { basic_auth_users: { sre: hashSync('secret', 4) } };
    const { port } = await serveConfig({ rate_limit: { interval: '1h', burst: 1 }, ...users });
    expect([
      (await askHttp({ port })).status,
      (await askHttp({ port, headers: basic('sre', 'secret') })).status,
    ]).toEqual([401, 429]);
  });
});

describe('createTokenBucket', () => {
  it.each([
    {
      what: 'lets a burst pass and then one per interval',
      at: [0, 0, 0, 0, 1000, 1000, 2000],
      passed: [1, 1, 1, 0, 1, 0, 1],
    },
    { what: 'holds no more than the burst', at: [0, 90_000, 90_000, 90_000, 90_000], passed: [1, 1, 1, 1, 0] },
    { what: 'adds parts of tokens up', at: [0, 0, 0, 400, 800, 1200], passed: [1, 1, 1, 0, 0, 1] },
    { what: 'gives nothing for a clock that went back', at: [5000, 5000, 5000, 0, 0], passed: [1, 1, 1, 0, 0] },
  ])('$what', ({ at, passed }) => {
    const clock = { atMs: at[0] ?? 0 };
    const takeToken = createTokenBucket({ intervalMs: 1000, burst: 3 }, () => clock.atMs);
    const outcomes = at.map((atMs) => {
      clock.atMs = atMs;
      return takeToken() ? 1 : 0;
    });
    expect(outcomes).toEqual(passed);
  });
});

describe('an answer that fails', () => {
  it('is 500, and the operator hears why', async () => {
    const { port, errors } = await serveConfig(
      {},
      {
        handler: () => {
          throw new Error('broken');
        },
      },
    );
    const { status, body } = await askHttp({ port });
    expect([status, body]).toEqual([500, 'Internal Server Error\n']);
    expect(errors).toEqual([new Error('broken')]);
  });
});
