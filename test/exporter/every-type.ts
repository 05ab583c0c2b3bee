/** One family of every type the exporter can publish, with everything that must be escaped. */
import type { Family } from '../../exporter/metrics/exposition.ts';

const series = (value: number, labels: Record<string, string> = {}, suffix = '') => ({ value, labels, suffix });

export const everyType: readonly Family[] = [
  {
    name: 'gpu_energy_joules_total',
    type: 'counter',
    unit: 'joules',
    help: 'A counter with its suffix and a unit.',
    series: [series(211_680_000.25, { uuid: 'GPU-1' }), series(0, { uuid: 'GPU-2' })],
  },
  {
    name: 'DCGM_FI_DEV_PCIE_REPLAY_COUNTER',
    type: 'counter',
    help: 'A counter that must keep the name it has.',
    series: [series(7, { gpu: '0', UUID: 'GPU-1', modelName: 'NVIDIA "A100"\\\nSXM4' })],
  },
  {
    name: 'gpu_temperature_celsius',
    type: 'gauge',
    unit: 'celsius',
    help: 'A gauge with a unit; quotes "like these", a \\ and a line\nfeed.',
    series: [series(-3.5, { uuid: 'GPU-1' }), series(1e21, { uuid: 'Größe 温度' })],
  },
  { name: 'gpu_info', type: 'gauge', help: 'Only ever 1.', series: [series(1, { uuid: 'GPU-1', model: 'A100' })] },
  { name: 'gpu_odd_info', type: 'gauge', help: 'A gauge in spite of its name.', series: [series(2)] },
  { name: 'job_state', type: 'untyped', help: '', series: [series(5e-324)] },
  {
    name: 'gc_duration_seconds',
    type: 'histogram',
    help: 'A histogram.',
    series: [
      series(1, { kind: 'major', le: '0.1' }, '_bucket'),
      series(3, { kind: 'major', le: '+Inf' }, '_bucket'),
      series(1.5, { kind: 'major' }, '_sum'),
      series(3, { kind: 'major' }, '_count'),
    ],
  },
  {
    name: 'pause_seconds',
    type: 'summary',
    help: 'A summary.',
    series: [series(0.2, { quantile: '0.5' }), series(8, {}, '_sum'), series(40, {}, '_count')],
  },
];
