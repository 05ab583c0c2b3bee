/** Families that come straight from rows of the catalog: those of GPUs, and those of the MIG instances of GPUs. */

import type { GpuSample } from '../../snapshot.ts';
import { unknownPerInstance } from '../catalog/kind.ts';
import { metrics } from '../catalog.ts';
import type { Family, Labels, Series } from '../exposition.ts';
import { type Metric, type NativeName, plausible } from '../metric.ts';
import { gpuInstances } from '../mig-rows.ts';
import { type Definition, familyOf } from './definition.ts';

type NativeMetric = Metric & { readonly native: NativeName };

const nativeMetrics = metrics.filter((metric): metric is NativeMetric => metric.native !== undefined);

// Rows that share a name differ by their labels, and make one family.
const rowsByName = Map.groupBy(nativeMetrics, ({ native }) => native.name);

const migRows = nativeMetrics
  .filter(({ getMig }) => getMig !== undefined && getMig !== unknownPerInstance)
  .map((metric) => ({ metric, definition: migDefinition(metric.native) }));

export const migDefinitions: readonly Definition[] = migRows.map(({ definition }) => definition);

/** One family per native name of the catalog, with the label `uuid`. */
export function catalogFamilies(gpus: readonly GpuSample[]): readonly Family[] {
  const subjects = gpus.map((gpu) => ({ gpu, labels: { uuid: gpu.uuid } }));
  return [...rowsByName].map(([name, rows]) => {
    const series = rows.flatMap((row) =>
      subjects.flatMap(({ gpu, labels }) => seriesOf(row, row.get(gpu), withOwn(labels, row.native.labels))),
    );
    return { ...headOf(rows), name, series };
  });
}

/** One family per metric that NVML knows of each GPU instance, with the labels `uuid` and `gpu_instance_id`. */
export function migCatalogFamilies(gpus: readonly GpuSample[]): readonly Family[] {
  const instances = gpus.flatMap(gpuInstances);
  return migRows.map(({ metric, definition }) => {
    const series = instances.flatMap(({ gpu, instance }) =>
      seriesOf(metric, metric.getMig?.(instance), {
        uuid: gpu.uuid,
        gpu_instance_id: String(instance.gpuInstanceId),
      }),
    );
    return familyOf(definition, series);
  });
}

function seriesOf(metric: NativeMetric, reading: number | undefined, labels: Labels): readonly Series[] {
  const value = plausible(reading, metric);
  return value === undefined ? [] : [{ labels, value: scaled(value, metric.native.scale) }];
}

// Dividing by a whole number rounds once, so that 57 % becomes 0.57 and not 0.5700000000000001.
function scaled(value: number, scale: number): number {
  return scale < 1 ? value / Math.round(1 / scale) : value * scale;
}

// A series without labels of its own shares the object of its GPU.
function withOwn(labels: Labels, own: Labels | undefined): Labels {
  return own === undefined ? labels : { ...labels, ...own };
}

function headOf([row]: readonly NativeMetric[]): Omit<Family, 'name' | 'series'> {
  if (row === undefined) throw new Error('a group of rows is never empty');
  const { type, unit, help } = row.native;
  return { type, help, ...(unit === '' ? {} : { unit }) };
}

function migDefinition({ name, type, unit, help }: NativeName): Definition {
  return {
    name: name.replace(/^gpu_/, 'gpu_mig_'),
    type,
    ...(unit === '' ? {} : { unit }),
    labels: ['uuid', 'gpu_instance_id'],
    help: `For each GPU instance of MIG: ${help.charAt(0).toLowerCase()}${help.slice(1)}`,
  };
}
