import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpClientSettings, PLAIN_HTTP } from '../../../engine/http-client/settings.ts';
import { createPromClient } from '../../../engine/prometheus/client.ts';
import { QueryError } from '../../../engine/prometheus/query.ts';

const running: Server[] = [];
const clients: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function clientOf(listener: RequestListener, timeoutMs = 2000, http: HttpClientSettings = PLAIN_HTTP) {
  const server = createServer(listener);
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createPromClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    timeoutMs,
    concurrency: 2,
    http,
  });
  clients.push(client);
  return client;
}

function answering(status: number, body: string, headers: Record<string, string> = {}): RequestListener {
  return (_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(body);
  };
}

function vector(...result: unknown[]): string {
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}

const SIGNAL = () => AbortSignal.timeout(5000);

async function failure(listener: RequestListener, timeoutMs?: number): Promise<QueryError> {
  const client = await clientOf(listener, timeoutMs);
  const error = await client.instant('up', 1000, SIGNAL()).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof QueryError)) throw new Error(`expected a QueryError, got ${String(error)}`);
  return error;
}

describe('credentials', () => {
  it('go with every query', async () => {
    const seen: (string | undefined)[] = [];
    const credentials = { kind: 'token', scheme: 'Bearer', token: { text: 'a-token' } } as const;
    const listener: RequestListener = (request, response) => {
      seen.push(request.headers.authorization);
      response.end(vector());
    };
    const client = await clientOf(listener, 2000, { ...PLAIN_HTTP, credentials });
    await client.instant('up', 1000, SIGNAL());
    await client.instant('up', 2000, SIGNAL());
    expect(seen).toEqual(['Bearer a-token', 'Bearer a-token']);
  });

  it('in a file that is gone are said to be missing', async () => {
    const credentials = { kind: 'token', scheme: 'Bearer', token: { file: '/nowhere/token' } } as const;
    const client = await clientOf(answering(200, vector()), 2000, { ...PLAIN_HTTP, credentials });
    await expect(client.instant('up', 1000, SIGNAL())).rejects.toThrow('/nowhere/token cannot be read');
  });
});

describe('instant', () => {
  it('posts the query and its instant in seconds, and decodes Go numbers', async () => {
    let asked = '';
    const client = await clientOf((req, res) => {
      req.setEncoding('utf8').on('data', (chunk: string) => {
        asked += `${req.method} ${req.url} ${chunk}`;
      });
      req.on('end', () =>
        res.end(
          vector(
            { metric: { UUID: 'a' }, value: [1.5, '42.5'] },
            { metric: { UUID: 'b' }, value: [1.5, '+Inf'] },
            { metric: {}, value: [1.5, '-Inf'] },
            { metric: {}, value: [1.5, 'NaN'] },
            { metric: {}, value: [1.5, '1.234567e+06'] },
          ),
        ),
      );
    });
    const samples = await client.instant('max by (UUID) (x{a="b"})', 1500, SIGNAL());
    expect(asked).toBe('POST /api/v1/query query=max+by+%28UUID%29+%28x%7Ba%3D%22b%22%7D%29&time=1.500');
    expect(samples.map(({ value }) => value)).toEqual([42.5, Infinity, -Infinity, Number.NaN, 1_234_567]);
    expect(samples[0]?.labels).toEqual({ UUID: 'a' });
  });

  it('answers a scalar as one sample without labels', async () => {
    const client = await clientOf(
      answering(200, '{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}'),
    );
    expect(await client.instant('7', 0, SIGNAL())).toEqual([{ labels: {}, value: 7 }]);
  });
});

describe('range', () => {
  it('puts points on the grid and NaN where there is none', async () => {
    const series = {
      metric: { UUID: 'a' },
      values: [
        [10, '1'],
        [20, '3'],
      ],
    };
    const client = await clientOf(
      answering(200, JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [series] } })),
    );
    const [first] = await client.range('x', { startMs: 10_000, endMs: 25_000, stepMs: 5000 }, SIGNAL());
    expect(first?.values).toEqual(Float64Array.of(1, Number.NaN, 3, Number.NaN));
  });

  it('refuses labels that are no texts', async () => {
    const series = { metric: { UUID: 7 }, values: [[10, '1']] };
    const body = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [series] } });
    const client = await clientOf(answering(200, body));
    await expect(client.range('x', { startMs: 0, endMs: 1, stepMs: 1 }, SIGNAL())).rejects.toMatchObject({
      kind: 'bad_answer',
    });
  });
});

describe('a Prometheus that is not well', () => {
  it.each<[string, RequestListener, string, RegExp]>([
    ['answers 503 in text', answering(503, 'Service Unavailable'), 'server_error', /answered 503$/],
    [
      'answers 500 in JSON',
      answering(500, '{"status":"error","errorType":"internal","error":"boom"}'),
      'server_error',
      /refused the query: boom/,
    ],
    [
      'refuses the expression',
      answering(400, '{"status":"error","errorType":"bad_data","error":"parse error"}'),
      'bad_data',
      /parse error/,
    ],
    [
      'is a web page',
      answering(200, '<html>Grafana</html>', { 'content-type': 'text/html' }),
      'bad_answer',
      /not JSON: "<html>Grafana/,
    ],
    ['sends half a JSON', answering(200, vector().slice(0, 30)), 'bad_answer', /not JSON/],
    ['is another API', answering(200, '{"ok":true}'), 'server_error', /no reason given/],
    ['answers a list', answering(200, '[]'), 'server_error', /refused the query/],
    ['answers null', answering(200, 'null'), 'bad_answer', /expected an object, got null; check PROMETHEUS_URL$/],
    [
      'answers null in place of a result',
      answering(200, '{"status":"success","data":{"resultType":"vector","result":null}}'),
      'bad_answer',
      /expected a list, got null; check/,
    ],
    [
      'answers with native histograms',
      answering(200, vector({ metric: {}, histogram: [1, { count: '3', sum: '6', buckets: [[0, '1', '2', '3']] }] })),
      'bad_data',
      /^the result holds native histograms, which rules here cannot use: apply histogram_quantile\(\)/,
    ],
    [
      'answers a matrix',
      answering(200, '{"status":"success","data":{"resultType":"matrix","result":[]}}'),
      'bad_answer',
      /expected a vector, got matrix/,
    ],
    ['sends a sample without a value', answering(200, vector({ metric: {} })), 'bad_answer', /sample without a value/],
    [
      'sends a value that is no number',
      answering(200, vector({ metric: {}, value: [1, 'warm'] })),
      'bad_answer',
      /the value "warm"/,
    ],
    ...[{ gpu: 1 }, { gpu: null }, { a: 'b', gpu: {} }].map((metric): [string, RequestListener, string, RegExp] => [
      `sends the labels ${JSON.stringify(metric)}`,
      answering(200, vector({ metric, value: [1, '1'] })),
      'bad_answer',
      /a label "gpu" whose value is no text; check PROMETHEUS_URL$/,
    ]),
    [
      'sends a label without a name',
      answering(200, vector({ metric: { '': 'x' }, value: [1, '1'] })),
      'bad_answer',
      /a label without a name/,
    ],
    [
      'sends a list in place of labels',
      answering(200, vector({ metric: ['x'], value: [1, '1'] })),
      'bad_answer',
      /a list in place of labels/,
    ],
    ['redirects', answering(302, '', { location: 'http://192.0.2.1/' }), 'bad_answer', /redirects \(302\)/],
    ['hangs up', (_req, res) => void res.destroy(), 'unreachable', /unreachable/],
    [
      'hangs up in the middle',
      (_req, res) => {
        res.writeHead(200, { 'content-length': '99' });
        res.write('{', () => res.destroy());
      },
      'unreachable',
      /unreachable/,
    ],
  ])('%s', async (_, listener, kind, message) => {
    const error = await failure(listener);
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(message);
  });

  it('never answers', async () => {
    const error = await failure(() => {}, 150);
    expect([error.kind, error.message.endsWith('did not answer in time')]).toEqual(['timeout', true]);
  });

  it('is given up in the middle of a query when the engine stops', async () => {
    const client = await clientOf(() => {});
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await expect(client.instant('up', 0, stop.signal)).rejects.toBeInstanceOf(QueryError);
  });

  it('is not there', async () => {
    const client = createPromClient({ url: 'http://127.0.0.1:9', timeoutMs: 1000, concurrency: 1 });
    clients.push(client);
    await expect(client.instant('up', 0, SIGNAL())).rejects.toMatchObject({
      kind: 'unreachable',
      message: /127.0.0.1:9.*ECONNREFUSED/,
    });
  });
});
