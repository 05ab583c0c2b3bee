import { execFile } from 'node:child_process';
import {
  createServer,
  type IncomingMessage,
  request as plainRequest,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HttpClientSettings } from '../../../engine/http-client/settings.ts';
import { openPassage, type PassageOptions } from '../../../engine/prometheus/passage.ts';
import { freePort } from '../../servers/free-port.ts';
import { scrapeConfig, startPrometheus } from '../../servers/prometheus.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { capability, planOf, play, times } from '../core/fixtures.ts';
import { type Serving, serve } from './serving.ts';

const FLEET = play(planOf({ capabilities: [capability('default')] }), times(2, { 'a/0': 'up' }));
const OK = JSON.stringify({ status: 'success', data: [] });

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface EngineStart extends Partial<PassageOptions> {
  readonly isProtected?: boolean;
  readonly token?: string;
  readonly address?: string;
}

/** The engine's HTTP side in front of the Prometheus at `url`. */
async function engineBefore(url: string, { isProtected = false, token, address, ...options }: EngineStart = {}) {
  const passage = openPassage({ url, timeoutMs: 5000, connections: 2, requests: 10, ...options });
  closing.push(() => passage.close(0));
  const given = { ...(token === undefined ? {} : { token }), ...(address === undefined ? {} : { address }) };
  const engine: Serving = await serve({ fleet: FLEET, queries: { passage, isProtected }, ...given });
  closing.push(() => engine.close());
  return engine.url;
}

async function fakePrometheus(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answering(status: number, body: string, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  };
}

async function ask(url: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.json() };
}

function form(fields: Record<string, string>): RequestInit {
  return { method: 'POST', body: new URLSearchParams(fields) };
}

/** What nobody but Prometheus can have said. */
const QUESTIONS: readonly (readonly [string, RequestInit?])[] = [
  ['/api/v1/query?query=vector(1)&time=100'],
  ['/api/v1/query', form({ query: 'vector(1) or vector(2)', time: '100' })],
  ['/api/v1/query?query=sum('],
  ['/api/v1/query'],
  ['/api/v1/query_range?query=vector(1)&start=0&end=60&step=30'],
  ['/api/v1/query_range', form({ query: 'time()', start: '0', end: '60', step: '30' })],
  ['/api/v1/query_exemplars?query=up&start=0&end=60'],
  ['/api/v1/labels'],
  ['/api/v1/labels', form({ 'match[]': 'prometheus_build_info' })],
  ['/api/v1/label/job/values'],
  ['/api/v1/label/__name__/values?limit=3'],
  ['/api/v1/label/no%20label/values'],
  ['/api/v1/series?match[]=prometheus_build_info'],
  ['/api/v1/series', form({ 'match[]': 'prometheus_build_info' })],
  ['/api/v1/series'],
  ['/api/v1/metadata?metric=prometheus_build_info'],
  ['/api/v1/format_query?query=sum(up)by(job)'],
  ['/api/v1/format_query', form({ query: 'sum(up)by(job)' })],
];

describe('queries that are passed on', { timeout: 60_000 }, () => {
  it('are answered as Prometheus answers them, to fetch and to promtool', async (context) => {
    const tool = await requireTool(context, 'prometheus');
    const port = await freePort();
    const config = scrapeConfig({ prometheus: `127.0.0.1:${port}` });
    const prometheus = await startPrometheus({ tool, port, config });
    closing.push(() => prometheus.stop());
    const engine = await engineBefore(prometheus.url);
    const isScraped = async () => JSON.stringify(await ask(`${prometheus.url}/api/v1/metadata`)).includes('build_info');
    await expect.poll(isScraped, { timeout: 20_000 }).toBe(true);

    for (const [path, init] of QUESTIONS) {
      // A scrape between the two may have brought new series.
      await vi.waitFor(async () => {
        const [ours, theirs] = [await ask(`${engine}${path}`, init), await ask(`${prometheus.url}${path}`, init)];
        expect([path, ours]).toEqual([path, theirs]);
      }, 10_000);
    }
    const promtool = async (url: string, [kind = '', ...rest]: readonly string[]) => {
      const run = promisify(execFile)(programOf(tool, 'promtool'), ['query', kind, '--format=json', url, ...rest]);
      return (await run).stdout;
    };
    for (const args of [
      ['instant', 'prometheus_build_info * 0', '--time=2000000000'],
      ['instant', 'vector(7)', '--time=100'],
      ['range', 'vector(1)', '--start=0', '--end=60', '--step=30s'],
      ['labels', 'job'],
    ]) {
      expect([args, await promtool(engine, args)]).toEqual([args, await promtool(prometheus.url, args)]);
    }
    const series = await promtool(engine, ['series', '--match=prometheus_build_info']);
    expect(series).toContain('prometheus_build_info');
  });

  it("arrive with what the query needs, with the engine's credentials, and without the client's", async () => {
    const seen: object[] = [];
    const prometheus = await fakePrometheus(async (request, response) => {
      const { authorization, cookie, accept, 'accept-encoding': encoding, 'content-type': type } = request.headers;
      seen.push({
        method: request.method,
        url: request.url,
        authorization,
        cookie,
        accept,
        encoding,
        type,
        body: await text(request),
      });
      response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'a=b', 'x-internal': 'yes' });
      response.end(OK);
    });
    const http: HttpClientSettings = {
      credentials: { kind: 'token', scheme: 'Bearer', token: { text: 'of-the-engine' } },
      tls: { skipsVerification: false },
      followsRedirects: false,
    };
    const engine = await engineBefore(`${prometheus}/base/`, { http });
    const headers = {
      authorization: 'Bearer of-the-client',
      cookie: 'c=d',
      accept: 'application/json',
      'accept-encoding': 'gzip',
    };
    const response = await fetch(`${engine}/api/v1/query?query=up%7Bjob%3D%22a%22%7D&time=1`, { headers });
    expect([...response.headers.keys()].filter((name) => /cookie|internal/.test(name))).toEqual([]);
    await ask(`${engine}/api/v1/series`, { ...form({ 'match[]': 'up' }), headers });
    const common = {
      authorization: 'Bearer of-the-engine',
      cookie: undefined,
      accept: 'application/json',
      encoding: 'gzip',
    };
    expect(seen).toEqual([
      {
        ...common,
        method: 'GET',
        url: '/base/api/v1/query?query=up%7Bjob%3D%22a%22%7D&time=1',
        type: undefined,
        body: '',
      },
      {
        ...common,
        method: 'POST',
        url: '/base/api/v1/series',
        type: 'application/x-www-form-urlencoded',
        body: 'match%5B%5D=up',
      },
    ]);
  });

  it.each([
    ['POST', '/api/v1/admin/tsdb/snapshot', 404],
    ['POST', '/api/v1/write', 404],
    ['DELETE', '/api/v1/series', 405],
    ['PUT', '/api/v1/query', 405],
    ['POST', '/api/v1/label/job/values', 405],
    ['GET', '/api/v1/query/../admin/tsdb/snapshot', 404],
    ['GET', '/api/v1/label/../values', 400],
    ['GET', '/api/v1/label/%2e%2e/values', 400],
    ['GET', '/api/v1/label/..%2f..%2fadmin/values', 200],
    ['GET', '/api/v1/status/config', 404],
  ])('%s %s is not passed on elsewhere', async (method, path, status) => {
    const seen: string[] = [];
    const prometheus = await fakePrometheus((request, response) => {
      seen.push(request.url ?? '');
      answering(200, OK)(request, response);
    });
    const engine = await engineBefore(prometheus);
    expect(await raw(engine, method, path)).toBe(status);
    expect(seen).toEqual(status === 200 ? [path] : []);
  });

  it('are refused when they are too long', async () => {
    const engine = await engineBefore(await fakePrometheus(answering(200, OK)));
    expect(await ask(`${engine}/api/v1/query`, form({ query: 'a'.repeat(1024 * 1024) }))).toEqual({
      status: 413,
      body: { status: 'error', errorType: 'bad_data', error: 'the body is too large: send at most 1048576 bytes' },
    });
  });
});

/** The status, for a path that fetch would tidy up. */
function raw(url: string, method: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = plainRequest({ hostname, port, method, path }, (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once('error', reject);
    sent.end();
  });
}

function refusal(status: number, errorType: string, error: unknown) {
  return { status, body: { status: 'error', errorType, error } };
}

describe('a Prometheus that does not answer as it should', () => {
  it('is said to be unreachable', async () => {
    const engine = await engineBefore('http://127.0.0.1:9');
    expect(await ask(`${engine}/api/v1/query?query=up`)).toEqual(
      refusal(502, 'unavailable', expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/api\/v1\/query is unreachable: .+/)),
    );
  });

  it('is said to be late, and the connection is given up', async () => {
    const gone = Promise.withResolvers<void>();
    const prometheus = await fakePrometheus((request) => request.socket.once('close', () => gone.resolve()));
    const engine = await engineBefore(prometheus, { timeoutMs: 100 });
    expect(await ask(`${engine}/api/v1/query?query=up`)).toEqual(
      refusal(504, 'timeout', `${prometheus}/api/v1/query did not answer in time`),
    );
    await gone.promise;
  });

  it('breaks the answer off that does not end in time: half of it must not look whole', async () => {
    const prometheus = await fakePrometheus((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"status":"success","data":[');
    });
    const engine = await engineBefore(prometheus, { timeoutMs: 200 });
    await expect(ask(`${engine}/api/v1/labels`)).rejects.toThrow(/terminated|fetch failed/);
  });

  it.each([
    [
      'html',
      200,
      "answered 200 with what is not Prometheus' API: check PROMETHEUS_URL",
      { 'content-type': 'text/html' },
    ],
    [
      'a proxy',
      503,
      "answered 503 with what is not Prometheus' API: check PROMETHEUS_URL",
      { 'content-type': 'text/plain' },
    ],
    ['a login', 302, 'redirects (302): set PROMETHEUS_URL to where it leads', { location: '/login' }],
    ['a lock', 401, 'refuses the engine (401): correct the credentials in PROMETHEUS_CLIENT_FILE', {}],
  ])('is named for what it is: %s', async (_kind, status, what, headers) => {
    const prometheus = await fakePrometheus(answering(status, '<p>', headers));
    const engine = await engineBefore(prometheus);
    expect(await ask(`${engine}/api/v1/metadata`)).toEqual(
      refusal(502, 'unavailable', `${prometheus}/api/v1/metadata ${what}`),
    );
  });

  it.each([400, 422, 500, 503])('has its own errors passed through: %i', async (status) => {
    const body = { status: 'error', errorType: 'execution', error: 'in its own words' };
    const engine = await engineBefore(await fakePrometheus(answering(status, JSON.stringify(body))));
    expect(await ask(`${engine}/api/v1/query?query=up`)).toEqual({ status, body });
  });

  it('may answer at great length without filling the memory', async () => {
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    let sent = 0;
    const prometheus = await fakePrometheus((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(piece)) sent += piece.length;
        sent += piece.length;
      };
      response.on('drain', more);
      more();
    });
    const engine = await engineBefore(prometheus, { timeoutMs: 50_000 });
    const response = await fetch(`${engine}/api/v1/series?match[]=up`);
    const reader = response.body?.getReader();
    await reader?.read();
    const before = sent;
    // Nobody reads on, so nothing more is fetched than fits into buffers on the way.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(before).toBeLessThan(64 * 1024 * 1024);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    let received = 0;
    const drained = (async () => {
      for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
        received += part.value.length;
      }
    })();
    await expect(drained).rejects.toThrow('terminated');
    expect(received).toBeGreaterThan(200 * 1024 * 1024);
    expect(received).toBeLessThanOrEqual(256 * 1024 * 1024);
  }, 60_000);
});

describe('many clients at once', () => {
  it('share few connections, and those who cannot wait are told', async () => {
    const waiting: (() => void)[] = [];
    const prometheus = await fakePrometheus((request, response) => {
      waiting.push(() => answering(200, OK)(request, response));
    });
    const engine = await engineBefore(prometheus, { connections: 2, requests: 4 });
    const asked = Array.from({ length: 4 }, () => ask(`${engine}/api/v1/labels`));
    await expect.poll(() => waiting.length).toBe(2);
    const full = refusal(
      503,
      'unavailable',
      '4 requests to Prometheus are running or waiting already: ask again later',
    );
    await expect.poll(() => ask(`${engine}/api/v1/labels`)).toEqual(full);
    for (const answer of waiting.splice(0)) answer();
    await expect.poll(() => waiting.length).toBe(2);
    for (const answer of waiting.splice(0)) answer();
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 4 }, () => ({ status: 200, body: JSON.parse(OK) })));
    const again = ask(`${engine}/api/v1/labels`);
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]?.();
    expect((await again).status).toBe(200);
  });

  it('let go of what they no longer wait for', async () => {
    const closed = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const prometheus = await fakePrometheus((request) => {
      request.socket.once('close', () => closed.resolve());
      began.resolve();
    });
    const engine = await engineBefore(prometheus);
    const hangUp = new AbortController();
    const asked = ask(`${engine}/api/v1/labels`, { signal: hangUp.signal }).catch(() => undefined);
    await began.promise;
    hangUp.abort();
    await Promise.all([asked, closed.promise]);
  });
});

describe('a Prometheus that wants credentials', () => {
  it.each([
    ['nothing to whom holds no token', {}, 401],
    ['everything to whom holds it', { authorization: 'Bearer a-secret' }, 200],
  ])('tells %s of the engine', async (_what, headers, status) => {
    const prometheus = await fakePrometheus(answering(200, OK));
    const engine = await engineBefore(prometheus, { isProtected: true, token: 'a-secret', address: '0.0.0.0' });
    expect((await ask(`${engine}/api/v1/labels`, { headers })).status).toBe(status);
  });

  it('tells the way in', async () => {
    const engine = await engineBefore(await fakePrometheus(answering(200, OK)), {
      isProtected: true,
      address: '0.0.0.0',
    });
    const error = 'queries are off: set GPU_UPTIME_TOKEN, or listen on 127.0.0.1 only (ENGINE_ADDRESS)';
    expect(await ask(`${engine}/api/v1/labels`)).toEqual(refusal(403, 'bad_data', error));
  });
});
