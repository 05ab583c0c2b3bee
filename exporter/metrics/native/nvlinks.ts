/** NVLinks one by one. */

import type { GpuSample, NvlinkReadings } from '../../snapshot.ts';
import { total } from '../catalog/kind.ts';
import type { Family } from '../exposition.ts';
import { plausible } from '../metric.ts';
import { type Definition, familyOf } from './definition.ts';

interface LinkMetric extends Definition {
  readonly get: (link: NvlinkReadings) => number | undefined;
}

const labels = ['uuid', 'link'];

const linkMetrics: readonly LinkMetric[] = [
  {
    name: 'gpu_nvlink_link_up',
    type: 'gauge',
    labels,
    help: 'Whether this NVLink is active.',
    get: ({ isActive }) => (isActive ? 1 : 0),
  },
  {
    name: 'gpu_nvlink_link_crc_flit_errors_total',
    type: 'counter',
    labels,
    help: 'Flow-control CRC errors of this NVLink.',
    get: (link) => link.crcFlitErrors,
  },
  {
    name: 'gpu_nvlink_link_crc_data_errors_total',
    type: 'counter',
    labels,
    help: 'Data CRC errors of this NVLink.',
    get: (link) => link.crcDataErrors,
  },
  {
    name: 'gpu_nvlink_link_replay_errors_total',
    type: 'counter',
    labels,
    help: 'Retries of this NVLink.',
    get: (link) => link.replayErrors,
  },
  {
    name: 'gpu_nvlink_link_recovery_errors_total',
    type: 'counter',
    labels,
    help: 'Recoveries of this NVLink.',
    get: (link) => link.recoveryErrors,
  },
];

export const nvlinkDefinitions: readonly Definition[] = linkMetrics;

export function nvlinkFamilies(gpus: readonly GpuSample[]): readonly Family[] {
  const links = gpus.flatMap(({ uuid, nvlinks = [] }) =>
    nvlinks.map((link) => ({ link, labels: { uuid, link: String(link.link) } })),
  );
  return linkMetrics.map(({ get, ...definition }) => {
    const series = links.flatMap(({ link, labels }) => {
      const value = plausible(get(link), total);
      return value === undefined ? [] : [{ labels, value }];
    });
    return familyOf(definition, series);
  });
}
