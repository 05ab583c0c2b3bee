import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OutgoingAlert } from '../../../engine/alertmanager/outgoing.ts';
import { AlertmanagerPeer, type PeerOptions } from '../../../engine/alertmanager/peer.ts';
import { openHttpClient } from '../../../engine/http-client/client.ts';
import { PLAIN_HTTP } from '../../../engine/http-client/settings.ts';
import { FakeAlertmanager } from './fake-alertmanager.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;

function alert(gpu: string, overrides: Partial<OutgoingAlert> = {}): OutgoingAlert {
  return {
    fingerprint: gpu.padStart(16, '0'),
    source: gpu,
    labels: { alertname: 'Hot', gpu },
    annotations: { summary: '90 °C' },
    startsAt: NOW,
    endsAt: NOW + 240_000,
    evidenceUrl: 'http://engine:8000/alerts/00000000000000ab',
    ...overrides,
  };
}

let server: FakeAlertmanager;
let base: string;
let pauses: number[];
let problems: string[];
let client: ReturnType<typeof openHttpClient>;

beforeEach(async () => {
  server = new FakeAlertmanager();
  base = await server.listen();
  client = openHttpClient(PLAIN_HTTP);
  pauses = [];
  problems = [];
});
afterEach(async () => {
  await server.close();
  await client.close();
});

const ports = {
  now: () => NOW,
  sleep: async (ms: number, _signal: AbortSignal) => {
    pauses.push(ms);
    await new Promise((resolve) => setImmediate(resolve));
  },
  random: () => 1,
  onProblem: (problem: string) => void problems.push(problem),
};

function peer(options: Partial<PeerOptions> = {}, other: Partial<typeof ports> = {}): AlertmanagerPeer {
  const url = `${base}/api/v2/alerts`;
  return new AlertmanagerPeer({ url, client, active: () => [], ...options }, { ...ports, ...other });
}

async function untilAborted(_ms: number, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
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
    const one = peer({ url: `${base}/prefix/api/v2/alerts` });
    one.send([alert('3')]);
    await one.close(1000);
    expect(server.paths).toEqual(['POST /prefix/api/v2/alerts']);
    expect(server.posts).toEqual([
      [
        {
          labels: { alertname: 'Hot', gpu: '3' },
          annotations: { summary: '90 °C' },
          startsAt: '2026-01-01T12:00:00.000Z',
          endsAt: '2026-01-01T12:04:00.000Z',
          generatorURL: 'http://engine:8000/alerts/00000000000000ab',
        },
      ],
    ]);
    expect(one.stats()).toEqual({
      url: `${base}/prefix`,
      queueLength: 0,
      sent: 1,
      failed: 0,
      dropped: 0,
      lastError: undefined,
      posts: 1,
      postMs: 0,
      missing: 0,
      checkedAt: undefined,
    });
  });

  it('sends in batches', async () => {
    const one = peer({ batchSize: 2 });
    one.send(['1', '2', '3', '4', '5'].map((gpu) => alert(gpu)));
    await one.close(1000);
    expect(server.posts.map(gpus)).toEqual([['1', '2'], ['3', '4'], ['5']]);
  });

  it('keeps only the newest message of an alert while the peer is away', async () => {
    let isBack = false;
    server.behave = () => (isBack ? 200 : 503);
    const one = peer({ batchSize: 10 });
    for (let minute = 0; minute < 1000; minute++) one.send([alert('1', { endsAt: NOW + minute }), alert('2')]);
    expect(one.stats().queueLength).toBe(2);
    await vi.waitFor(() => expect(one.stats().failed).toBeGreaterThan(2));
    one.send([alert('1', { endsAt: NOW + 5000 })]);
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
      if (post === 1) one.send([alert('1', { endsAt: NOW + 9000 })]);
      return post === 1 ? 500 : 200;
    };
    one.send([alert('1')]);
    await drained(one);
    await one.close(1000);
    expect(server.posts.map((post) => post[0]?.endsAt)).toEqual([
      '2026-01-01T12:04:00.000Z',
      '2026-01-01T12:00:09.000Z',
    ]);
  });

  it('gives up an alert that was over long before the peer came back', async () => {
    const one = peer();
    one.send([alert('1', { endsAt: NOW - 16 * 60_000 }), alert('2', { endsAt: NOW - 60_000 })]);
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
    one.send([alert('1')]);
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
    one.send([alert('1')]);
    await vi.waitFor(() => expect(one.stats().sent).toBe(1));
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('says why a peer cannot be reached', async () => {
    const one = peer({ url: `${await deadUrl()}/api/v2/alerts` });
    one.send([alert('1')]);
    await vi.waitFor(() => expect(one.stats().failed).toBeGreaterThan(0));
    await one.close(50);
    expect(one.stats().lastError).toMatch(/ECONNREFUSED/);
  });

  it('halves a refused batch until the bad alert is alone, names it once, and sends it alone from then on', async () => {
    server.behave = (alerts) => (gpus([...alerts]).includes('bad') ? 400 : 200);
    const one = peer();
    one.send([alert('1'), alert('bad'), alert('2'), alert('3')]);
    await drained(one);
    one.send([alert('4'), alert('bad'), alert('5')]);
    await one.close(1000);
    const first = [['1', 'bad', '2', '3'], ['1', 'bad'], ['1'], ['bad'], ['2', '3']];
    expect(server.posts.map(gpus)).toEqual([...first, ['4'], ['bad'], ['5']]);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 5, dropped: 2, failed: 0, queueLength: 0 }));
    expect(problems).toEqual([
      `Alertmanager ${base} refuses the alert {"alertname":"Hot","gpu":"bad"}: it answered 400: said 400`,
    ]);
  });

  it('isolates one bad alert of 64 in a dozen posts', async () => {
    server.behave = (alerts) => (gpus([...alerts]).includes('40') ? 400 : 200);
    const one = peer();
    one.send(Array.from({ length: 64 }, (_, gpu) => alert(String(gpu))));
    await one.close(1000);
    expect(server.posts).toHaveLength(13);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 63, dropped: 1 }));
  });

  it('splits a batch that is too large, and loses nothing', async () => {
    server.behave = (alerts) => (alerts.length > 2 ? 413 : 200);
    const one = peer();
    one.send(['1', '2', '3', '4', '5'].map((gpu) => alert(gpu)));
    await one.close(1000);
    expect(server.posts.map(gpus).filter((post) => post.length <= 2)).toEqual([['1', '2'], ['3'], ['4', '5']]);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 5, dropped: 0 }));
  });

  it.each([
    ['in seconds', '7', 7000],
    ['as a date', 'Thu, 01 Jan 2026 12:00:20 GMT', 20_000],
    ['no longer than five minutes', '86400', 300_000],
    ['but not below its own pause', '0', 500],
    ['unless it is nonsense', 'soon', 500],
  ])('waits as long as a peer asks: %s', async (_, retryAfter, pauseMs) => {
    server.retryAfter = retryAfter;
    server.behave = (_alerts, post) => (post === 1 ? 429 : 200);
    const one = peer();
    one.send([alert('1')]);
    await drained(one);
    await one.close(1000);
    expect(pauses).toEqual([pauseMs]);
  });

  it('keeps the rest of a refused batch when the peer dies meanwhile', async () => {
    server.behave = (_alerts, post) => [400, 200, 'reset' as const][post - 1] ?? 200;
    const one = peer();
    one.send([alert('1'), alert('2'), alert('3')]);
    await drained(one);
    await one.close(1000);
    expect(server.posts.map(gpus)).toEqual([['1', '2', '3'], ['1', '2'], ['3'], ['3']]);
  });
});

describe('AlertmanagerPeer: shutdown', () => {
  it('gives up at the deadline', async () => {
    server.behave = () => 'hang';
    const one = peer();
    one.send([alert('1')]);
    const begun = performance.now();
    await one.close(100);
    expect(performance.now() - begun).toBeLessThan(2000);
    one.send([alert('2')]);
    expect(one.stats().queueLength).toBe(1);
  });

  it('tries at once instead of sleeping out its pause', async () => {
    server.behave = (_alerts, post) => (post === 1 ? 500 : 200);
    const one = peer({}, { sleep: untilAborted });
    one.send([alert('1')]);
    await vi.waitFor(() => expect(one.stats().failed).toBe(1));
    await one.close(2000);
    expect(one.stats()).toEqual(expect.objectContaining({ sent: 1, queueLength: 0 }));
  });
});

describe('AlertmanagerPeer: a peer that is away for hours', () => {
  it('queues no more than what is active or lately over, though alerts come and go', async () => {
    let now = NOW;
    const one = peer({ url: `${await deadUrl()}/api/v2/alerts` }, { now: () => now, sleep: untilAborted });
    const sizes: number[] = [];
    for (let minute = 0; minute < 8 * 60; minute++) {
      now = NOW + minute * MINUTE;
      const over = Array.from({ length: 10 }, (_, n) => alert(`${minute}-${n}`, { startsAt: now, endsAt: now }));
      one.send([alert('lasting', { endsAt: now + 4 * MINUTE }), ...over]);
      sizes.push(one.stats().queueLength);
    }
    expect(Math.max(...sizes)).toBe(16 * 10 + 1);
    expect(one.stats().queueLength + one.stats().dropped).toBe(8 * 60 * 10 + 1);
    await one.close(0);
  });
});

describe('AlertmanagerPeer: what the peer holds', () => {
  /** Sleeps only when a test says so, and so checks only then. */
  function checked(options: Partial<PeerOptions>) {
    const wakes: (() => void)[] = [];
    const sleep = (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        wakes.push(resolve);
        void untilAborted(0, signal).then(resolve);
      });
    const one = peer(options, { sleep });
    one.startChecks();
    const check = async () => {
      const gets = server.gets;
      for (const wake of wakes.splice(0)) wake();
      await vi.waitFor(() => expect(server.gets).toBe(gets + 1));
      await vi.waitFor(() => expect(wakes).toHaveLength(1));
    };
    return { one, check };
  }

  it('sends again what it had accepted and does not hold, at once', async () => {
    const active = [alert('1'), alert('2'), alert('3')];
    const { one, check } = checked({ active: () => active });
    one.send(active);
    await drained(one);
    server.holds = [alert('1').fingerprint, alert('3').fingerprint, 'ffffffffffffffff'];
    await check();
    await vi.waitFor(() => expect(server.posts.map(gpus)).toEqual([['1', '2', '3'], ['2']]));
    expect(one.stats()).toEqual(expect.objectContaining({ missing: 1, checkedAt: NOW }));
    expect(problems).toEqual([`Alertmanager ${base} lacks 1 of 3 alerts that it had accepted; they are sent again`]);
    await check();
    expect(one.stats().missing).toBe(2);
    expect(problems).toHaveLength(1);
    server.holds = active.map(({ fingerprint }) => fingerprint);
    await check();
    expect(one.stats().missing).toBe(2);
    await one.close(1000);
  });

  it('misses neither what it refuses, nor what is about to expire', async () => {
    const active = [alert('bad'), alert('brief', { endsAt: NOW + 10_000 }), alert('1')];
    const { one, check } = checked({ active: () => active });
    server.behave = (alerts) => (gpus([...alerts]).includes('bad') ? 400 : 200);
    one.send(active);
    await drained(one);
    await vi.waitFor(() => expect(one.stats().dropped).toBe(1));
    server.holds = [alert('1').fingerprint];
    await check();
    expect(one.stats()).toEqual(expect.objectContaining({ missing: 0, checkedAt: NOW }));
    await one.close(1000);
  });

  it.each([
    ['an error', { status: 500, body: 'no' }, 'answered 500: no'],
    ['a web page', { status: 200, body: '<html>' }, 'answered with something other than a list of alerts'],
    ['an object', { status: 200, body: '{}' }, 'answered with something other than a list of alerts'],
  ])('says once that it does not know: %s', async (_, answer, reason) => {
    const { one, check } = checked({ active: () => [alert('1')] });
    server.getAnswer = answer;
    await check();
    await check();
    expect(problems).toEqual([`Alertmanager ${base} does not say which alerts it holds: ${reason}`]);
    expect(one.stats()).toEqual(expect.objectContaining({ missing: 0, checkedAt: undefined }));
    await one.close(1000);
  });

  it('does not read an endless list', async () => {
    const { one, check } = checked({ active: () => [alert('1')] });
    server.getAnswer = { status: 200, body: 'x'.repeat(65 * 1024 * 1024) };
    await check();
    expect(problems).toEqual([
      `Alertmanager ${base} does not say which alerts it holds: it answers with more than 67108864 bytes`,
    ]);
    await one.close(1000);
  });
});
