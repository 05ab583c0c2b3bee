/** Bench: scraping the real exporter against a bare node:http server that sends the same bytes. */
import { startExporterProcess } from '../exporter/exporter-process.ts';
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

/** Alternating rounds against both servers, each in its own process; then memory over many scrapes. */
export async function benchScrape(): Promise<BenchFigure[]> {
  const exporter = await startExporterProcess(['--gpus', '8'], { LOG_LEVEL: 'info' });
  const target = { port: exporter.port, path: '/metrics' };
  try {
    await untilItHasGpus(exporter.url);
    return [...(await compareRates(target)), ...(await compareMemory(exporter.pid, target))];
  } finally {
    await exporter.end();
  }
}

async function untilItHasGpus(url: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) });
    if ((await response.text()).includes('DCGM_FI_DEV_GPU_TEMP{')) return;
  }
  throw new Error('the exporter publishes no GPU');
}

async function compareRates(target: Target): Promise<BenchFigure[]> {
  const rounds = await againstBare(target, { connections: CONNECTIONS, rounds: ROUNDS, seconds: ROUND_SECONDS });
  const of = (get: (round: Round) => number) => median(rounds.map(get));
  return [
    { name: 'scrape of 8 GPUs', value: of(({ real }) => real.requestsPerSecond), unit: 'requests/s' },
    { name: 'same bytes from bare node:http', value: of(({ bare }) => bare.requestsPerSecond), unit: 'requests/s' },
    atLeast(MIN_RATIO, {
      name: 'scrape against bare node:http',
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
