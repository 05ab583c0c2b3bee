import nock from 'nock';
import { afterEach, describe, expect, it } from 'vitest';
import { preflight } from '../../../engine/prometheus/preflight.ts';
import { policy } from '../core/fixtures.ts';

const URL = 'http://prometheus.test:9090';

afterEach(() => nock.cleanAll());

const PRESENT = ['up{job="prometheus"}', 'DCGM_FI_DEV_GPU_TEMP', 'up'];
/** Options whose policy calls a sample older than 20 s missing. */
const OPTIONS = { url: URL, policy: policy(), atMs: 1000, timeoutMs: 1000 };

/** Answers as a Prometheus with these series, which have that many samples in a minute. */
function answer(present: readonly string[], samples: Readonly<Record<string, number>> = {}): void {
  for (const expr of PRESENT) reply(`count(${expr})`, present.includes(expr) ? 1 : undefined);
  for (const expr of ['DCGM_FI_DEV_GPU_TEMP', 'up{job="prometheus"}'])
    reply(`max(count_over_time(${expr}[60s]))`, present.includes(expr) ? (samples[expr] ?? 12) : undefined);
}

function reply(expr: string, value: number | undefined): void {
  const result = value === undefined ? [] : [{ metric: {}, value: [0, String(value)] }];
  nock(URL)
    .get('/api/v1/query')
    .query(({ query }) => query === expr)
    .reply(200, { status: 'success', data: { resultType: 'vector', result } });
}

describe('preflight', () => {
  it('is content with a Prometheus that has everything', async () => {
    answer(PRESENT);
    expect(await preflight(OPTIONS)).toEqual([]);
  });

  it('names what is missing and what to do', async () => {
    answer(['up']);
    expect(await preflight(OPTIONS)).toEqual([
      'up{job="prometheus"} has no series in http://prometheus.test:9090: nobody is seen watching, so all time is unobserved; let Prometheus scrape itself or set presence.observer',
      'DCGM_FI_DEV_GPU_TEMP has no series in http://prometheus.test:9090: no GPU is seen; let Prometheus scrape a DCGM-style exporter or set presence.selector',
    ]);
  });

  it('asks through the client that has the credentials, where there are some', async () => {
    const asked: string[] = [];
    const prom = {
      instant: async (expr: string) => {
        asked.push(expr);
        return expr === 'count(up)' ? [{ labels: {}, value: 1 }] : [];
      },
      range: async () => [],
    };
    expect((await preflight({ ...OPTIONS, prom })).map((sentence) => sentence.split(' ')[0])).toEqual([
      'up{job="prometheus"}',
      'DCGM_FI_DEV_GPU_TEMP',
    ]);
    expect(asked).toContain('count(DCGM_FI_DEV_GPU_TEMP)');
  });

  it('warns of a scrape interval that freshness does not allow for', async () => {
    answer(PRESENT, { DCGM_FI_DEV_GPU_TEMP: 2 });
    expect(await preflight(OPTIONS)).toEqual([
      'DCGM_FI_DEV_GPU_TEMP has a sample about every 30 s, and one older than 20 s is missing: set interval to 30s or presence.fresh to 60s',
    ]);
  });

  it('warns of a heartbeat that comes too rarely to call a missing GPU down', async () => {
    answer(PRESENT, { 'up{job="prometheus"}': 3 });
    expect(await preflight(OPTIONS)).toEqual([
      'up{job="prometheus"} has a sample about every 20 s, and 20 s after one a missing GPU is unobserved instead of down: scrape it more often, or set interval to 20s or presence.fresh to 40s',
    ]);
  });

  it.each([
    ['answers 502', () => nock(URL).get('/api/v1/query').times(3).query(true).reply(502, 'Bad Gateway')],
    ['cuts the connection', () => nock(URL).get('/api/v1/query').times(3).query(true).replyWithError('socket hang up')],
  ])('stays silent when Prometheus %s: the scheduler reports that', async (_, fail) => {
    fail();
    expect(await preflight(OPTIONS)).toEqual([]);
  });
});
