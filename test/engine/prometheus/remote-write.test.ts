import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { createPromClient } from '../../../engine/prometheus/client.ts';
import { createRemoteWriter } from '../../../engine/prometheus/remote-write.ts';
import type { WrittenSeries } from '../../../engine/prometheus/series-writer.ts';
import { encodeWriteRequest } from '../../../engine/prometheus/write-request.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';

const never = new AbortController().signal;

const one = (value: number | 'stale' = 1, atMs = 1_767_268_800_000): WrittenSeries => ({
  labels: { __name__: 'up', job: 'gpu' },
  samples: [{ atMs, value }],
});

describe('encodeWriteRequest', () => {
  const hex = (series: readonly WrittenSeries[]) => Buffer.from(encodeWriteRequest(series)).toString('hex');
  /** Length-delimited field. */
  const field = (tag: string, content: string) => tag + (content.length / 2).toString(16).padStart(2, '0') + content;
  const text = (tag: string, value: string) => field(tag, Buffer.from(value).toString('hex'));
  const label = (name: string, value: string) => field('0a', text('0a', name) + text('12', value));

  it.each([
    ['an ordinary value', 1, '000000000000f03f'],
    ['the stale marker', 'stale', '020000000000f07f'],
    ['a NaN that is a result', Number.NaN, '010000000000f87f'],
    ['infinity', Number.NEGATIVE_INFINITY, '000000000000f0ff'],
  ] as const)('writes %s bit for bit', (_, value, bits) => {
    const sample = field('12', `09${bits}1080acb7cbb733`);
    expect(hex([one(value)])).toBe(field('0a', label('__name__', 'up') + label('job', 'gpu') + sample));
  });

  it('sorts labels, leaves out those without a value, and writes any text', () => {
    const series = { labels: { zone: 'Zürich', __name__: 'm', gone: '' }, samples: [] };
    expect(hex([series])).toBe(field('0a', label('__name__', 'm') + label('zone', 'Zürich')));
  });

  it('writes lengths beyond one byte', () => {
    const long = 'x'.repeat(300);
    const bytes = Buffer.from(encodeWriteRequest([{ labels: { a: long }, samples: [] }]));
    // 300 in base 128 is ac 02; the label holds 3 bytes more for its name and 3 for its tag and length.
    expect(bytes.subarray(0, 12).toString('hex')).toBe(`0ab502${'0ab202'}${'0a0161'}${'12ac02'}`);
    expect(bytes.subarray(12).toString()).toBe(long);
  });
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  }
});

/** A receiver that answers from a list, the last answer for ever; and a writer to it. */
async function receiver(answers: readonly (readonly [status: number, text: string] | Handler)[], timeoutMs = 5000) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const answer = answers[Math.min(requests.push(request), answers.length) - 1];
    if (typeof answer === 'function') answer(request, response);
    else response.writeHead(answer?.[0] ?? 204, { location: '/elsewhere' }).end(answer?.[1]);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/write`;
  const writer = createRemoteWriter({ url, timeoutMs, concurrency: 4 });
  onTestFinished(() => writer.close());
  return { url, writer, requests };
}

describe('createRemoteWriter: what the receiver answers', () => {
  it('speaks remote write 1.0', async () => {
    const { writer, requests } = await receiver([[204, '']]);
    await writer.write([one()], never);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-write-version': '0.1.0',
      },
    });
  });

  it.each([
    [404, 'no_receiver', 'takes no remote writes (404): start Prometheus with --web.enable-remote-write-receiver'],
    [302, 'failed', 'answered 302: a redirect; set REMOTE_WRITE_URL to where it leads'],
    [401, 'failed', 'answered 401: who are you'],
    [400, 'refused', 'refused 1 of 1 series: who are you'],
  ])('%s is %s', async (status, kind, text) => {
    const { writer } = await receiver([[status, 'who are you']]);
    await expect(writer.write([one()], never)).rejects.toMatchObject({
      name: 'WriteError',
      kind,
      message: expect.stringContaining(text),
    });
  });

  it.each([500, 503, 429])('tries again when it answers %s, and is content when it then takes it', async (status) => {
    const { writer, requests } = await receiver([
      [status, 'busy'],
      [204, ''],
    ]);
    await writer.write([one()], never);
    expect(requests).toHaveLength(2);
  });

  it('gives up when the evaluation has no time left', async () => {
    const { writer } = await receiver([[503, 'busy']]);
    await expect(writer.write([one()], AbortSignal.timeout(50))).rejects.toMatchObject({ kind: 'failed' });
  });

  it('gives up on a receiver that says nothing', async () => {
    const { writer } = await receiver([() => {}], 50);
    await expect(writer.write([one()], never)).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('did not answer in time'),
    });
  });

  it('says who cannot be reached', async () => {
    const writer = createRemoteWriter({ url: 'http://127.0.0.1:1/write', timeoutMs: 1000, concurrency: 1 });
    onTestFinished(() => writer.close());
    await expect(writer.write([one()], never)).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^http:\/\/127.0.0.1:1\/write is unreachable: .*ECONNREFUSED/),
    });
  });

  it('sends many series in several requests, and asks with an empty one whether anybody is there', async () => {
    const { writer, requests } = await receiver([[204, '']]);
    await writer.write([], never);
    expect(requests).toHaveLength(1);
    await writer.write(
      Array.from({ length: 4001 }, () => one()),
      never,
    );
    expect(requests).toHaveLength(4);
  });

  it('halves what is refused, and not for ever', async () => {
    const { writer, requests } = await receiver([[400, 'out of order']]);
    const series = Array.from({ length: 2000 }, () => one());
    await expect(writer.write(series, never)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('refused 2000 of 2000 series: out of order'),
    });
    expect(requests.length).toBeLessThan(70);
  });
});

async function prometheus(context: TestContext) {
  const server = await startPrometheus({ tool: await requireTool(context, 'prometheus') });
  const query = createPromClient({ url: server.url, timeoutMs: 5000, concurrency: 2 });
  const writer = createRemoteWriter({ url: `${server.url}/api/v1/write`, timeoutMs: 5000, concurrency: 2 });
  onTestFinished(async () => {
    await Promise.all([query.close(), writer.close()]);
    await server.stop();
  });
  return { query, writer, nowMs: Math.floor(Date.now() / 1000) * 1000 };
}

describe('createRemoteWriter: a real Prometheus', () => {
  it('shows what was written to the very next query, and nothing after the stale marker', async (context) => {
    const { query, writer, nowMs } = await prometheus(context);
    await writer.write([], never);
    await writer.write([one(7, nowMs - 2000)], never);
    expect(await query.instant('up', nowMs - 2000, never)).toEqual([
      { labels: { __name__: 'up', job: 'gpu' }, value: 7 },
    ]);
    await writer.write([one('stale', nowMs - 1000)], never);
    expect(await query.instant('up', nowMs - 1000, never)).toEqual([]);
    expect(await query.instant('up', nowMs - 1001, never)).toHaveLength(1);
  });

  it('keeps the good series of a request in which some are out of order', async (context) => {
    const { query, writer, nowMs } = await prometheus(context);
    const series = (gpu: number, atMs: number, value = gpu) => ({
      labels: { __name__: 'm', gpu: String(gpu) },
      samples: [{ atMs, value }],
    });
    await writer.write([series(3, nowMs), series(11, nowMs)], never);
    const batch = Array.from({ length: 20 }, (_, gpu) => series(gpu, nowMs - 1000));
    await expect(writer.write(batch, never)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('refused 2 of 20 series: '),
    });
    expect(await query.instant('count(m)', nowMs - 1000, never)).toEqual([{ labels: {}, value: 18 }]);
  });

  it('takes the same samples twice: two engines may write the same results', async (context) => {
    const { query, writer, nowMs } = await prometheus(context);
    for (const value of [1, 'stale', Number.NaN] as const) {
      const sample = one(value, nowMs - (value === 1 ? 3000 : value === 'stale' ? 2000 : 1000));
      await writer.write([sample], never);
      await writer.write([sample], never);
    }
    expect(await query.instant('up', nowMs, never)).toEqual([
      { labels: { __name__: 'up', job: 'gpu' }, value: Number.NaN },
    ]);
  });

  it('says that somebody else writes the same series, and stores the others', async (context) => {
    const { query, writer, nowMs } = await prometheus(context);
    await writer.write([one(7, nowMs)], never);
    const other = { labels: { __name__: 'other' }, samples: [{ atMs: nowMs, value: 1 }] };
    await expect(writer.write([one(8, nowMs), other], never)).rejects.toMatchObject({
      kind: 'duplicate',
      message: expect.stringMatching(/holds other values of 1 of 2 series .*: another engine with the same rules/),
    });
    expect(await query.instant('up or other', nowMs, never)).toHaveLength(2);
    expect(await query.instant('up', nowMs, never)).toMatchObject([{ value: 7 }]);
  });
});
