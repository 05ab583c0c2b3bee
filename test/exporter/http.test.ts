import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type CollectorState, initialState, type ReadResult, step } from '../../exporter/collector.ts';
import { createHandler } from '../../exporter/http.ts';
import type { Family } from '../../exporter/metrics/exposition.ts';
import { createSelfMetrics } from '../../exporter/metrics/self-metrics.ts';
import type { Routes } from '../../exporter/routes.ts';
import { createScrape, type ProfileInput } from '../../exporter/scrape.ts';
import type { ScrapedNode } from '../../exporter/scrape-handler.ts';
import type { ReadFailure } from '../../exporter/snapshot.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

const failure = { reason: 'error', message: 'no driver' } as const;

/** The real handler on a free port, over a state and a clock that the test moves. */
async function serve(routes: Routes = {}) {
  const world = {
    state: initialState as CollectorState,
    nowMs: 0,
    errors: [] as unknown[],
    reachability: 'ok' as ReturnType<ScrapedNode['reachability']>,
  };
  const node = { scrape: createTestScrape(world), reachability: () => world.reachability };
  const parts = { source: 'mock', version: '1.2.3', onError: (error: unknown) => world.errors.push(error) };
  const handler = createHandler({
    ...parts,
    loadRoutes: async () => routes,
    reading: node.scrape.reading,
    node,
    findNode: (name) => (name === 'n 1' ? node : undefined),
    defaultProfiles: ['dcgm'],
  });
  const server = createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const observe = (result: ReadResult) => {
    world.state = step(world.state, { ...result, atMs: world.nowMs, durationMs: 1 });
  };
  return {
    world,
    port,
    ask: (path: string, init: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal: AbortSignal.timeout(5000) }),
    read: (failures: readonly ReadFailure[] = []) =>
      observe({
        kind: 'read',
        snapshot: { takenAtMs: world.nowMs, driverVersion: '1', gpus: [], health: { failures } },
      }),
    fail: () => observe({ kind: 'failed', failure }),
  };
}

/** Each profile publishes one gauge that is named after it. */
function createTestScrape(world: { readonly state: CollectorState; readonly nowMs: number }) {
  const profile = (name: string) => (): readonly Family[] => [
    { name: `test_${name}`, type: 'gauge', help: 'A test.', series: [{ labels: {}, value: 1 }] },
  ];
  return createScrape({
    state: () => world.state,
    profiles: { dcgm: profile('dcgm'), native: profile('native'), platform: profile('platform') } satisfies Record<
      string,
      (input: ProfileInput) => readonly Family[]
    >,
    defaultProfiles: ['dcgm'],
    selfMetrics: createSelfMetrics({ version: '1.2.3', nodejs: 'v26.0.0' }, { withProcess: false }),
    source: 'mock',
    maxAgeMs: 10_000,
    now: () => world.nowMs,
  });
}

async function problem(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body: unknown = await response.json();
  expect(body).toMatchObject({ type: 'about:blank', status: response.status });
  return body;
}

const prometheusAccept =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

describe('/metrics', () => {
  it('answers in the text format, to GET and HEAD', async () => {
    const { ask } = await serve();
    const page = await ask('/metrics?x=1');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(page.headers.get('vary')).toBe('Accept, Accept-Encoding');
    const body = await page.text();
    expect(body).toContain('test_dcgm 1\n');
    const head = await ask('/metrics', { method: 'HEAD', headers: { 'Accept-Encoding': 'identity' } });
    expect([head.headers.get('content-length'), await head.text()]).toEqual([String(Buffer.byteLength(body)), '']);
  });

  it('publishes the profiles that are asked for, the native one to Prometheus as OpenMetrics', async () => {
    const { ask } = await serve();
    const shape = async (query: string) => {
      const page = await ask(`/metrics${query}`, { headers: { Accept: prometheusAccept } });
      return [page.headers.get('content-type')?.split(';')[0], (await page.text()).match(/^test_\w+/gm)];
    };
    expect(await shape('')).toEqual(['text/plain', ['test_dcgm']]);
    expect(await shape('?profile=native')).toEqual(['application/openmetrics-text', ['test_native']]);
    expect(await shape('?profile=platform,native')).toEqual([
      'application/openmetrics-text',
      ['test_native', 'test_platform'],
    ]);
  });

  it('names the profiles there are to those who ask for another', async () => {
    const { ask } = await serve();
    expect(await problem(await ask('/metrics?profile=dgcm'))).toMatchObject({
      status: 400,
      detail: 'There is no profile "dgcm": give dcgm, native, or platform, or several of them with commas between.',
    });
  });

  it('compresses for those who take gzip, and only for them', async () => {
    const { ask } = await serve();
    const encoding = async (accept: string) =>
      (await ask('/metrics', { headers: { 'Accept-Encoding': accept } })).headers.get('content-encoding');
    expect(await encoding('gzip')).toBe('gzip');
    expect(await encoding('identity')).toBeNull();
    const page = await ask('/metrics', { headers: { 'Accept-Encoding': 'gzip' } });
    expect(await page.text()).toContain('gpu_exporter_source_up{source="mock"} 0');
  });

  it('answers 200 with its own metrics when the source fails', async () => {
    const { ask, fail } = await serve();
    fail();
    const page = await ask('/metrics');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('gpu_exporter_collect_failures_total{reason="error"} 1');
  });

  it('refuses other methods', async () => {
    const { ask } = await serve();
    const response = await ask('/metrics', { method: 'POST' });
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await problem(response)).toMatchObject({
      status: 405,
      detail: 'POST is not possible here; use GET or HEAD.',
    });
  });
});

describe('/nodes/NAME/metrics', () => {
  it('is the page of a simulated node, and 404 for a name that is none', async () => {
    const { ask } = await serve();
    expect(await (await ask('/nodes/n%201/metrics')).text()).toContain('test_dcgm 1\n');
    expect((await ask('/nodes/n%201/metrics?profile=native')).status).toBe(200);
    for (const path of ['/nodes/n2/metrics', '/nodes/metrics', '/nodes/n%201/x', '/nodes/%zz/metrics']) {
      expect(await problem(await ask(path))).toMatchObject({ status: 404 });
    }
  });

  it('cuts the connection of a node that is down, and leaves one that hangs without an answer', async () => {
    const { ask, world, port } = await serve();
    world.reachability = 'down';
    await expect(ask('/metrics')).rejects.toThrow('fetch failed');
    world.reachability = 'hang';
    const sent = request({ port, host: '127.0.0.1', path: '/metrics' }).end();
    sent.on('error', () => undefined);
    const answer = once(sent, 'response').then(() => 'answered');
    const nothing = new Promise((resolve) => setTimeout(resolve, 200, 'nothing'));
    expect(await Promise.race([answer.catch(() => 'cut'), nothing])).toBe('nothing');
    sent.destroy();
  });
});

describe('/-/ready', () => {
  it('is 503 until the first reading is over, whatever it came to: a node without a driver is scraped too', async () => {
    const { ask, fail, read } = await serve();
    const answer = async () => {
      const response = await ask('/-/ready');
      return [response.status, await response.text()];
    };
    expect(await answer()).toEqual([503, 'The first reading is still under way.\n']);
    fail();
    expect(await answer()).toEqual([200, 'The exporter is ready. It has not read a GPU yet: no driver.\n']);
    read();
    expect(await answer()).toEqual([200, 'The exporter is ready.\n']);
  });
});

describe('/health', () => {
  const answer = async (ask: (path: string) => Promise<Response>) => {
    const response = await ask('/health');
    return [response.status, await response.json()];
  };
  const base = { source: 'mock', gpus: 0, sample_age_seconds: null, last_error: null, gpu_failures: [] };

  it('tells starting, ok, degraded and unavailable apart', async () => {
    const { ask, world, read, fail } = await serve();
    expect(await answer(ask)).toEqual([503, { ...base, status: 'starting' }]);
    read();
    world.nowMs = 1500;
    expect(await answer(ask)).toEqual([200, { ...base, status: 'ok', sample_age_seconds: 1.5 }]);
    fail();
    const failed = { ...base, last_error: 'no driver' };
    expect(await answer(ask)).toEqual([200, { ...failed, status: 'degraded', sample_age_seconds: 1.5 }]);
    world.nowMs = 11_000;
    expect(await answer(ask)).toEqual([503, { ...failed, status: 'unavailable', sample_age_seconds: 11 }]);
  });

  it('names a lost GPU', async () => {
    const { ask, read } = await serve();
    const lost = { uuid: 'GPU-1', reason: 'gpu_is_lost', message: 'GPU 2 has fallen off the bus' };
    read([lost]);
    expect((await answer(ask))[1]).toMatchObject({ status: 'degraded', gpu_failures: [lost] });
  });
});

describe('endpoints with a module of their own', () => {
  const routes: Routes = {
    '/v1/gpu': {
      GET: (_request, response) => void response.json({}),
      POST: () => {
        throw new Error('a mistake of ours');
      },
    },
    '/v1/gpu/:uuid': { DELETE: (request, response) => void response.json(request.params) },
  };

  it('answer their methods, HEAD through GET, and 405 to the others', async () => {
    const { ask } = await serve(routes);
    expect(await (await ask('/v1/gpu')).json()).toEqual({});
    expect((await ask('/v1/gpu', { method: 'HEAD' })).status).toBe(200);
    expect(await (await ask('/v1/gpu/x', { method: 'DELETE' })).json()).toEqual({ uuid: 'x' });
    const response = await ask('/v1/gpu', { method: 'PUT' });
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    expect(await problem(response)).toMatchObject({ status: 405 });
  });

  it('answer 500 without a detail from inside when they fail, which the log has', async () => {
    const { ask, world } = await serve(routes);
    const response = await ask('/v1/gpu', { method: 'POST' });
    expect(await problem(response)).toMatchObject({ detail: 'The exporter could not answer; its log says why.' });
    expect(world.errors).toEqual([new Error('a mistake of ours')]);
  });
});

describe('every other path', () => {
  it('greets people at / with links that work', async () => {
    const { ask, read } = await serve({ '/v1/gpu': { GET: (_request, response) => void response.json({}) } });
    read();
    const page = await ask('/');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const links = [...(await page.text()).matchAll(/href="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(links).toEqual(['/metrics', '/metrics?profile=native', '/health', '/-/healthy', '/-/ready', '/v1/gpu']);
    expect(await Promise.all(links.map(async (path) => (await ask(path)).status))).toEqual(links.map(() => 200));
  });

  it('answers 404, and never says what it is built with', async () => {
    const { ask } = await serve();
    const response = await ask('/nope');
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(await problem(response)).toMatchObject({
      status: 404,
      detail: 'There is nothing at /nope; "/" lists what there is.',
    });
  });

  it('survives a path that cannot be decoded', async () => {
    const { port } = await serve();
    const sent = request({ port, host: '127.0.0.1', path: '/%zz' }).end();
    const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(5000) });
    expect([response.statusCode, await text(response)]).toEqual([404, expect.stringContaining('Not found')]);
  });
});
