/** The exporter's metrics about itself, through prom-client in a registry of its own. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { FailureReason } from '../collector.ts';

export interface BuildInfo {
  readonly version: string;
  readonly nodejs: string;
}

/** What the exporter knows about itself at the instant of a scrape. `undefined` leaves the series out. */
export interface SelfReadings {
  readonly source: string;
  /** The last collection succeeded and its snapshot is fresh enough to be published. */
  readonly isSourceUp: boolean;
  readonly gpus: number;
  readonly collectSeconds: number | undefined;
  readonly sampleAgeSeconds: number | undefined;
  readonly failures: Readonly<Record<FailureReason, number>>;
}

export interface SelfMetrics {
  /** Text format 0.0.4. */
  render(readings: SelfReadings): Promise<string>;
}

/** `withProcess` adds the process and Node.js metrics of prom-client. */
export function createSelfMetrics(build: BuildInfo, { withProcess }: { readonly withProcess: boolean }): SelfMetrics {
  const registry = new Registry();
  const set = registerExporterMetrics(registry, build);
  if (withProcess) registerProcessMetrics(registry);
  return {
    render: (readings) => {
      set(readings);
      return registry.metrics();
    },
  };
}

function registerExporterMetrics(registry: Registry, build: BuildInfo): (readings: SelfReadings) => void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  gauge('gpu_exporter_build_info', 'Always 1; the labels say what is running.', ['version', 'nodejs']).set(
    { ...build },
    1,
  );
  const up = gauge('gpu_exporter_source_up', 'Whether the last collection succeeded and is fresh enough to publish.', [
    'source',
  ]);
  const gpus = gauge('gpu_exporter_gpus', 'GPUs published in this scrape.');
  const duration = gauge('gpu_exporter_collect_duration_seconds', 'How long the last finished collection took.');
  const age = gauge('gpu_exporter_sample_age_seconds', 'Time since the published readings were taken.');
  const failures = new Counter({
    name: 'gpu_exporter_collect_failures_total',
    help: 'Collections that gave no snapshot, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  });
  return (readings) => {
    up.set({ source: readings.source }, readings.isSourceUp ? 1 : 0);
    gpus.set(readings.gpus);
    setOrRemove(duration, readings.collectSeconds);
    setOrRemove(age, readings.sampleAgeSeconds);
    copyCounts(failures, readings.failures);
  };
}

function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

// The collector counts; prom-client only renders, so its counter is filled anew each time.
function copyCounts(counter: Counter, counts: Readonly<Record<string, number>>): void {
  counter.reset();
  for (const [reason, count] of Object.entries(counts)) counter.inc({ reason }, count);
}

// Gauges that promtool refuses for ending in _total; prom-client keeps them for old dashboards only.
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
}
