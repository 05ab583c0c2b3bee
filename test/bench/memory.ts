/** Bench: memory of the real engine process with 10,000 GPUs and full windows, over many gate requests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { saveFleet } from '../../engine/core/checkpoint.ts';
import { tickAtOrBefore } from '../../engine/core/tick.ts';
import { openSqliteStore } from '../../engine/store/sqlite.ts';
import { startEngine } from '../servers/engine.ts';
import type { RunningServer } from '../servers/server.ts';
import { type BenchFigure, below } from './figure.ts';
import { benchPlan, filledFleet, INTERVAL_MS, NODE_NAMES, POLICY_FILE } from './fleet.ts';
import { loadTimes } from './load.ts';
import { residentMebibytes, startProcess } from './process.ts';

const MAX_MEBIBYTES = 400;
const REQUESTS = 100_000;
const CONNECTIONS = 32;
const SCRAPES = 10;
const SETTLE_TICKS = 4;
const READY_MS = 60_000;

/** The engine continues from a checkpoint, so that its windows are full without hours of history to read. */
export async function benchMemory(): Promise<BenchFigure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gpu-uptime-bench-'));
  const answers = await startProcess(import.meta.resolve('./prometheus-answers.ts'));
  try {
    await writeCheckpoint(join(dataDir, 'engine.db'));
    const env = {
      PROMETHEUS_URL: `http://127.0.0.1:${answers.ready.port}`,
      ALERTMANAGER_URLS: '',
      POLICY_FILE,
      RULE_FILES: '',
      LOG_LEVEL: 'warn',
    };
    const engine = await startEngine({ dataDir, env });
    try {
      return await measure(engine);
    } finally {
      await engine.stop();
    }
  } finally {
    await answers.end();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function writeCheckpoint(file: string): Promise<void> {
  const plan = benchPlan();
  const value = saveFleet(plan, filledFleet(plan, tickAtOrBefore(Date.now(), INTERVAL_MS) - 3 * INTERVAL_MS));
  const { store } = openSqliteStore(file);
  await store.write('checkpoint', { put: [{ key: 'fleet', value }] });
  await store.close();
}

async function measure(engine: RunningServer): Promise<BenchFigure[]> {
  await untilReady(engine);
  await delay(SETTLE_TICKS * INTERVAL_MS);
  const before = residentMebibytes(engine.pid);
  await loadTimes(REQUESTS, CONNECTIONS, { port: engine.port, path: gatePath(NODE_NAMES[7]) });
  await loadTimes(REQUESTS, CONNECTIONS, { port: engine.port, path: gatePath(NODE_NAMES[0]) });
  await delay(SETTLE_TICKS * INTERVAL_MS);
  const after = residentMebibytes(engine.pid);
  for (let scrape = 0; scrape < SCRAPES; scrape++) await scrapeOnce(engine);
  const scraped = residentMebibytes(engine.pid);
  return [
    { name: 'engine memory with 10,000 GPUs', value: before, unit: 'MiB' },
    below(MAX_MEBIBYTES, {
      name: `engine memory ${2 * REQUESTS} gate requests later`,
      value: after,
      unit: 'MiB',
    }),
    below(MAX_MEBIBYTES, { name: `engine memory ${SCRAPES} scrapes of every GPU later`, value: scraped, unit: 'MiB' }),
  ];
}

async function scrapeOnce({ url }: RunningServer): Promise<void> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(30_000) });
  await response.arrayBuffer();
}

function gatePath(node: string | undefined): string {
  return `/api/v1/gate/forward/default?node=${node}`;
}

async function untilReady({ url, log }: RunningServer): Promise<void> {
  const endMs = performance.now() + READY_MS;
  while (performance.now() < endMs) {
    const { ok } = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(10_000) });
    if (ok) return;
    await delay(250);
  }
  throw new Error(`the engine is not ready:\n${log()}`);
}
