import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notifier } from '../../../engine/alertmanager/notifier.ts';
import { AlertmanagerPeer, type PeerOptions } from '../../../engine/alertmanager/peer.ts';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import { FakeAlertmanager } from './fake-alertmanager.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

function message(gpu: string, overrides: Partial<AlertMessage> = {}): AlertMessage {
  return {
    key: gpu,
    labels: { alertname: 'Hot', gpu },
    annotations: { summary: '90 °C' },
    startsAt: NOW,
    endsAt: NOW + 240_000,
    expr: 'temperature > 85',
    ...overrides,
  };
}

let server: FakeAlertmanager;
let url: string;
let pauses: number[];
let problems: string[];

beforeEach(async () => {
  server = new FakeAlertmanager();
  url = await server.listen();
  pauses = [];
  problems = [];
});
afterEach(() => server.close());

function peer(options: Partial<PeerOptions> = {}): AlertmanagerPeer {
  return new AlertmanagerPeer(
    { url, prometheusUrl: 'http://prometheus:9090/', ...options },
    {
      now: () => NOW,
      sleep: async (ms) => {
        pauses.push(ms);
        await new Promise((resolve) => setImmediate(resolve));
      },
      random: () => 1,
      onProblem: (problem) => void problems.push(problem),
    },
  );
}

/** The address of an Alertmanager that has gone. */
async function deadUrl(): Promise<string> {
  const gone = new FakeAlertmanager();
  const address = await gone.listen();
  await gone.close();
  return address;
}

const gpus = (post: FakeAlertmanager['posts'][number]) => post.map(({ labels }) => labels.gpu);
const drained = (of: AlertmanagerPeer) => vi.waitFor(() => expect(of.stats().queueLength).toBe(0), 5000);

describe('AlertmanagerPeer: delivery', () => {
  it('posts alerts as Alertmanager’s API v2 takes them', async () => {
    const one = peer({ url: `${url}/prefix/` });
    one.send([message('3')]);
    await one.close(1000);
    expect(server.paths).toEqual(['POST /prefix/api/v2/alerts']);
    expect(server.posts).toEqual([
      [
        {
          labels: { alertname: 'Hot', gpu: '3' },
          annotations: { summary: '90 °C' },
          startsAt: '2026-01-01T12:00:00.000Z',
          endsAt: '2026-01-01T12:04:00.000Z',
          generatorURL: 'http://prometheus:9090/graph?g0.expr=temperature%20%3E%2085&g0.tab=1',
        },
      ],
    ]);
    expect(one.stats()).toEqual({
      url: `${url}/prefix/`,
      queueLength: 0,
      sent: 1,
      failed: 0,
      dropped: 0,
      lastError: undefined,
    });
  });

  it('sends in batches', async () => {
    const one = peer({ batchSize: 2 });
    one.send(['1', '2', '3', '4', '5'].map((gpu) => message(gpu)));
    await one.close(1000);
    expect(server.posts.map(gpus)).toEqual([['1', '2'], ['3', '4'], ['5']]);
  });

  it('keeps only the newest message of an alert while the peer is away', async () => {
    let isBack = false;
    server.behave = () => (isBack ? 200 : 503);
    const one = peer({ batchSize: 10 });
    for (let minute = 0; minute < 1000; minute++) one.send([message('1', { endsAt: NOW + minute }), message('2')]);
    expect(one.stats().queueLength).toBe(2);
    await vi.waitFor(() => expect(one.stats().failed).toBeGreaterThan(2));
    one.send([message('1', { endsAt: NOW + 5000 })]);
    isBack = true;
    await drained(one);
    await one.close(1000);
    const last = server.posts
      .flat()
      .filter(({ labels }) => labels.gpu === '1')
      .at(-1);
    expect(last?.endsAt).toBe('2026-01-01T12:00:05.000Z');
    expect(one.stats().lastError).toBeUndefined();
  });

  it('does not bring back an older message after a newer one', async () => {
    const one = peer();
    server.behave = (_, post) => {
      if (post === 1) one.send([message('1', { endsAt: NOW + 9000 })]);
      return post === 1 ? 500 : 200;
    };
    one.send([message('1')]);
    await drained(one);
    await one.close(1000);
    expect(server.posts.map((post) => post[0]?.endsAt)).toEqual([
      '2026-01-01T12:04:00.000Z',
      '2026-01-01T12:00:09.000Z',
    ]);
  });

  it('gives up an alert that was over long before the peer came back', async () => {
    const one = peer();
    one.send([message('1', { endsAt: NOW - 15 * 60_000 }), message('2', { endsAt: NOW - 60_000 })]);
    await one.close(1000);
    expect(server.posts.map(gpus)).toEqual([['2']]);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 1, dropped: 1 }));
  });
});

describe('AlertmanagerPeer: failures', () => {
  it.each([
    ['500', 500, 'answered 500: said 500'],
    ['429', 429, 'answered 429: said 429'],
    ['a reset connection', 'reset', 'other side closed|read ECONNRESET'],
    ['a hanging peer', 'hang', 'did not answer in time'],
    [
      'a redirect',
      'redirect',
      'answered 302, a redirect to http://elsewhere.example/; configure that URL if it is right',
    ],
  ] as const)('tries again after %s', async (_, behaviour, reason) => {
    server.behave = (_alerts, post) => (post <= 2 ? behaviour : 200);
    const one = peer({ timeoutMs: 150 });
    one.send([message('1')]);
    await drained(one);
    await one.close(2000);
    expect(server.posts).toHaveLength(3);
    expect(pauses).toEqual([500, 1000]);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 1, failed: 2, lastError: undefined }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`gets no alerts: (${reason}); trying again$`.replace('?', '\\?')));
  });

  it('backs off twice as long each time, up to the limit, half of it by chance', async () => {
    server.behave = (_alerts, post) => (post <= 9 ? 500 : 200);
    const one = peer();
    one.send([message('1')]);
    await vi.waitFor(() => expect(one.stats().sent).toBe(1));
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('says why a peer cannot be reached', async () => {
    const one = peer({ url: await deadUrl() });
    one.send([message('1')]);
    await vi.waitFor(() => expect(one.stats().failed).toBeGreaterThan(0));
    await one.close(50);
    expect(one.stats().lastError).toMatch(/ECONNREFUSED/);
  });

  it('sends the alerts of a refused batch one by one, and names the bad one', async () => {
    server.behave = (alerts) => (gpus([...alerts]).includes('bad') ? 400 : 200);
    const one = peer();
    one.send([message('1'), message('bad'), message('2')]);
    await one.close(1000);
    expect(server.posts.map(gpus)).toEqual([['1', 'bad', '2'], ['1'], ['bad'], ['2']]);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 2, dropped: 1, failed: 0, queueLength: 0 }));
    expect(problems).toEqual([
      `Alertmanager ${url} refuses the alert {"alertname":"Hot","gpu":"bad"}: it answered 400: said 400`,
    ]);
  });

  it('keeps the rest of a refused batch when the peer dies meanwhile', async () => {
    server.behave = (_alerts, post) => [400, 200, 'reset' as const][post - 1] ?? 200;
    const one = peer();
    one.send([message('1'), message('2'), message('3')]);
    await drained(one);
    await one.close(1000);
    expect(server.posts.map(gpus)).toEqual([['1', '2', '3'], ['1'], ['2'], ['2', '3']]);
  });
});

describe('AlertmanagerPeer: shutdown', () => {
  it('gives up at the deadline', async () => {
    server.behave = () => 'hang';
    const one = peer();
    one.send([message('1')]);
    const begun = performance.now();
    await one.close(100);
    expect(performance.now() - begun).toBeLessThan(2000);
    one.send([message('2')]);
    expect(one.stats().queueLength).toBe(1);
  });

  it('tries at once instead of sleeping out its pause', async () => {
    server.behave = (_alerts, post) => (post === 1 ? 500 : 200);
    const longSleep = (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const ports = { now: () => NOW, sleep: longSleep, random: () => 1, onProblem: () => {} };
    const one = new AlertmanagerPeer({ url, prometheusUrl: 'http://prometheus:9090' }, ports);
    one.send([message('1')]);
    await vi.waitFor(() => expect(one.stats().failed).toBe(1));
    await one.close(2000);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 1, queueLength: 0 }));
  });
});

describe('Notifier', () => {
  it('sends every alert to every peer, whether or not another is dead', async () => {
    const dead = peer({ url: await deadUrl() });
    const alive = peer();
    const notifier = new Notifier([dead, alive]);
    notifier.send([message('1')]);
    await vi.waitFor(() => expect(alive.stats().sent).toBe(1));
    await notifier.close(50);
    expect(notifier.stats().map(({ sent }) => sent)).toEqual([0, 1]);
  });
});
