/** Every window of every GPU at every tick equals the PromQL subquery over the same grid, in a real Prometheus. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { createFleet, stepFleet } from '../../../engine/core/fleet.ts';
import { planMaintenance } from '../../../engine/core/maintenance.ts';
import type { Observation } from '../../../engine/core/observation.ts';
import { targetKey } from '../../../engine/core/queries.ts';
import { gpuCounts } from '../../../engine/core/totals.ts';
import { createPromClient } from '../../../engine/prometheus/client.ts';
import { readTick, readTicks } from '../../../engine/prometheus/history.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { MINUTE, planOf, SECOND, TEMPERATURE, UTILIZATION } from '../core/fixtures.ts';
import { maintenancePolicy, matcher, span } from '../core/silences.ts';
import { generateHistory } from './generated-history.ts';

const INTERVAL = 5 * SECOND;
const WINDOWS = [
  { name: 'short', rangeMs: MINUTE, threshold: 0.99 },
  { name: 'medium', rangeMs: 5 * MINUTE, threshold: 0.99 },
  { name: 'long', rangeMs: 20 * MINUTE, threshold: 0.99 },
];
const PLAN = planOf({
  intervalMs: INTERVAL,
  presence: { ...planOf().policy.presence, freshMs: 2 * INTERVAL },
  maintenance: maintenancePolicy({ budgetMs: 50 * INTERVAL }),
  windows: WINDOWS,
  capabilities: [{ name: 'default', checks: [TEMPERATURE, UTILIZATION], windows: WINDOWS, gpus: {} }],
});

const { text, startMs, ticks } = generateHistory();

/** Over hot, vanished and busy GPUs, an outage of the observer, and for GPU-c1 beyond the budget of 50 ticks. */
const SPANS = [
  { matchers: [matcher('instance=node-a:9400')], from: 25, to: 70 },
  { matchers: [matcher('instance=~node-(b|z):.*')], from: 290, to: 330 },
  { matchers: [matcher('UUID=GPU-c1')], from: 340, to: 410 },
].map(({ matchers, from, to }, i) => {
  const [fromMs, toMs] = [from, to].map((tick) => startMs + tick * INTERVAL);
  return span(0, 0, { id: `s${i}.0`, matchers, fromMs: fromMs ?? 0, toMs: toMs ?? 0 });
});

/** The same as PromQL, with the budget worked out by hand. */
const PLANNED = `(${[
  plannedQuery('instance="node-a:9400"', 25, 70),
  plannedQuery('instance="node-b:9400"', 290, 330),
  plannedQuery('UUID="GPU-c1"', 340, 390),
].join(' or ')} or (0 * max by (UUID) (last_over_time(DCGM_FI_DEV_GPU_TEMP[1d]))))`;

function plannedQuery(selector: string, from: number, to: number): string {
  const [start, end] = [from, to].map((tick) => (startMs + tick * INTERVAL) / 1000);
  const known = `max by (UUID) (last_over_time(DCGM_FI_DEV_GPU_TEMP{${selector}}[1d]))`;
  return `(0 * ${known} + (time() >= bool ${start}) * (time() < bool ${end}))`;
}

/** The judgement as PromQL, written without looking at the folds: 0 or 1 per UUID and step. */
const KNOWN = '(0 * max by (UUID) (last_over_time(DCGM_FI_DEV_GPU_TEMP[1d])))';
const WATCHED = '((time() - max(timestamp(up{job="prometheus"})) <= bool 10) or vector(0))';
/** 10.5 s hold exactly the three latest grid points, whether or not ranges include their left end. */
const STEADY = `scalar(min_over_time(${WATCHED}[10500ms:5s]))`;
const FRESH = 'time() - max by (UUID, instance, job) (timestamp(DCGM_FI_DEV_GPU_TEMP)) <= bool 10';
const UP_TARGET = 'on (instance, job) group_left () (min by (instance, job) (up))';
const PRESENT = `(max by (UUID) ((${FRESH}) * ${UP_TARGET}) or max by (UUID) (${FRESH}) or ${KNOWN})`;
const HOT = `((max by (UUID) (DCGM_FI_DEV_GPU_TEMP) > bool 85) or ${KNOWN})`;
const BUSY = `((max by (UUID) (DCGM_FI_DEV_GPU_UTIL) > bool 95) or ${KNOWN})`;
const STATES = {
  up: `(1 - ${PLANNED}) * scalar(${WATCHED}) * ${PRESENT} * (1 - ${HOT}) * (1 - ${BUSY})`,
  busy: `(1 - ${PLANNED}) * scalar(${WATCHED}) * ${PRESENT} * (1 - ${HOT}) * ${BUSY}`,
  down: `(1 - ${PLANNED}) * scalar(${WATCHED}) * (${PRESENT} * ${HOT} + (1 - ${PRESENT}) * ${STEADY})`,
  maintenance: PLANNED,
} as const;
type Counted = keyof typeof STATES;
const COUNTED: readonly Counted[] = ['up', 'busy', 'down', 'maintenance'];

/** Half a step less than the window: holds exactly its grid points in Prometheus 2 (closed) and 3 (left-open). */
function windowQuery(state: Counted, rangeMs: number): string {
  return `sum_over_time((${STATES[state]})[${rangeMs - INTERVAL / 2}ms:${INTERVAL}ms])`;
}

const RANGE = { startMs, endMs: startMs + (ticks - 1) * INTERVAL, stepMs: INTERVAL };
const LIMIT_MS = 120_000;

interface Filled {
  readonly prom: ReturnType<typeof createPromClient>;
  end(): Promise<void>;
}

/** A real Prometheus whose storage promtool has filled with the generated history. */
async function startFilled(context: TestContext): Promise<Filled> {
  const tool = await requireTool(context, 'prometheus');
  const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-history-'));
  const file = join(directory, 'history.om');
  const storage = join(directory, 'storage');
  writeFileSync(file, text);
  execFileSync(programOf(tool, 'promtool'), ['tsdb', 'create-blocks-from', 'openmetrics', '-q', file, storage]);
  const server = await startPrometheus({ tool, storage, flags: ['--storage.tsdb.retention.time=100y'] });
  const prom = createPromClient({ url: server.url, timeoutMs: 60_000, concurrency: 2 });
  const end = async () => {
    await prom.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  return { prom, end };
}

function historyOf({ prom }: Filled) {
  return { prom, policy: PLAN.policy, stats: { absurdValues: 0 } };
}

/** Counts of every GPU, window and state at every tick, as the folds keep them. */
async function foldWindows(filled: Filled, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const [capability] = PLAN.capabilities;
  const state = createFleet();
  const maintenance = planMaintenance(PLAN.policy, SPANS);
  const counts = new Map<string, number>();
  for (const observation of await readTicks(historyOf(filled), RANGE, signal)) {
    stepFleet(PLAN, state, { ...observation, maintenance });
    for (const record of state.gpus.values()) {
      for (const [w, window] of gpuCounts(PLAN, capability, record).entries()) {
        for (const counted of COUNTED) counts.set(`${record.gpu} ${w} ${counted} ${observation.atMs}`, window[counted]);
      }
    }
  }
  return counts;
}

/** The same figures as Prometheus computes them; a series that has not begun yet counts nothing. */
async function queryWindows({ prom }: Filled, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const [w, { rangeMs }] of WINDOWS.entries()) {
    for (const counted of COUNTED) {
      for (const { labels, values } of await prom.range(windowQuery(counted, rangeMs), RANGE, signal)) {
        for (const [index, value] of values.entries()) {
          counts.set(`${labels.UUID} ${w} ${counted} ${startMs + index * INTERVAL}`, Number.isNaN(value) ? 0 : value);
        }
      }
    }
  }
  return counts;
}

describe('windows updated in place', () => {
  it('equal the PromQL subquery of the judgement for every GPU, tick, window and state', {
    timeout: LIMIT_MS,
  }, async (context) => {
    const filled = await startFilled(context);
    try {
      const signal = AbortSignal.timeout(LIMIT_MS);
      const ours = await foldWindows(filled, signal);
      const theirs = await queryWindows(filled, signal);
      const differing = [...theirs].filter(([key, value]) => value !== (ours.get(key) ?? 0));
      expect(differing.slice(0, 10)).toEqual([]);
      expect(theirs.size).toBe(6 * ticks * WINDOWS.length * COUNTED.length);
      const seen = COUNTED.map(
        (counted) => [...ours].filter(([key, value]) => key.includes(` ${counted} `) && value > 0).length,
      );
      expect(seen.every((count) => count > 500)).toBe(true);
    } finally {
      await filled.end();
    }
  });

  it('are fed the same by instant queries as by range queries', { timeout: LIMIT_MS }, async (context) => {
    const filled = await startFilled(context);
    try {
      const signal = AbortSignal.timeout(LIMIT_MS);
      const ranged = await readTicks(historyOf(filled), RANGE, signal);
      for (const tick of [0, 31, 61, 101, 104, 152, 250, 305, 361, 383, 430, 501, 719]) {
        const instant = await readTick(historyOf(filled), startMs + tick * INTERVAL, signal);
        expect(comparable(instant)).toEqual(comparable(ranged[tick]));
      }
    } finally {
      await filled.end();
    }
  });
});

function comparable(observation: Observation | undefined) {
  if (observation === undefined) throw new Error('the tick was not observed');
  const { atMs, observerAtMs, targets, sightings, readings } = observation;
  const gpus = ['GPU-a0', 'GPU-a1', 'GPU-b0', 'GPU-b1', 'GPU-c0', 'GPU-c1'];
  return {
    atMs,
    observerAtMs,
    targets: ['node-a:9400', 'node-b:9400', 'node-c:9400'].map((node) => targets.get(targetKey(node, 'gpu'))),
    sightings: sightings.map((sighting) => JSON.stringify(sighting)).sort(),
    readings: [...readings].map(([query, values]) => [query, gpus.map((gpu) => values.get(gpu))]),
  };
}
