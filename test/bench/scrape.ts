/** Bench: scraping the real exporter against a bare node:http server that sends the same bytes. */
import { type RunningExporter, startExporterProcess } from '../exporter/exporter-process.ts';
import { againstBare, type Round } from './against-bare.ts';
import { atLeast, type BenchFigure, below, median } from './figure.ts';
import { loadTimes, type Target } from './load.ts';
import { residentMebibytes } from './process.ts';

const CONNECTIONS = 16;
const ROUNDS = 6;
const ROUND_SECONDS = 1;
const SOAK_SCRAPES = 100_000;
const MIN_RATIO = 0.6;
const MAX_MEBIBYTES = 120;
const MAX_START_SECONDS = 2;

/** Alternating rounds against both servers, each in its own process; then memory over many scrapes. */
export async function benchScrape(): Promise<BenchFigure[]> {
  const small = await withExporter(8, async (exporter, target) => [
    ...(await compareRates('8 GPUs', target)),
    ...(await compareRates('8 GPUs, native profile', { ...target, path: '/metrics?profile=native' })),
    ...(await compareMemory(exporter.pid, target)),
  ]);
  const large = await withExporter(1000, (_exporter, target) => compareRates('1,000 GPUs', target));
  return [await firstMetric(), ...small, ...large];
}

type Measure = (exporter: RunningExporter, target: Target) => Promise<BenchFigure[]>;

async function withExporter(gpus: number, measure: Measure): Promise<BenchFigure[]> {
  const exporter = await startExporterProcess(['--gpus', String(gpus)], { LOG_LEVEL: 'info' });
  try {
    await untilItHasGpus(exporter.url);
    return await measure(exporter, { port: exporter.port, path: '/metrics' });
  } finally {
    await exporter.end();
  }
}

/** From the start of the process, with everything as a user has it: GPU_SOURCE=auto looks for a card first. */
async function firstMetric(): Promise<BenchFigure> {
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    const exporter = await startExporterProcess([], { LOG_LEVEL: 'info', GPU_SOURCE: 'auto' });
    await untilItHasGpus(exporter.url).finally(() => seconds.push((performance.now() - startedMs) / 1000));
    await exporter.end();
  }
  return below(MAX_START_SECONDS, { name: 'first metric after the start', value: median(seconds), unit: 's' });
}

async function untilItHasGpus(url: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) });
    if ((await response.text()).includes('DCGM_FI_DEV_GPU_TEMP{')) return;
  }
  throw new Error('the exporter publishes no GPU');
}

async function compareRates(what: string, target: Target): Promise<BenchFigure[]> {
  const rounds = await againstBare(target, { connections: CONNECTIONS, rounds: ROUNDS, seconds: ROUND_SECONDS });
  const of = (get: (round: Round) => number) => median(rounds.map(get));
  return [
    { name: `scrape of ${what}`, value: of(({ real }) => real.requestsPerSecond), unit: 'requests/s' },
    {
      name: `the same bytes from bare node:http, ${what}`,
      value: of(({ bare }) => bare.requestsPerSecond),
      unit: 'requests/s',
    },
    atLeast(MIN_RATIO, {
      name: `scrape against bare node:http, ${what}`,
      value: of(({ real, bare }) => real.requestsPerSecond / bare.requestsPerSecond),
      unit: 'ratio',
    }),
  ];
}

async function compareMemory(pid: number, target: Target): Promise<BenchFigure[]> {
  const before = residentMebibytes(pid);
  await loadTimes(SOAK_SCRAPES, CONNECTIONS, target);
  const after = residentMebibytes(pid);
  return [
    { name: 'exporter memory before the soak', value: before, unit: 'MiB' },
    below(MAX_MEBIBYTES, { name: `exporter memory ${SOAK_SCRAPES} scrapes later`, value: after, unit: 'MiB' }),
  ];
}
