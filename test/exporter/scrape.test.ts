import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type CollectorState, createCollector, initialState, step } from '../../exporter/collector.ts';
import { createSelfMetrics } from '../../exporter/metrics/self-metrics.ts';
import { createScrape } from '../../exporter/scrape.ts';
import type { Source } from '../../exporter/snapshot.ts';
import { a100Sxm80 } from '../../exporter/source/mock/profiles.ts';
import { createMockSource } from '../../exporter/source/mock/source.ts';

/** A scrape over a state and a clock that the test moves. */
function movableScrape() {
  const world: { state: CollectorState; nowMs: number } = { state: initialState, nowMs: 0 };
  const source = createMockSource({ profile: a100Sxm80, seed: 1, gpus: 2 }, () => world.nowMs);
  const scrape = scrapeOf(
    () => world.state,
    () => world.nowMs,
  );
  const read = async () => {
    const snapshot = await source.read(AbortSignal.timeout(1000));
    world.state = step(world.state, { kind: 'read', snapshot, durationMs: 3 });
  };
  return { world, scrape, read, text: async () => (await scrape.page()).text.toString() };
}

function scrapeOf(state: () => CollectorState, now: () => number) {
  const selfMetrics = createSelfMetrics({ version: '1.2.3', nodejs: 'v26.0.0' }, { withProcess: false });
  return createScrape({ state, selfMetrics, source: 'mock', hostname: 'h', maxAgeMs: 10_000, now });
}

/** The exporter's own samples on a page, by series. */
function selfSamples(text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').filter((line) => line.startsWith('gpu_exporter_') && !line.includes('build_info'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(13, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

const noFailures = { 'collect_failures_total{reason="error"}': 0, 'collect_failures_total{reason="timeout"}': 0 };

describe('createScrape', () => {
  it('publishes only what is known before the first reading', async () => {
    const { text } = movableScrape();
    expect(await text()).not.toContain('DCGM');
    expect(selfSamples(await text())).toEqual({ 'source_up{source="mock"}': 0, gpus: 0, ...noFailures });
  });

  it('publishes the last reading, and its age', async () => {
    const { world, read, text } = movableScrape();
    await read();
    world.nowMs = 10_000;
    expect((await text()).match(/^DCGM_FI_DEV_GPU_TEMP\{/gm)).toHaveLength(2);
    expect(selfSamples(await text())).toEqual({
      'source_up{source="mock"}': 1,
      gpus: 2,
      collect_duration_seconds: 0.003,
      sample_age_seconds: 10,
      ...noFailures,
    });
  });

  it('withholds readings that are too old, and says why', async () => {
    const { world, read, text } = movableScrape();
    await read();
    const failure = { reason: 'timeout', message: 'wedged' } as const;
    world.state = step(world.state, { kind: 'failed', failure, durationMs: 5000 });
    world.nowMs = 10_001;
    expect(await text()).not.toContain('DCGM');
    expect(selfSamples(await text())).toEqual({
      'source_up{source="mock"}': 0,
      gpus: 0,
      collect_duration_seconds: 5,
      sample_age_seconds: 10.001,
      ...noFailures,
      'collect_failures_total{reason="timeout"}': 1,
    });
  });

  it('renders once for scrapes within a second, and again when there is a new reading', async () => {
    const { world, scrape, read } = movableScrape();
    await read();
    const first = await scrape.page();
    world.nowMs = 999;
    expect(await scrape.page()).toBe(first);
    await read();
    const second = await scrape.page();
    expect(second).not.toBe(first);
    world.nowMs = 1999;
    expect(await scrape.page()).not.toBe(second);
  });

  it('compresses a page once, to the same text', async () => {
    const { scrape, read } = movableScrape();
    await read();
    const page = await scrape.page();
    expect(await page.gzipped()).toBe(await page.gzipped());
    expect((await promisify(gunzip)(await page.gzipped())).equals(page.text)).toBe(true);
  });

  it('answers at once while the source is wedged in the middle of a read', async () => {
    const wedged: Source = { read: () => new Promise(() => undefined), close: async () => undefined };
    const collector = createCollector({ source: wedged, intervalMs: 1, timeoutMs: 60_000, now: () => 0 });
    collector.start();
    const page = await scrapeOf(collector.state, () => 0).page();
    expect(selfSamples(page.text.toString())).toMatchObject({ 'source_up{source="mock"}': 0, gpus: 0 });
    collector.stop();
  });
});
