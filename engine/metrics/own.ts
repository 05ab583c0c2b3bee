/** The engine's figures about itself, through prom-client, in a registry of their own. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HistoryStats } from '../prometheus/history.ts';
import { QUERY_ERROR_KINDS } from '../prometheus/query.ts';

export interface GateStats {
  /** Answers to gateways since start, by `flavour allow|deny`. */
  readonly answers: Map<string, number>;
}

export interface OwnMetrics {
  readonly registry: Registry;
  readonly ticks: Counter<'mode'>;
  readonly roundFailures: Counter<'reason'>;
  readonly roundSeconds: Histogram;
  readonly checkpoints: Counter<'result'>;
}

/** Figures read at scrape time. */
export interface OwnSources {
  readonly version: string;
  readonly gateStats: GateStats;
  readonly history: HistoryStats;
  readonly backlogTicks: () => number;
  readonly dataAgeSeconds: () => number | undefined;
  readonly isReady: () => boolean;
}

export function createOwnMetrics(sources: OwnSources): OwnMetrics {
  const registry = new Registry();
  const registers = [registry];
  registerProcessMetrics(registry);
  readAtScrape(registry, sources);
  const own: OwnMetrics = {
    registry,
    ticks: new Counter({
      name: 'gpu_uptime_ticks_total',
      help: 'Ticks judged, live or from history.',
      labelNames: ['mode'],
      registers,
    }),
    roundFailures: new Counter({
      name: 'gpu_uptime_round_failures_total',
      help: 'Rounds that Prometheus did not answer, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    roundSeconds: new Histogram({
      name: 'gpu_uptime_round_duration_seconds',
      help: 'Time to query and judge what was due.',
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    checkpoints: new Counter({
      name: 'gpu_uptime_checkpoints_total',
      help: 'Checkpoints written, by result.',
      labelNames: ['result'],
      registers,
    }),
  };
  startAtZero(own);
  return own;
}

/** Gauges that promtool refuses for ending in _total; prom-client keeps them for old dashboards only. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}

/** A counter that appears with its first event hides that event from `increase()`. */
function startAtZero({ ticks, roundFailures, checkpoints }: OwnMetrics): void {
  for (const mode of ['live', 'replay']) ticks.inc({ mode }, 0);
  for (const reason of QUERY_ERROR_KINDS) roundFailures.inc({ reason }, 0);
  for (const result of ['ok', 'failed']) checkpoints.inc({ result }, 0);
}

function readAtScrape(registry: Registry, sources: OwnSources): void {
  const registers = [registry];
  new Gauge({
    name: 'gpu_uptime_build_info',
    help: '1, with the version as label.',
    labelNames: ['version'],
    registers,
  }).set({ version: sources.version }, 1);
  gauge(registers, 'gpu_uptime_ready', '1 once history has been read.', () => (sources.isReady() ? 1 : 0));
  gauge(registers, 'gpu_uptime_backlog_ticks', 'Settled ticks that are not judged yet.', sources.backlogTicks);
  gauge(registers, 'gpu_uptime_data_age_seconds', 'Age of the newest judged tick.', sources.dataAgeSeconds);
  new Counter({
    name: 'gpu_uptime_absurd_values_total',
    help: 'Values dropped because no sensor can have reported them.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.history.absurdValues);
    },
  });
  new Counter({
    name: 'gpu_uptime_gate_answers_total',
    help: 'Answers given to gateways.',
    labelNames: ['flavour', 'result'],
    registers,
    collect() {
      this.reset();
      for (const [key, count] of sources.gateStats.answers) {
        const [flavour = '', result = ''] = key.split(' ');
        this.inc({ flavour, result }, count);
      }
    },
  });
}

function gauge(registers: Registry[], name: string, help: string, read: () => number | undefined): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      const value = read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}
