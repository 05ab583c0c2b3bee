/** Counters of time over the ends of real exporters: what Prometheus adds up, and what the state file keeps. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { type RunningExporter, startExporterProcess } from './exporter-process.ts';

interface Known {
  readonly first_seen: string;
  readonly available_seconds: number;
  readonly unavailable_seconds: Readonly<Record<string, number>>;
  readonly unobserved_seconds: number;
}

async function start(directory: string): Promise<RunningExporter> {
  const exporter = await startExporterProcess([], {
    EXPORTER_STATE_FILE: join(directory, 'gpus.json'),
    EXPORTER_COLLECT_INTERVAL_MS: '100',
  });
  onTestFinished(() => exporter.end('SIGKILL').then(() => undefined));
  return exporter;
}

async function get({ url }: RunningExporter, path: string): Promise<Response> {
  return fetch(url + path, { signal: AbortSignal.timeout(5000) });
}

/** What the first GPU has under this name. */
async function published(exporter: RunningExporter, name: string): Promise<number> {
  const page = await (await get(exporter, '/metrics?profile=native')).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (.*)$`, 'm').exec(page)?.[1]);
}

async function lifetime(exporter: RunningExporter) {
  const { gpus } = (await (await get(exporter, '/api/v1/gpus')).json()) as { gpus: readonly Known[] };
  const [gpu] = gpus;
  if (gpu === undefined) throw new Error('no GPU is known');
  const { available_seconds: available, unobserved_seconds: unobserved } = gpu;
  const unavailable = Object.values(gpu.unavailable_seconds).reduce((sum, seconds) => sum + seconds, 0);
  const sinceFirstSeen = (Date.now() - Date.parse(gpu.first_seen)) / 1000;
  return { available, unobserved, total: available + unavailable + unobserved, sinceFirstSeen };
}

const available = (exporter: RunningExporter) => published(exporter, 'gpu_available_seconds_total');
const unobserved = (exporter: RunningExporter) => published(exporter, 'gpu_unobserved_seconds_total');

/** An exporter that has watched for a second and a half, as it says. */
async function watched(directory: string): Promise<RunningExporter> {
  const exporter = await start(directory);
  await expect.poll(() => available(exporter), { timeout: 10_000 }).toBeGreaterThan(1.5);
  return exporter;
}

describe('the counters of time', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('begin at 0 after %s, and the lifetime goes on', async (signal) => {
    const directory = temporaryDirectory();
    const first = await watched(directory);
    await first.end('SIGTERM');
    const second = await watched(directory);
    const before = { startedMs: Date.now(), available: await available(second), lifetime: await lifetime(second) };
    expect(before.lifetime.available).toBeGreaterThan(3);
    await second.end(signal);

    const third = await start(directory);
    const aliveS = () => (Date.now() - before.startedMs) / 1000;
    const counted = (await available(third)) + (await unobserved(third));
    expect(counted).toBeLessThan(aliveS());
    expect(await available(third)).toBeLessThan(before.available);
    const after = await lifetime(third);
    expect(after.available).toBeGreaterThan(1.5);
    // The life also has the time in which no exporter ran.
    expect(after.unobserved).toBeGreaterThan(await unobserved(third));
    expect(Math.abs(after.total - after.sinceFirstSeen)).toBeLessThan(1);
  });
});
