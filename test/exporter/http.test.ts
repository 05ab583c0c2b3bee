import { once } from 'node:events';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type CollectorState, initialState, step } from '../../exporter/collector.ts';
import { acceptsGzip, createHttpServer } from '../../exporter/http.ts';
import { createSelfMetrics } from '../../exporter/metrics/self-metrics.ts';
import { createScrape } from '../../exporter/scrape.ts';
import { isLoopback } from '../../exporter/simulate.ts';
import { a100Sxm80 } from '../../exporter/source/mock/profiles.ts';
import { createMockSource } from '../../exporter/source/mock/source.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** The real server on a free port, over a state and a clock that the test moves. */
async function serve({ address = '127.0.0.1', isSimulated = true } = {}) {
  const world: { state: CollectorState; nowMs: number; errors: unknown[] } = {
    state: initialState,
    nowMs: 0,
    errors: [],
  };
  const now = () => world.nowMs;
  const source = createMockSource({ profile: a100Sxm80, seed: 1, gpus: 4 }, now);
  const selfMetrics = createSelfMetrics({ version: '1.2.3', nodejs: 'v26.0.0' }, { withProcess: false });
  const state = () => world.state;
  const scrape = createScrape({ state, selfMetrics, source: 'mock', hostname: 'h', maxAgeMs: 10_000, now });
  const faults = isSimulated ? source.faults : undefined;
  const onError = (error: unknown) => world.errors.push(error);
  const server = createHttpServer({ scrape, source: 'mock', version: '1.2.3', faults, onError }).listen(0, address);
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const read = async () => {
    const snapshot = await source.read(AbortSignal.timeout(1000));
    world.state = step(world.state, { kind: 'read', snapshot, durationMs: 1 });
  };
  const ask = (path: string, init: RequestInit = {}, host = '127.0.0.1') =>
    fetch(`http://${host}:${port}${path}`, { ...init, signal: AbortSignal.timeout(5000) });
  return { world, read, ask, port };
}

const json = (value: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: typeof value === 'string' ? value : JSON.stringify(value),
});

async function problem(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body: unknown = await response.json();
  expect(body).toMatchObject({ type: 'about:blank', status: response.status });
  return body;
}

describe('/metrics', () => {
  it('answers in the text format, to GET and HEAD', async () => {
    const { ask, read } = await serve();
    await read();
    const page = await ask('/metrics?x=1');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const body = await page.text();
    expect(body.match(/^DCGM_FI_DEV_GPU_TEMP\{/gm)).toHaveLength(4);
    const head = await ask('/metrics', { method: 'HEAD', headers: { 'Accept-Encoding': 'identity' } });
    expect([head.headers.get('content-length'), await head.text()]).toEqual([String(Buffer.byteLength(body)), '']);
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
    const { ask, world } = await serve();
    world.state = step(world.state, { kind: 'failed', failure: { reason: 'error', message: 'x' }, durationMs: 1 });
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

describe('acceptsGzip', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['identity', false],
    ['gzip', true],
    ['deflate, GZIP;q=0.5', true],
    ['gzip;q=1.0', true],
    ['gzip;q=0', false],
    ['gzip; q=0.000', false],
    ['xgzip', false],
  ])('%s: %s', (header, isAccepted) => {
    expect(acceptsGzip(header)).toBe(isAccepted);
  });
});

describe('/-/ready', () => {
  it('turns from 503 to 200 with the first snapshot, and says why until then', async () => {
    const { ask, world, read } = await serve();
    const answer = async () => {
      const response = await ask('/-/ready');
      return [response.status, await response.text()];
    };
    expect(await answer()).toEqual([503, 'The source has not been read yet.\n']);
    const failure = { reason: 'error', message: 'no driver' } as const;
    world.state = step(world.state, { kind: 'failed', failure, durationMs: 1 });
    expect(await answer()).toEqual([503, 'The source has not been read yet. The last attempt failed: no driver.\n']);
    await read();
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
    const { ask, world, read } = await serve();
    expect(await answer(ask)).toEqual([503, { ...base, status: 'starting' }]);
    await read();
    world.nowMs = 1500;
    expect(await answer(ask)).toEqual([200, { ...base, status: 'ok', gpus: 4, sample_age_seconds: 1.5 }]);
    const failure = { reason: 'error', message: 'no driver' } as const;
    world.state = step(world.state, { kind: 'failed', failure, durationMs: 1 });
    const failed = { ...base, last_error: 'no driver' };
    expect(await answer(ask)).toEqual([200, { ...failed, status: 'degraded', gpus: 4, sample_age_seconds: 1.5 }]);
    world.nowMs = 11_000;
    expect(await answer(ask)).toEqual([503, { ...failed, status: 'unavailable', sample_age_seconds: 11 }]);
  });

  it('names a lost GPU while the others go on', async () => {
    const { ask, read } = await serve();
    await ask('/api/v1/simulate', json({ gpu: 2, fault: 'lost' }));
    await read();
    expect((await answer(ask))[1]).toMatchObject({
      status: 'degraded',
      gpus: 3,
      gpu_failures: [{ reason: 'gpu_is_lost' }],
    });
  });
});

describe('/api/v1/simulate', () => {
  const active = async (response: Response) => {
    expect(response.status).toBe(200);
    return response.json();
  };
  const entry = (gpu: number, fault: string, remaining_seconds: number | null = null) => ({
    gpu,
    fault,
    active_seconds: 0,
    remaining_seconds,
  });

  it('starts, lists and ends faults', async () => {
    const { ask } = await serve();
    await ask('/api/v1/simulate', json({ gpu: 3, fault: 'hot', seconds: 60 }));
    const two = { active: [entry(3, 'hot', 60), entry(0, 'busy')] };
    expect(await active(await ask('/api/v1/simulate', json({ gpu: 0, fault: 'busy' })))).toEqual(two);
    expect(await active(await ask('/api/v1/simulate'))).toEqual(two);
    const afterRecovery = await ask('/api/v1/simulate', json({ gpu: 3, fault: 'recover' }));
    expect(await active(afterRecovery)).toEqual({ active: [entry(0, 'busy')] });
    await ask('/api/v1/simulate', json({ gpu: 1, fault: 'ecc' }));
    const one = await ask('/api/v1/simulate?gpu=0', { method: 'DELETE' });
    expect(await active(one)).toEqual({ active: [entry(1, 'ecc')] });
    expect(await active(await ask('/api/v1/simulate', { method: 'DELETE' }))).toEqual({ active: [] });
  });

  it('names every wrong field with its fix', async () => {
    const { ask } = await serve();
    const response = await ask('/api/v1/simulate', json({ gpu: 4, fault: 'cold', seconds: 0, extra: 1 }));
    expect(await problem(response)).toMatchObject({
      status: 400,
      errors: [
        { field: 'gpu', fix: 'give the index of a GPU, a whole number from 0 to 3' },
        { field: 'fault', fix: 'give one of hot, busy, lost, power, ecc, recover' },
        { field: 'seconds', fix: expect.stringContaining('above 0 and at most 86400') },
        { field: 'extra', fix: 'remove it; known are gpu, fault and seconds' },
      ],
    });
  });

  it.each([
    { what: 'a body that is not JSON', init: json('{'), status: 400, title: 'Unreadable request body' },
    {
      what: 'a body of another type',
      init: { method: 'POST', body: '{}' },
      status: 400,
      title: 'Invalid simulation request',
    },
    { what: 'more than 4 KiB', init: json(`"${'x'.repeat(4096)}"`), status: 413, title: 'Request body too large' },
    { what: 'another method', init: { method: 'PUT' }, status: 405, title: 'Method not allowed' },
  ])('refuses $what', async ({ init, status, title }) => {
    const { ask, world } = await serve();
    expect(await problem(await ask('/api/v1/simulate', init))).toMatchObject({ status, title });
    expect(world.errors).toEqual([]);
  });

  it('refuses a GPU that does not exist in DELETE too', async () => {
    const { ask } = await serve();
    const response = await ask('/api/v1/simulate?gpu=4', { method: 'DELETE' });
    expect(await problem(response)).toMatchObject({ status: 400, errors: [{ field: 'gpu' }] });
  });

  it.each([{ 'X-Forwarded-For': '127.0.0.1' }, { Forwarded: 'for=127.0.0.1' }])(
    'refuses what a proxy passes on: %o',
    async (headers) => {
      const { ask } = await serve();
      for (const method of ['GET', 'POST', 'DELETE']) {
        expect(await problem(await ask('/api/v1/simulate', { method, headers }))).toMatchObject({ status: 403 });
      }
    },
  );

  it('refuses other machines', async ({ skip }) => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const host = own.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    if (host === undefined) return skip('this machine has no address but loopback');
    const { ask } = await serve({ address: '0.0.0.0' });
    const response = await ask('/api/v1/simulate', json({ gpu: 0, fault: 'hot' }), host);
    expect(await problem(response)).toMatchObject({ status: 403, title: 'Only from this machine' });
  });

  it('does not exist when the source is not simulated', async () => {
    const { ask } = await serve({ isSimulated: false });
    expect(await problem(await ask('/api/v1/simulate'))).toMatchObject({ status: 404 });
    expect(await (await ask('/')).text()).not.toContain('simulate');
  });
});

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['fe80::1', false],
    ['128.0.0.1', false],
    ['', false],
  ])('%s: %s', (address, isLocal) => {
    expect(isLoopback(address)).toBe(isLocal);
  });
});

describe('every other path', () => {
  it('greets people at / with links that work', async () => {
    const { ask, read } = await serve();
    await read();
    const page = await ask('/');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const links = [...(await page.text()).matchAll(/href="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(links).toEqual(['/metrics', '/health', '/-/healthy', '/-/ready', '/api/v1/simulate']);
    expect(await Promise.all(links.map(async (path) => (await ask(path)).status))).toEqual([200, 200, 200, 200, 200]);
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
