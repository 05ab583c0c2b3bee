/** The framebuffer and the BAR1 window through which the host sees it. */

import type { GpuSample, MigInstance } from '../../snapshot.ts';
import { type Metric, plausible } from '../metric.ts';
import { mebibytes, metric, ratio, unknownPerInstance } from './kind.ts';

export const memoryMetrics: readonly Metric[] = [
  metric(mebibytes, {
    source: 'nvmlDeviceGetMemoryInfo_v2',
    get: (gpu) => gpu.framebufferTotalMib,
    getMig: (instance) => instance.framebufferTotalMib,
    dcgm: { field: 'DCGM_FI_DEV_FB_TOTAL', id: 250, help: 'Framebuffer memory in all (in MiB).' },
    native: { name: 'gpu_memory_total_bytes', help: 'Memory in all, reserved memory included.' },
  }),
  metric(mebibytes, {
    source: 'nvmlDeviceGetMemoryInfo_v2',
    get: (gpu) => gpu.framebufferFreeMib,
    getMig: (instance) => instance.framebufferFreeMib,
    dcgm: {
      field: 'DCGM_FI_DEV_FB_FREE',
      id: 251,
      aliases: ['dcgm_fb_free'],
      help: 'Framebuffer memory free (in MiB).',
      isDefault: true,
    },
    native: { name: 'gpu_memory_free_bytes', help: 'Memory that can be allocated.' },
  }),
  metric(mebibytes, {
    source: 'nvmlDeviceGetMemoryInfo_v2',
    get: (gpu) => gpu.framebufferUsedMib,
    getMig: (instance) => instance.framebufferUsedMib,
    dcgm: {
      field: 'DCGM_FI_DEV_FB_USED',
      id: 252,
      aliases: ['dcgm_fb_used'],
      help: 'Framebuffer memory used (in MiB).',
      isDefault: true,
    },
    native: { name: 'gpu_memory_used_bytes', help: 'Memory that is allocated.' },
  }),
  metric(mebibytes, {
    source: 'nvmlDeviceGetMemoryInfo_v2',
    get: (gpu) => gpu.framebufferReservedMib,
    getMig: (instance) => instance.framebufferReservedMib,
    dcgm: {
      field: 'DCGM_FI_DEV_FB_RESERVED',
      id: 253,
      help: 'Framebuffer memory reserved (in MiB).',
      isDefault: true,
    },
    native: { name: 'gpu_memory_reserved_bytes', help: 'Memory the driver and the firmware keep for themselves.' },
  }),
  // The native profile leaves the division to the query.
  metric(ratio, {
    source: 'nvmlDeviceGetMemoryInfo_v2: used / (total - reserved)',
    get: usedRatio,
    getMig: usedRatio,
    dcgm: {
      field: 'DCGM_FI_DEV_FB_USED_PERCENT',
      id: 254,
      aliases: ['DCGM_FI_DEV_FB_USED_RATIO'],
      help: 'Share of the framebuffer memory in use, without what is reserved (0 to 1).',
    },
  }),
  metric(mebibytes, {
    source: 'nvmlDeviceGetBAR1MemoryInfo',
    get: (gpu) => gpu.bar1TotalMib,
    getMig: unknownPerInstance,
    dcgm: { field: 'DCGM_FI_DEV_BAR1_TOTAL', id: 90, help: 'BAR1 memory in all (in MiB).' },
    native: { name: 'gpu_bar1_memory_total_bytes', help: 'Size of the BAR1 window.' },
  }),
  metric(mebibytes, {
    source: 'nvmlDeviceGetBAR1MemoryInfo',
    get: (gpu) => gpu.bar1UsedMib,
    getMig: unknownPerInstance,
    dcgm: { field: 'DCGM_FI_DEV_BAR1_USED', id: 92, help: 'BAR1 memory used (in MiB).' },
    native: { name: 'gpu_bar1_memory_used_bytes', help: 'Part of the BAR1 window that is in use.' },
  }),
  metric(mebibytes, {
    source: 'nvmlDeviceGetBAR1MemoryInfo',
    get: (gpu) => gpu.bar1FreeMib,
    getMig: unknownPerInstance,
    dcgm: { field: 'DCGM_FI_DEV_BAR1_FREE', id: 93, help: 'BAR1 memory free (in MiB).' },
    native: { name: 'gpu_bar1_memory_free_bytes', help: 'Part of the BAR1 window that is free.' },
  }),
];

type Framebuffer = Pick<
  GpuSample | MigInstance,
  'framebufferTotalMib' | 'framebufferUsedMib' | 'framebufferReservedMib'
>;

function usedRatio(memory: Framebuffer): number | undefined {
  const total = plausible(memory.framebufferTotalMib, mebibytes);
  const used = plausible(memory.framebufferUsedMib, mebibytes);
  // Drivers before 510 do not tell reserved memory apart.
  const reserved = plausible(memory.framebufferReservedMib ?? 0, mebibytes);
  if (total === undefined || used === undefined || reserved === undefined || total <= reserved) return undefined;
  return used / (total - reserved);
}
