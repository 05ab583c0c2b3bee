/** The exporter's metrics about itself: what it reads, how well that goes, and the process it is. */

import type { FailureReason } from '../collector.ts';
import type { CallErrorCount, SourceStatus } from '../snapshot.ts';
import type { Family, Labels, Series } from './exposition.ts';
import { createProcessMetrics } from './process-metrics.ts';

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
  readonly callErrors?: readonly CallErrorCount[] | undefined;
  /** Undefined for a source without machinery. */
  readonly status?: SourceStatus | undefined;
  /** Whether the state file can be written; undefined where none is kept. */
  readonly isStateFileUp?: boolean | undefined;
  /** Files with jobs that could not be read, since the start; undefined where there are no jobs. */
  readonly jobErrors?: number | undefined;
}

export interface SelfMetrics {
  families(readings: SelfReadings): Promise<readonly Family[]>;
}

/** `withProcess` adds the process and Node.js metrics of prom-client. */
export function createSelfMetrics(build: BuildInfo, { withProcess }: { readonly withProcess: boolean }): SelfMetrics {
  const processFamilies = withProcess ? createProcessMetrics() : async () => [];
  return { families: async (readings) => [...exporterFamilies(build, readings), ...(await processFamilies())] };
}

function exporterFamilies(build: BuildInfo, readings: SelfReadings): readonly Family[] {
  return [
    ...collectionFamilies(build, readings),
    ...sourceFamilies(readings),
    stateFileFamily(readings),
    jobsFamily(readings),
  ];
}

function collectionFamilies(build: BuildInfo, readings: SelfReadings): readonly Family[] {
  const { source, isSourceUp, gpus, collectSeconds, sampleAgeSeconds, failures } = readings;
  return [
    gauge('gpu_exporter_build_info', 'Always 1; the labels say what is running.', [series(1, { ...build })]),
    gauge('gpu_exporter_source_up', 'Whether the last collection succeeded and is fresh enough to publish.', [
      series(isSourceUp ? 1 : 0, { source }),
    ]),
    gauge('gpu_exporter_gpus', 'GPUs published in this scrape.', [series(gpus)]),
    gauge(
      'gpu_exporter_collect_duration_seconds',
      'How long the last finished collection took.',
      known(collectSeconds),
    ),
    gauge('gpu_exporter_sample_age_seconds', 'Time since the published readings were taken.', known(sampleAgeSeconds)),
    counter(
      'gpu_exporter_collect_failures_total',
      'Collections that gave no snapshot, by reason.',
      counts('reason', failures),
    ),
  ];
}

function sourceFamilies({ status, callErrors = [] }: SelfReadings): readonly Family[] {
  const xidWatch = status?.xidWatch;
  return [
    counter(
      'gpu_exporter_nvml_call_errors_total',
      'Driver calls that failed, by call and code; "not supported" is no failure.',
      callErrors.map(({ call, code, count }) => series(count, { call, code })),
    ),
    counter(
      'gpu_exporter_source_child_restarts_total',
      'Driver processes that were replaced, by reason.',
      counts('reason', status?.childRestarts ?? {}),
    ),
    gauge(
      'gpu_exporter_source_abandoned_children',
      'Driver processes that could not even be killed, and were left behind.',
      known(status?.abandonedChildren),
    ),
    gauge(
      'gpu_exporter_xid_watch_up',
      'Whether somebody listens for XIDs; absent where no GPU can report them.',
      xidWatch === undefined || xidWatch === 'unsupported' ? [] : [series(xidWatch === 'watching' ? 1 : 0)],
    ),
  ];
}

function stateFileFamily({ isStateFileUp }: SelfReadings): Family {
  return gauge(
    'gpu_exporter_state_file_up',
    'Whether the state file can be written, so that a restart forgets no GPU; absent where none is kept.',
    isStateFileUp === undefined ? [] : [series(isStateFileUp ? 1 : 0)],
  );
}

function jobsFamily({ jobErrors }: SelfReadings): Family {
  return counter(
    'gpu_exporter_hpc_job_errors_total',
    'Files with the jobs of GPUs that could not be read; absent where no directory was named.',
    known(jobErrors),
  );
}

function gauge(name: string, help: string, all: readonly Series[]): Family {
  const unit = name.endsWith('_seconds') ? { unit: 'seconds' } : {};
  return { name, type: 'gauge', ...unit, help, labelOrder: 'sorted', series: all };
}

function counter(name: string, help: string, all: readonly Series[]): Family {
  return { name, type: 'counter', help, labelOrder: 'sorted', series: all };
}

function series(value: number, labels: Labels = {}): Series {
  return { labels, value };
}

function known(value: number | undefined): readonly Series[] {
  return value === undefined ? [] : [series(value)];
}

function counts(label: string, byLabel: Readonly<Record<string, number>>): readonly Series[] {
  return Object.entries(byLabel).map(([text, count]) => series(count, { [label]: text }));
}
