import nock from 'nock';
import { afterEach, describe, expect, it } from 'vitest';
import { preflight } from '../../../engine/prometheus/preflight.ts';
import { policy } from '../core/fixtures.ts';

const URL = 'http://prometheus.test:9090';

afterEach(() => nock.cleanAll());

function answerCounts(present: readonly string[]): void {
  for (const expr of ['up{job="prometheus"}', 'DCGM_FI_DEV_GPU_TEMP', 'up']) {
    const result = present.includes(expr) ? [{ metric: {}, value: [0, '1'] }] : [];
    nock(URL)
      .get('/api/v1/query')
      .query(({ query }) => query === `count(${expr})`)
      .reply(200, { status: 'success', data: { resultType: 'vector', result } });
  }
}

describe('preflight', () => {
  it('is content with a Prometheus that has everything', async () => {
    answerCounts(['up{job="prometheus"}', 'DCGM_FI_DEV_GPU_TEMP', 'up']);
    expect(await preflight(URL, policy(), 1000, 1000)).toEqual([]);
  });

  it('names what is missing and what to do', async () => {
    answerCounts(['up']);
    expect(await preflight(URL, policy(), 1000, 1000)).toEqual([
      'up{job="prometheus"} has no series in http://prometheus.test:9090: nobody is seen watching, so all time is unobserved; let Prometheus scrape itself or set presence.observer',
      'DCGM_FI_DEV_GPU_TEMP has no series in http://prometheus.test:9090: no GPU is seen; let Prometheus scrape a DCGM-style exporter or set presence.selector',
    ]);
  });

  it.each([
    ['answers 502', () => nock(URL).get('/api/v1/query').times(3).query(true).reply(502, 'Bad Gateway')],
    ['cuts the connection', () => nock(URL).get('/api/v1/query').times(3).query(true).replyWithError('socket hang up')],
  ])('stays silent when Prometheus %s: the scheduler reports that', async (_, fail) => {
    fail();
    expect(await preflight(URL, policy(), 1000, 1000)).toEqual([]);
  });
});
