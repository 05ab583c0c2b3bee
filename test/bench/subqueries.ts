/** Bench: the three windows as PromQL subqueries in a real Prometheus against windows updated in place. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFleet, type FleetState, stepFleet } from '../../engine/core/fleet.ts';
import { gpuCounts } from '../../engine/core/totals.ts';
import { createPromClient } from '../../engine/prometheus/client.ts';
import { type History, readTick, readTicks } from '../../engine/prometheus/history.ts';
import type { PromQuery } from '../../engine/prometheus/query.ts';
import { findInstalledTool } from '../../engine/stack/binaries.ts';
import type { InstalledTool } from '../../engine/stack/inspection.ts';
import { missSentence } from '../../engine/stack/way.ts';
import { MINUTE, planOf, TEMPERATURE, UTILIZATION } from '../engine/core/fixtures.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { programOf } from '../servers/require-tool.ts';
import { ROOT } from '../servers/server.ts';
import { atLeast, type BenchFigure, median } from './figure.ts';
import { cpuMs, processCpuMs } from './process.ts';
import { RECORDED, recordFleet } from './recorded-fleet.ts';

const { intervalMs, startMs, ticks } = RECORDED;
const WINDOWS = [
  { name: 'short', rangeMs: 5 * MINUTE, threshold: 0.99 },
  { name: 'medium', rangeMs: 30 * MINUTE, threshold: 0.99 },
  { name: 'long', rangeMs: 120 * MINUTE, threshold: 0.99 },
];
const PLAN = planOf({
  intervalMs,
  presence: { ...planOf().policy.presence, freshMs: 2 * intervalMs },
  windows: WINDOWS,
  capabilities: [{ name: 'default', checks: [TEMPERATURE, UTILIZATION], windows: WINDOWS, gpus: {} }],
});
const ROUNDS = 3;
const TICKS_PER_ROUND = 30;
const MIN_RATIO = 20;
const LIMIT_MS = 120_000;

/** Two checks and presence, and nothing of the observer: the least that a person would write by hand. */
const UP = [
  '(time() - max by (UUID) (timestamp(DCGM_FI_DEV_GPU_TEMP)) <= bool 10)',
  '(max by (UUID) (DCGM_FI_DEV_GPU_TEMP) <= bool 85)',
  '(max by (UUID) (DCGM_FI_DEV_GPU_UTIL) <= bool 95)',
].join(' * ');

/** Half a step less than the window: holds exactly its grid points in Prometheus 2 (closed) and 3 (left-open). */
function windowQuery(rangeMs: number): string {
  return `sum_over_time((${UP})[${rangeMs - intervalMs / 2}ms:${intervalMs}ms])`;
}

export async function benchSubqueries(): Promise<BenchFigure[]> {
  const outcome = await findInstalledTool('prometheus', {
    toolsDir: process.env.TOOLS_DIR || join(ROOT, '.tools'),
    env: process.env,
  });
  if (outcome.kind === 'found') return runWith(outcome.tool);
  console.warn(`SKIPPED subqueries: they need a real Prometheus. ${missSentence(outcome)}`);
  return [];
}

async function runWith(tool: InstalledTool): Promise<BenchFigure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-bench-'));
  const storage = join(directory, 'storage');
  fillStorage(tool, join(directory, 'history.om'), storage);
  const server = await startPrometheus({ tool, storage, flags: ['--storage.tsdb.retention.time=100y'] });
  const prom = createPromClient({ url: server.url, timeoutMs: LIMIT_MS, concurrency: 4 });
  try {
    return figuresOf(await compare(prom, () => processCpuMs(server.pid)));
  } finally {
    await prom.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function fillStorage(tool: InstalledTool, file: string, storage: string): void {
  const descriptor = openSync(file, 'w');
  for (const part of recordFleet()) writeSync(descriptor, part);
  closeSync(descriptor);
  execFileSync(programOf(tool, 'promtool'), ['tsdb', 'create-blocks-from', 'openmetrics', '-q', file, storage]);
}

/** CPU per tick: the engine's own, Prometheus' for the engine's queries, Prometheus' for the subqueries. */
interface Round {
  readonly engineMs: number;
  readonly instantMs: number;
  readonly subqueriesMs: number;
  readonly compared: number;
}

async function compare(prom: PromQuery, prometheusMs: () => number): Promise<readonly Round[]> {
  const history = { prom, policy: PLAN.policy, stats: { absurdValues: 0 } };
  const state = await replay(history, startMs + (ticks - 1 - ROUNDS * TICKS_PER_ROUND) * intervalMs);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [own, before] = [process.cpuUsage(), prometheusMs()];
    await judgeTicks(history, state);
    const [engineMs, between] = [cpuMs(own) / TICKS_PER_ROUND, prometheusMs()];
    const compared = await compareCounts(prom, state);
    const instantMs = (between - before) / TICKS_PER_ROUND;
    rounds.push({ engineMs, instantMs, subqueriesMs: prometheusMs() - between, compared });
  }
  return rounds;
}

async function replay(history: History, endMs: number): Promise<FleetState> {
  const state = createFleet();
  const range = { startMs, endMs, stepMs: intervalMs };
  for (const observation of await readTicks(history, range, AbortSignal.timeout(LIMIT_MS)))
    stepFleet(PLAN, state, observation);
  return state;
}

async function judgeTicks(history: History, state: FleetState): Promise<void> {
  for (let tick = 0; tick < TICKS_PER_ROUND; tick++) {
    const atMs = (state.tickMs ?? 0) + intervalMs;
    stepFleet(PLAN, state, await readTick(history, atMs, AbortSignal.timeout(LIMIT_MS)));
  }
}

/** Asks for every window and holds its counts of up ticks against the fold's. Throws where they differ. */
async function compareCounts(prom: PromQuery, state: FleetState): Promise<number> {
  let compared = 0;
  for (const [w, { rangeMs }] of WINDOWS.entries()) {
    const theirs = await prom.instant(windowQuery(rangeMs), state.tickMs ?? 0, AbortSignal.timeout(LIMIT_MS));
    const upByGpu = new Map(theirs.map(({ labels, value }) => [labels.UUID ?? '', value]));
    for (const record of state.gpus.values()) {
      const ours = gpuCounts(PLAN, PLAN.capabilities[0], record)[w]?.up;
      const their = upByGpu.get(record.gpu) ?? 0;
      if (ours !== their) throw new Error(`${record.gpu}, window ${w}: ${ours} up ticks, Prometheus says ${their}`);
      compared++;
    }
  }
  return compared;
}

function figuresOf(rounds: readonly Round[]): BenchFigure[] {
  const of = (get: (round: Round) => number) => median(rounds.map(get));
  const compared = rounds.reduce((sum, round) => sum + round.compared, 0);
  return [
    { name: `three subqueries over ${RECORDED.gpus} GPUs`, value: of((round) => round.subqueriesMs), unit: 'ms CPU' },
    { name: "a tick's queries in Prometheus", value: of((round) => round.instantMs), unit: 'ms CPU' },
    { name: 'the same tick in the engine', value: of((round) => round.engineMs), unit: 'ms CPU' },
    atLeast(MIN_RATIO, {
      name: 'subqueries against engine and its queries',
      value: of(({ subqueriesMs, instantMs, engineMs }) => subqueriesMs / (instantMs + engineMs)),
      unit: 'ratio',
    }),
    { name: 'equal counts of up ticks', value: compared, unit: `of ${compared}` },
  ];
}
