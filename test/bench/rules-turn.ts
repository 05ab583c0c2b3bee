/** One turn at the rules: a fresh process, some cycles to warm up, then measured ones; and what has come of it all. */
import { setTimeout as delay } from 'node:timers/promises';
import { labelKey } from '../../engine/core/alert.ts';
import { createPromClient } from '../../engine/prometheus/client.ts';
import type { RunningServer } from '../servers/server.ts';
import { median } from './figure.ts';
import { processCpuMs, startProcess } from './process.ts';
import { CycleLog } from './rules-cycle-log.ts';
import type { Evaluator } from './rules-evaluator.ts';
import type { Scenario } from './rules-scenario.ts';

export interface Turn {
  /** Median duration of a cycle as the evaluator states it. */
  readonly ownMs: number;
  /** The same from the first query to the last, as Prometheus saw it. */
  readonly seenMs: number;
  /** CPU per cycle of the evaluator, and of Prometheus meanwhile. */
  readonly cpuMs: number;
  readonly prometheusCpuMs: number;
  /** Every alert that was sent, with its annotations. */
  readonly alerts: ReadonlySet<string>;
  /** Every series that was written, with its newest value. */
  readonly series: ReadonlySet<string>;
}

export interface Field {
  readonly scenario: Scenario;
  readonly prometheus: RunningServer;
  readonly queryLog: string;
  readonly ruleFile: string;
}

const LIMIT_MS = 30_000;
const POLL_MS = 50;
const SETTLE_MS = 200;

export async function takeTurn(evaluator: Evaluator, field: Field): Promise<Turn> {
  const sink = await startProcess(import.meta.resolve('./rules-sink.ts'));
  const alertmanagerUrl = `http://127.0.0.1:${sink.ready.port}`;
  const log = new CycleLog(field.queryLog, field.scenario);
  try {
    const sinceMs = Date.now();
    const server = await evaluator.start({ ...field, prometheusUrl: field.prometheus.url, alertmanagerUrl });
    const measured = await measure({ evaluator, field, server, log }).finally(server.stop);
    const alerts = await sentAlerts(alertmanagerUrl);
    return { ...measured, alerts, series: await writtenSeries(field, sinceMs) };
  } finally {
    log.close();
    await sink.end();
  }
}

interface Running {
  readonly evaluator: Evaluator;
  readonly field: Field;
  readonly server: RunningServer;
  readonly log: CycleLog;
}

async function measure(running: Running): Promise<Pick<Turn, 'ownMs' | 'seenMs' | 'cpuMs' | 'prometheusCpuMs'>> {
  const { evaluator, field, server } = running;
  const { warmUpCycles, cycles: count } = field.scenario;
  const cpuMs = () => [processCpuMs(server.pid), processCpuMs(field.prometheus.pid)] as const;
  let [metrics, before] = ['', cpuMs()];
  const cycles: { readonly ownMs: number; readonly seenMs: number }[] = [];
  for (let cycle = 1; cycle <= warmUpCycles + count; cycle++) {
    const seenMs = await nextCycle(running);
    const after = await metricsAfter(cycle, running);
    if (cycle > warmUpCycles) cycles.push({ ownMs: evaluator.cycleMs(metrics, after), seenMs });
    if (cycle === warmUpCycles) before = cpuMs();
    metrics = after;
  }
  const [own, theirs] = cpuMs();
  return {
    ownMs: median(cycles.map(({ ownMs }) => ownMs)),
    seenMs: median(cycles.map(({ seenMs }) => seenMs)),
    cpuMs: (own - before[0]) / count,
    prometheusCpuMs: (theirs - before[1]) / count,
  };
}

/** How long it took Prometheus' sight of the next cycle. Throws when it left out a query, or does not come. */
async function nextCycle({ evaluator, field: { scenario }, server, log }: Running): Promise<number> {
  const endMs = performance.now() + 2 * scenario.intervalMs + LIMIT_MS;
  while (performance.now() < endMs) {
    const cycle = log.next();
    if (cycle !== undefined && cycle.queries !== scenario.rules.length)
      throw new Error(`${evaluator.name} asked ${cycle.queries} queries for ${scenario.rules.length} rules`);
    if (cycle !== undefined) return cycle.wallMs;
    await delay(POLL_MS);
  }
  throw new Error(`${evaluator.name} has not evaluated the rules:\n${server.log()}`);
}

/** After the last query a cycle still has its results to keep and its figures to count. */
async function metricsAfter(cycles: number, { evaluator, server }: Running): Promise<string> {
  const endMs = performance.now() + LIMIT_MS;
  while (performance.now() < endMs) {
    await delay(SETTLE_MS);
    const response = await fetch(`${server.url}/metrics`, { signal: AbortSignal.timeout(LIMIT_MS) });
    const metrics = await response.text();
    if (evaluator.cycles(metrics) === cycles) return metrics;
    if (evaluator.cycles(metrics) > cycles) throw new Error(`a cycle of ${evaluator.name} has not been seen in time`);
  }
  throw new Error(`${evaluator.name} does not finish its cycle:\n${server.log()}`);
}

/** Of a label that is not there vmalert makes `<no value>`, up to its version 1.79 at least, where Prometheus writes nothing. */
async function sentAlerts(url: string): Promise<ReadonlySet<string>> {
  const response = await fetch(`${url}/api/v2/alerts`, { signal: AbortSignal.timeout(LIMIT_MS) });
  const held = (await response.json()) as readonly Record<'labels' | 'annotations', Record<string, string>>[];
  return new Set(
    held.map(({ labels, annotations }) => `${labelKey(labels)} ${labelKey(annotations).replaceAll('<no value>', '')}`),
  );
}

/** ALERTS_FOR_STATE says since when, which is another instant at every turn; all else has the same value. */
async function writtenSeries({ scenario, prometheus }: Field, sinceMs: number): Promise<ReadonlySet<string>> {
  const prom = createPromClient({ url: prometheus.url, timeoutMs: LIMIT_MS, concurrency: 1 });
  const names = new Set(['ALERTS', 'ALERTS_FOR_STATE', ...scenario.rules.flatMap(({ record }) => record ?? [])]);
  const seconds = Math.ceil((Date.now() - sinceMs) / 1000);
  const expr = `last_over_time({__name__=~"${[...names].join('|')}"}[${seconds}s])`;
  try {
    const samples = await prom.instant(expr, Date.now(), AbortSignal.timeout(LIMIT_MS));
    return new Set(
      samples.map(({ labels, value }) =>
        labels.__name__ === 'ALERTS_FOR_STATE' ? labelKey(labels) : `${labelKey(labels)} ${value}`,
      ),
    );
  } finally {
    await prom.close();
  }
}
