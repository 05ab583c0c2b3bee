/**
 * What the exporter publishes about a GPU. One row is one metric: adding a metric is adding a row to its topic.
 * DCGM's names, types, help texts and units are those of dcgm-exporter: a wire format others depend on.
 */

import { clockMetrics } from './catalog/clocks.ts';
import { errorMetrics } from './catalog/errors.ts';
import { labelFields } from './catalog/label-fields.ts';
import { linkMetrics } from './catalog/links.ts';
import { memoryMetrics } from './catalog/memory.ts';
import { powerMetrics } from './catalog/power.ts';
import { profilingMetrics } from './catalog/profiling.ts';
import { stateMetrics } from './catalog/state.ts';
import { thermalMetrics } from './catalog/thermal.ts';
import { utilizationMetrics } from './catalog/utilization.ts';
import type { CounterSelection, SelectedCounter } from './dcgm/selection.ts';
import type { DcgmName, Metric } from './metric.ts';

export interface Topic {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

/** In the order of the metrics catalogue. */
export const topics: readonly Topic[] = [
  { title: 'Clocks', metrics: clockMetrics },
  { title: 'Temperature', metrics: thermalMetrics },
  { title: 'Power', metrics: powerMetrics },
  { title: 'Utilization', metrics: utilizationMetrics },
  { title: 'Memory', metrics: memoryMetrics },
  { title: 'PCIe and NVLink', metrics: linkMetrics },
  { title: 'Errors', metrics: errorMetrics },
  { title: 'Profiling', metrics: profilingMetrics },
  { title: 'State', metrics: stateMetrics },
];

export const metrics: readonly Metric[] = topics.flatMap((topic) => topic.metrics);

/** What the dcgm profile publishes without a counters file. */
export const defaultSelection: CounterSelection = {
  counters: metrics.flatMap(defaultCounter),
  expressions: [],
  labels: labelFields.filter(({ isDefault }) => isDefault).map(({ field, get }) => ({ name: field, get })),
};

/** The row of a DCGM field, by its usual name, the name of DCGM 4.6 or that of dcgm-exporter 1.x. */
export function metricByDcgmName(name: string): Metric | undefined {
  return metricsByName.get(name);
}

const metricsByName = new Map(
  metrics.flatMap((metric) => dcgmNames(metric.dcgm).map((name): [string, Metric] => [name, metric])),
);

function dcgmNames(dcgm: DcgmName | undefined): readonly string[] {
  return dcgm === undefined ? [] : [dcgm.field, ...dcgm.aliases];
}

function defaultCounter(metric: Metric): readonly SelectedCounter[] {
  const { dcgm } = metric;
  return dcgm?.isDefault ? [{ name: dcgm.field, type: dcgm.type, help: dcgm.help, metric }] : [];
}
