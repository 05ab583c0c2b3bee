import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type CollectorState, createCollector, initialState, step } from '../../exporter/collector.ts';
import type { Family } from '../../exporter/metrics/exposition.ts';
import { createSelfMetrics, type SelfMetrics } from '../../exporter/metrics/self-metrics.ts';
import { createScrape, type ProfileInput, type ScrapeOptions } from '../../exporter/scrape.ts';
import type { GpuSample, Snapshot, Source } from '../../exporter/snapshot.ts';
import { parseOpenMetrics } from './openmetrics-parser.ts';

const gpu = (index: number, gpuTemperatureCelsius: number): GpuSample => ({
  index,
  uuid: `GPU-${index}`,
  pciBusId: '00000000:07:00.0',
  modelName: 'A100',
  gpuTemperatureCelsius,
});

const snapshotAt = (takenAtMs: number, rest: Partial<Snapshot> = {}): Snapshot => ({
  takenAtMs,
  driverVersion: '1',
  gpus: [gpu(0, 40), gpu(1, 41)],
  health: { failures: [] },
  ...rest,
});

const gauge = (name: string, series: Family['series']): Family => ({ name, type: 'gauge', help: 'h', series });

/** Families after the two ways a profile can be: readings only, and presence beside them. Counts how often each is asked. */
function profilesOf() {
  const calls = { dcgm: 0, native: 0 };
  const temperatures = (name: string, { snapshot }: ProfileInput) =>
    gauge(
      name,
      (snapshot?.gpus ?? []).map(({ uuid, gpuTemperatureCelsius: value = 0 }) => ({ labels: { uuid }, value })),
    );
  const profiles: ScrapeOptions['profiles'] = {
    dcgm: (input) => {
      calls.dcgm += 1;
      return [temperatures('DCGM_FI_DEV_GPU_TEMP', input)];
    },
    native: (input) => {
      calls.native += 1;
      const up = Object.values(input.presence.gpus).map(({ identity, state }) => ({
        labels: { uuid: identity.uuid },
        value: state === 'available' ? 1 : 0,
      }));
      return [temperatures('gpu_temperature_celsius', input), gauge('gpu_up', up)];
    },
    platform: () => [],
  };
  return { profiles, calls };
}

const selfMetrics = createSelfMetrics({ version: '1.2.3', nodejs: 'v26.0.0' }, { withProcess: false });

/** A scrape over a state and a clock that the test moves. */
function movableScrape(rest: Partial<ScrapeOptions> = {}) {
  const world: { state: CollectorState; nowMs: number } = { state: initialState, nowMs: 0 };
  const { profiles, calls } = profilesOf();
  const scrape = createScrape({
    state: () => world.state,
    profiles,
    defaultProfiles: ['dcgm'],
    selfMetrics,
    source: 'mock',
    maxAgeMs: 10_000,
    now: () => world.nowMs,
    ...rest,
  });
  const read = (snapshot: Partial<Snapshot> = {}) => {
    const atMs = world.nowMs;
    world.state = step(world.state, { kind: 'read', snapshot: snapshotAt(atMs, snapshot), atMs, durationMs: 3 });
  };
  const fail = () => {
    const failure = { reason: 'timeout', message: 'wedged' } as const;
    world.state = step(world.state, { kind: 'failed', failure, atMs: world.nowMs, durationMs: 5000 });
  };
  const text = async (...request: Parameters<typeof scrape.page>) => (await scrape.page(...request)).text.toString();
  return { world, scrape, read, fail, text, calls };
}

/** Samples on a page by series, those of the exporter itself or those of the GPUs. */
function samples(text: string, isSelf: boolean): Readonly<Record<string, number>> {
  const lines = text.split('\n').filter((line) => /^\w/.test(line) && !line.includes('build_info'));
  const chosen = lines.filter((line) => line.startsWith('gpu_exporter_') === isSelf);
  return Object.fromEntries(
    chosen.map((line) => [
      line.slice(0, line.lastIndexOf(' ')).replace('gpu_exporter_', ''),
      Number(line.split(' ').at(-1)),
    ]),
  );
}

const selfSamples = (text: string) => samples(text, true);
const gpuSamples = (text: string) => samples(text, false);

const noFailures = { 'collect_failures_total{reason="error"}': 0, 'collect_failures_total{reason="timeout"}': 0 };

describe('createScrape', () => {
  it('publishes only what is known before the first reading', async () => {
    const { text } = movableScrape();
    expect(gpuSamples(await text())).toEqual({});
    expect(selfSamples(await text())).toEqual({ 'source_up{source="mock"}': 0, gpus: 0, ...noFailures });
  });

  it('publishes the last reading, and its age', async () => {
    const { world, read, text } = movableScrape();
    read();
    world.nowMs = 10_000;
    expect(gpuSamples(await text())).toEqual({
      'DCGM_FI_DEV_GPU_TEMP{uuid="GPU-0"}': 40,
      'DCGM_FI_DEV_GPU_TEMP{uuid="GPU-1"}': 41,
    });
    expect(selfSamples(await text())).toEqual({
      'source_up{source="mock"}': 1,
      gpus: 2,
      collect_duration_seconds: 0.003,
      sample_age_seconds: 10,
      ...noFailures,
    });
  });

  it('withholds readings that are too old, and says why', async () => {
    const { world, read, fail, text } = movableScrape();
    read();
    fail();
    world.nowMs = 10_001;
    expect(gpuSamples(await text())).toEqual({});
    expect(selfSamples(await text())).toEqual({
      'source_up{source="mock"}': 0,
      gpus: 0,
      collect_duration_seconds: 5,
      sample_age_seconds: 10.001,
      ...noFailures,
      'collect_failures_total{reason="timeout"}': 1,
    });
  });

  it('goes on about presence when readings are too old, and when a GPU is gone', async () => {
    const { world, read, fail, text } = movableScrape();
    read();
    read({ gpus: [gpu(0, 40)] });
    const profiles = { profiles: ['native'] } as const;
    const up = { 'gpu_up{uuid="GPU-0"}': 1, 'gpu_up{uuid="GPU-1"}': 0 };
    expect(gpuSamples(await text(profiles))).toEqual({ 'gpu_temperature_celsius{uuid="GPU-0"}': 40, ...up });
    world.nowMs = 10_001;
    expect(gpuSamples(await text(profiles))).toEqual(up);
    fail();
    expect(gpuSamples(await text(profiles))).toEqual({ 'gpu_up{uuid="GPU-0"}': 0, 'gpu_up{uuid="GPU-1"}': 0 });
  });

  it('tells of the machinery behind the source, the state file and failed calls', async () => {
    const status = { childRestarts: { wedged: 2, crashed: 0 }, abandonedChildren: 1, xidWatch: 'down' } as const;
    const { read, text } = movableScrape({ status: () => status, isStateFileUp: () => true });
    const callErrors = [{ call: 'nvmlDeviceGetFanSpeed', code: 'unknown', count: 3 }];
    read({ health: { failures: [], callErrors } });
    expect(selfSamples(await text())).toMatchObject({
      'source_child_restarts_total{reason="wedged"}': 2,
      'source_child_restarts_total{reason="crashed"}': 0,
      source_abandoned_children: 1,
      xid_watch_up: 0,
      state_file_up: 1,
      'nvml_call_errors_total{call="nvmlDeviceGetFanSpeed",code="unknown"}': 3,
    });
  });

  it('is a whole OpenMetrics page when asked, with the same samples as in text', async () => {
    const { scrape, read, text } = movableScrape();
    read();
    const profiles = ['dcgm', 'native'] as const;
    const page = await scrape.page({ profiles, format: 'openmetrics' });
    expect(page.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const families = parseOpenMetrics(page.text.toString());
    expect(families.map(({ name, type }) => `${type} ${name}`)).toEqual([
      'gauge DCGM_FI_DEV_GPU_TEMP',
      'gauge gpu_temperature_celsius',
      'gauge gpu_up',
      'info gpu_exporter_build',
      'gauge gpu_exporter_collect_duration_seconds',
      'counter gpu_exporter_collect_failures',
      'gauge gpu_exporter_gpus',
      'gauge gpu_exporter_sample_age_seconds',
      'gauge gpu_exporter_source_up',
    ]);
    const inText = await text({ profiles });
    const fromPage = page.text.toString();
    expect([gpuSamples(fromPage), selfSamples(fromPage)]).toEqual([gpuSamples(inText), selfSamples(inText)]);
  });
});

describe('pages', () => {
  it('are rendered once for scrapes within a second, and again when there is a new reading', async () => {
    const { world, scrape, read } = movableScrape();
    read();
    const first = await scrape.page();
    world.nowMs = 999;
    expect(await scrape.page()).toBe(first);
    read();
    const second = await scrape.page();
    expect(second).not.toBe(first);
    world.nowMs = 1999;
    expect(await scrape.page()).not.toBe(second);
  });

  it('are kept by profiles and format, and what is said of the GPUs for as long as nothing new is known', async () => {
    const { world, scrape, read, calls } = movableScrape();
    read();
    const requests = [
      { profiles: ['dcgm'], format: 'text' },
      { profiles: ['native'], format: 'text' },
      { profiles: ['native'], format: 'openmetrics' },
      { profiles: ['dcgm', 'native'], format: 'text' },
    ] as const;
    const pages = () => Promise.all(requests.map((request) => scrape.page(request)));
    const texts = new Set((await pages()).map(({ text }) => text.toString()));
    expect([texts.size, calls]).toEqual([4, { dcgm: 2, native: 3 }]);
    world.nowMs = 5000;
    await pages();
    expect(calls).toEqual({ dcgm: 2, native: 3 });
    read();
    await pages();
    expect(calls).toEqual({ dcgm: 4, native: 6 });
    world.nowMs = 15_001;
    await pages();
    expect(calls).toEqual({ dcgm: 6, native: 9 });
  });

  it('are not kept at all for fleets that would have to keep thousands', async () => {
    const { scrape, read, calls } = movableScrape({ keepMs: 0 });
    read();
    const [first, second] = [await scrape.page(), await scrape.page()];
    expect(first.text.equals(second.text)).toBe(true);
    expect(calls.dcgm).toBe(2);
  });

  it('are compressed once, to the same text', async () => {
    const { scrape, read } = movableScrape();
    read();
    const page = await scrape.page();
    expect(await page.gzipped()).toBe(await page.gzipped());
    expect((await promisify(gunzip)(await page.gzipped())).equals(page.text)).toBe(true);
  });

  it('are tried again after one that could not be made', async () => {
    let isBroken = true;
    const failing: SelfMetrics = {
      ...selfMetrics,
      families: (readings) => (isBroken ? Promise.reject(new Error('no metrics')) : selfMetrics.families(readings)),
    };
    const { scrape } = movableScrape({ selfMetrics: failing });
    await expect(scrape.page()).rejects.toThrow('no metrics');
    isBroken = false;
    await expect(scrape.page()).resolves.toMatchObject({ contentType: 'text/plain; version=0.0.4; charset=utf-8' });
  });
});

describe('a page while the source is being read', () => {
  const sourceOf = (read: Source['read']): Source => ({ read, close: async () => undefined });

  /** A collector whose first read ends when the test says so. */
  function slowStart() {
    const first = Promise.withResolvers<Snapshot>();
    const source = sourceOf(() => first.promise);
    const collector = createCollector({ source, intervalMs: 60_000, timeoutMs: 60_000, now: () => 0 });
    const { scrape } = movableScrape({ state: collector.state, upToDate: collector.firstRound });
    return { collector, scrape, answer: () => first.resolve(snapshotAt(0)) };
  }

  const isUp = { 'source_up{source="mock"}': 1, gpus: 2 };
  const isDown = { 'source_up{source="mock"}': 0, gpus: 0 };

  it('waits for the first round as long as the scrape does', async () => {
    const { collector, scrape, answer } = slowStart();
    collector.start();
    const page = scrape.page({ patienceMs: 60_000 });
    answer();
    expect(selfSamples((await page).text.toString())).toMatchObject(isUp);
    collector.stop();
  });

  it('does not wait longer than that', async () => {
    const { collector, scrape, answer } = slowStart();
    collector.start();
    expect(selfSamples((await scrape.page({ patienceMs: 5 })).text.toString())).toMatchObject(isDown);
    answer();
    await collector.firstRound();
    expect(selfSamples((await scrape.page()).text.toString())).toMatchObject(isUp);
    collector.stop();
  });

  it('is there at once where no time is left, and never waits for a later round', async () => {
    const { collector, scrape, answer } = slowStart();
    collector.start();
    expect(selfSamples((await scrape.page({ patienceMs: 0 })).text.toString())).toMatchObject(isDown);
    answer();
    await collector.firstRound();
    void collector.collect();
    expect(selfSamples((await scrape.page({ patienceMs: 60_000 })).text.toString())).toMatchObject(isUp);
    collector.stop();
  });

  it('is fresh, from one round for all who ask, where rounds are made on demand', async () => {
    const world = { nowMs: 1000, reads: 0 };
    const source = sourceOf(async () => {
      world.reads += 1;
      return snapshotAt(world.nowMs, { gpus: [gpu(0, world.reads)] });
    });
    const now = () => world.nowMs;
    const collector = createCollector({ source, intervalMs: 500, timeoutMs: 5000, now });
    const { scrape } = movableScrape({ state: collector.state, upToDate: collector.freshen, now });
    const temperatures = async () => {
      const pages = await Promise.all([scrape.page({ patienceMs: 5000 }), scrape.page({ patienceMs: 5000 })]);
      return pages.flatMap(({ text }) => Object.values(gpuSamples(text.toString())));
    };
    expect(await temperatures()).toEqual([1, 1]);
    world.nowMs += 499;
    expect(await temperatures()).toEqual([1, 1]);
    world.nowMs += 1;
    expect(await temperatures()).toEqual([2, 2]);
  });
});
