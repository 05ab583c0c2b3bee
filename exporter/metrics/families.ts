/** Turns a snapshot into metric families, with the labels and label order of dcgm-exporter. */

import type { GpuSample, Snapshot } from '../snapshot.ts';
import { type GpuMetric, gpuMetrics } from './catalog.ts';
import type { Family, Labels, Series } from './exposition.ts';

/** One family per catalog row. `hostname` becomes the `Hostname` label. */
export function gpuFamilies(snapshot: Snapshot, hostname: string): readonly Family[] {
  const gpus = snapshot.gpus.map((sample) => ({ sample, labels: gpuLabels(sample, snapshot, hostname) }));
  return gpuMetrics.map((metric) => ({
    name: metric.name,
    type: metric.type,
    help: metric.help,
    series: gpus.flatMap(({ sample, labels }) => seriesOf(metric, sample, labels)),
  }));
}

function gpuLabels(sample: GpuSample, { driverVersion }: Snapshot, hostname: string): Labels {
  return {
    gpu: String(sample.index),
    UUID: sample.uuid,
    pci_bus_id: sample.pciBusId,
    device: `nvidia${sample.index}`,
    modelName: sample.modelName,
    Hostname: hostname,
    ...(driverVersion === undefined ? {} : { DCGM_FI_DRIVER_VERSION: driverVersion }),
  };
}

function seriesOf(metric: GpuMetric, sample: GpuSample, labels: Labels): readonly Series[] {
  const value = metric.get(sample);
  if (value === undefined || !isPlausible(value, metric)) return [];
  return [{ labels: metric.labels === undefined ? labels : { ...labels, ...metric.labels(value) }, value }];
}

// Also false for NaN.
function isPlausible(value: number, { max }: GpuMetric): boolean {
  return value >= 0 && value <= max;
}
