import { describe, expect, it } from 'vitest';
import { nativeFamilies } from '../../../../exporter/metrics/native/families.ts';
import { stateOf } from '../../../../exporter/metrics/native/gpu-state.ts';
import { platformFamilies } from '../../../../exporter/metrics/native/platform.ts';
import type { GpuPresence } from '../../../../exporter/presence.ts';
import type { GpuSample } from '../../../../exporter/snapshot.ts';
import { afterLoss, beforeLoss } from '../hardware/lost-gpu.ts';
import { presenceOf } from '../hardware/presence-of.ts';
import { seriesOf } from './series-of.ts';

const [idle] = beforeLoss.gpus.map(
  (gpu): GpuSample => ({ ...gpu, gpuUtilPercent: 0, framebufferUsedMib: 4, framebufferTotalMib: 81_920 }),
);
if (idle === undefined) throw new Error('there is a GPU');

const presence = Object.values(presenceOf(beforeLoss).gpus)[0];
if (presence === undefined) throw new Error('there is a GPU');
const gone: GpuPresence = { ...presence, state: 'unavailable', reason: 'gpu_is_lost' };
const unobserved: GpuPresence = { ...presence, state: 'unobserved' };

describe('stateOf', () => {
  it.each([
    { what: 'idle', of: presence, sample: idle, state: 'available' },
    { what: 'at work', of: presence, sample: { ...idle, gpuUtilPercent: 1 }, state: 'allocated' },
    {
      what: 'holding the memory of a job that waits',
      of: presence,
      sample: { ...idle, framebufferUsedMib: 9_000 },
      state: 'allocated',
    },
    {
      what: 'the home of a process that has not begun',
      of: presence,
      sample: { ...idle, processes: [{ pid: 7, name: 'python3', kind: 'compute' as const }] },
      state: 'allocated',
    },
    {
      what: 'divided, and working in one instance',
      of: presence,
      sample: { ...idle, gpuUtilPercent: undefined, graphicsEngineActiveRatio: 0.2 },
      state: 'allocated',
    },
    {
      what: 'asking for a reset, though at work',
      of: presence,
      sample: { ...idle, gpuUtilPercent: 90, recoveryAction: 1 },
      state: 'unhealthy',
    },
    { what: 'out of spare rows', of: presence, sample: { ...idle, rowRemapFailure: 1 }, state: 'unhealthy' },
    { what: 'gone', of: gone, sample: undefined, state: 'unhealthy' },
    { what: 'not observed', of: unobserved, sample: undefined, state: 'unknown' },
    { what: 'without fresh readings', of: presence, sample: undefined, state: 'unknown' },
  ])('is $state for a GPU that is $what', ({ of, sample, state }) => {
    expect(stateOf(of, sample)).toBe(state);
  });
});

describe('gpu_state', () => {
  const input = { snapshot: afterLoss, presence: presenceOf(beforeLoss, afterLoss), hostname: 'node-7' };
  const [kept, lost] = beforeLoss.gpus.map(({ uuid }) => uuid);

  it('has one series per state, 1 for the one the GPU is in', () => {
    expect(seriesOf(nativeFamilies(input), 'gpu_state')).toEqual([
      [{ uuid: kept, state: 'available' }, 0],
      [{ uuid: kept, state: 'allocated' }, 1],
      [{ uuid: kept, state: 'unhealthy' }, 0],
      [{ uuid: kept, state: 'unknown' }, 0],
      [{ uuid: lost, state: 'available' }, 0],
      [{ uuid: lost, state: 'allocated' }, 0],
      [{ uuid: lost, state: 'unhealthy' }, 1],
      [{ uuid: lost, state: 'unknown' }, 0],
    ]);
  });

  it('has the labels of its profile in the platform profile, which has the eight documented names and no other', () => {
    const families = platformFamilies(input);
    expect(seriesOf(families, 'gpu_state')?.[6]).toEqual([
      { gpu: '1', uuid: lost, hostname: 'node-7', state: 'unhealthy' },
      1,
    ]);
    expect(families.map(({ name }) => name)).toEqual([
      'gpu_temperature_celsius',
      'gpu_power_watts',
      'gpu_utilization_percent',
      'gpu_memory_used_mb',
      'gpu_memory_total_mb',
      'gpu_ecc_errors_correctable_total',
      'gpu_ecc_errors_uncorrectable_total',
      'gpu_state',
    ]);
  });
});
