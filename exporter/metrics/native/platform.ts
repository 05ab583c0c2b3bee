/** The platform profile: the eight names of the GPU platform's documents, with the labels and units these use. */

import type { GpuPresence, Presence } from '../../presence.ts';
import type { GpuIdentity, Snapshot } from '../../snapshot.ts';
import { metricByDcgmName } from '../catalog.ts';
import type { Family, Labels, Series } from '../exposition.ts';
import { type Metric, plausible } from '../metric.ts';
import { type Definition, familyOf } from './definition.ts';
import { stateFamily, stateHelp } from './gpu-state.ts';

const labels = ['gpu', 'uuid', 'hostname'];

interface PlatformMetric extends Definition {
  /** The field of DCGM that is measured in the unit of the name. */
  readonly field: string;
}

const platformMetrics: readonly PlatformMetric[] = [
  {
    name: 'gpu_temperature_celsius',
    type: 'gauge',
    unit: 'celsius',
    labels,
    help: 'Temperature of the die.',
    field: 'DCGM_FI_DEV_GPU_TEMP',
  },
  {
    name: 'gpu_power_watts',
    type: 'gauge',
    unit: 'watts',
    labels,
    help: 'Power the board draws.',
    field: 'DCGM_FI_DEV_POWER_USAGE',
  },
  {
    name: 'gpu_utilization_percent',
    type: 'gauge',
    unit: 'percent',
    labels,
    help: 'Share of the last sample period in which a kernel was running, 0 to 100.',
    field: 'DCGM_FI_DEV_GPU_UTIL',
  },
  {
    name: 'gpu_memory_used_mb',
    type: 'gauge',
    labels,
    help: 'Memory that is allocated, in units of 2^20 bytes, which drivers call MB.',
    field: 'DCGM_FI_DEV_FB_USED',
  },
  {
    name: 'gpu_memory_total_mb',
    type: 'gauge',
    labels,
    help: 'Memory in all, in units of 2^20 bytes, which drivers call MB.',
    field: 'DCGM_FI_DEV_FB_TOTAL',
  },
  {
    name: 'gpu_ecc_errors_correctable_total',
    type: 'counter',
    labels,
    help: 'Correctable (single-bit) ECC errors since the driver was loaded.',
    field: 'DCGM_FI_DEV_ECC_SBE_VOL_TOTAL',
  },
  {
    name: 'gpu_ecc_errors_uncorrectable_total',
    type: 'counter',
    labels,
    help: 'Uncorrectable (double-bit) ECC errors since the driver was loaded.',
    field: 'DCGM_FI_DEV_ECC_DBE_VOL_TOTAL',
  },
];

const platformState: Definition = {
  name: 'gpu_state',
  type: 'gauge',
  labels: [...labels, 'state'],
  help: stateHelp,
};

export const platformDefinitions: readonly Definition[] = [...platformMetrics, platformState];

const rows = platformMetrics.map((definition) => ({ definition, metric: metricOf(definition) }));

export interface PlatformInput {
  /** Undefined while there is none that is fresh enough to publish. */
  readonly snapshot: Snapshot | undefined;
  readonly presence: Presence;
  readonly hostname: string;
}

export function platformFamilies({ snapshot, presence, hostname }: PlatformInput): readonly Family[] {
  const gpus = snapshot?.gpus ?? [];
  const subjects = gpus.map((gpu) => ({ gpu, labels: labelsOf(gpu, hostname) }));
  return [
    ...rows.map(({ definition, metric }) => {
      const series = subjects.flatMap(({ gpu, labels }) => seriesOf(metric, metric.get(gpu), labels));
      return familyOf(definition, series);
    }),
    stateFamily({
      gpus,
      presence,
      definition: platformState,
      labelsOf: ({ identity }: GpuPresence) => labelsOf(identity, hostname),
    }),
  ];
}

function labelsOf({ index, uuid }: GpuIdentity, hostname: string): Labels {
  return { gpu: String(index), uuid, hostname };
}

function seriesOf(metric: Metric, reading: number | undefined, labels: Labels): readonly Series[] {
  const value = plausible(reading, metric);
  return value === undefined ? [] : [{ labels, value }];
}

function metricOf({ field }: PlatformMetric): Metric {
  const metric = metricByDcgmName(field);
  if (metric === undefined) throw new Error(`the catalog has no row for ${field}`);
  return metric;
}
