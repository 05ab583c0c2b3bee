import { spawnSync } from 'node:child_process';
import { describe, expect, it, type TestContext } from 'vitest';
import { renderFamilies } from '../../exporter/metrics/exposition.ts';
import { gpuFamilies } from '../../exporter/metrics/families.ts';
import { createSelfMetrics } from '../../exporter/metrics/self-metrics.ts';
import { a100Sxm80 } from '../../exporter/source/mock/profiles.ts';
import { createMockSource } from '../../exporter/source/mock/source.ts';
import { startExporterProcess } from './exporter-process.ts';

const goldenFile = (name: string) => new URL(`golden/${name}`, import.meta.url).pathname;

/** What two simulated GPUs publish `elapsedMs` after the start, with an ECC fault on GPU 1 when told. */
async function gpuText(elapsedMs: number, { isBroken = false, seed = 42 } = {}): Promise<string> {
  let nowMs = 1_767_225_600_000;
  const source = createMockSource({ profile: a100Sxm80, seed, gpus: 2 }, () => nowMs);
  if (isBroken) source.faults.inject(1, 'ecc');
  nowMs += elapsedMs;
  return renderFamilies(gpuFamilies(await source.read(AbortSignal.timeout(1000)), 'gpu-node-1'));
}

function selfText(): Promise<string> {
  const build = { version: '1.2.3', nodejs: 'v26.0.0' };
  const readings = { source: 'mock', isSourceUp: true, gpus: 2, collectSeconds: 0.002, sampleAgeSeconds: 0.5 };
  return createSelfMetrics(build, { withProcess: false }).render({ ...readings, failures: { error: 3, timeout: 0 } });
}

/** Problems promtool has with a page, without the metric names in front; skips without promtool, except in CI. */
function lint(page: string, context: TestContext): readonly string[] {
  const { error, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (error !== undefined) {
    if (process.env.CI) throw new Error('promtool is not on PATH: install Prometheus', { cause: error });
    console.warn(
      'SKIPPED: promtool is not on PATH, so the exposition was not linted; install Prometheus to run this test',
    );
    context.skip('promtool is not on PATH');
  }
  const problems = stderr.split('\n').filter((line) => line !== '');
  return [...new Set(problems.map((line) => line.slice(line.indexOf(' ') + 1)))].toSorted();
}

describe('the scrape of two simulated GPUs', () => {
  it('is this text 30 s after the start, when they idle', async () => {
    await expect(await gpuText(30_000)).toMatchFileSnapshot(goldenFile('idle.prom'));
  });

  it('is this text at peak, with an uncorrectable error on GPU 1', async () => {
    await expect(await gpuText(180_000, { isBroken: true })).toMatchFileSnapshot(goldenFile('peak-ecc.prom'));
  });

  it('is the same bytes for the same seed and time, and others for another seed', async () => {
    expect(await gpuText(90_000)).toBe(await gpuText(90_000));
    expect(await gpuText(90_000)).not.toBe(await gpuText(90_000, { seed: 43 }));
  });
});

describe('the exporter’s own metrics', () => {
  it('are this text', async () => {
    await expect(await selfText()).toMatchFileSnapshot(goldenFile('self.prom'));
  });
});

describe('promtool check metrics', () => {
  const dcgmProblems = [
    'counter metrics should have "_total" suffix',
    "label names should be written in 'snake_case' not 'camelCase'",
    "metric name should not include type 'counter'",
  ];

  it('has three kinds of problem with DCGM names, and no other', async (context) => {
    expect(lint(await gpuText(180_000, { isBroken: true }), context)).toEqual(dcgmProblems);
  });

  it('has no problem with the exporter’s own metrics', async (context) => {
    expect(lint(await selfText(), context)).toEqual([]);
  });

  it('has no further problem with a whole page of the running exporter, process metrics included', async (context) => {
    const exporter = await startExporterProcess();
    try {
      const response = await fetch(`${exporter.url}/metrics`, { signal: AbortSignal.timeout(5000) });
      expect(lint(await response.text(), context)).toEqual(dcgmProblems);
    } finally {
      await exporter.end();
    }
  });
});
