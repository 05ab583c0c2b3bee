/** Clocks, and what holds them down. */

import type { Metric } from '../metric.ts';
import { bitMask, megahertz, metric, nanoseconds } from './kind.ts';

export const clockMetrics: readonly Metric[] = [
  metric(megahertz, {
    source: 'nvmlDeviceGetClockInfo, SM',
    get: (gpu) => gpu.smClockMhz,
    dcgm: {
      field: 'DCGM_FI_DEV_SM_CLOCK',
      id: 100,
      aliases: ['dcgm_sm_clock'],
      help: 'SM clock frequency (in MHz).',
      isDefault: true,
    },
    native: { name: 'gpu_sm_clock_hertz', help: 'Clock of the streaming multiprocessors.' },
  }),
  metric(megahertz, {
    source: 'nvmlDeviceGetClockInfo, MEM',
    get: (gpu) => gpu.memoryClockMhz,
    dcgm: {
      field: 'DCGM_FI_DEV_MEM_CLOCK',
      id: 101,
      aliases: ['dcgm_memory_clock'],
      help: 'Memory clock frequency (in MHz).',
      isDefault: true,
    },
    native: { name: 'gpu_memory_clock_hertz', help: 'Clock of the memory.' },
  }),
  metric(megahertz, {
    source: 'nvmlDeviceGetClockInfo, VIDEO',
    get: (gpu) => gpu.videoClockMhz,
    dcgm: { field: 'DCGM_FI_DEV_VIDEO_CLOCK', id: 102, help: 'Video encoder and decoder clock (in MHz).' },
    native: { name: 'gpu_video_clock_hertz', help: 'Clock of the video encoder and decoder.' },
  }),
  metric(megahertz, {
    source: 'nvmlDeviceGetClockInfo, GRAPHICS',
    get: (gpu) => gpu.graphicsClockMhz,
    native: { name: 'gpu_graphics_clock_hertz', help: 'Clock of the graphics engine.' },
  }),
  metric(megahertz, {
    source: 'nvmlDeviceGetMaxClockInfo, SM',
    get: (gpu) => gpu.maxSmClockMhz,
    dcgm: { field: 'DCGM_FI_DEV_MAX_SM_CLOCK', id: 113, help: 'Highest SM clock the card supports (in MHz).' },
    native: { name: 'gpu_sm_clock_max_hertz', help: 'Highest clock the streaming multiprocessors support.' },
  }),
  metric(megahertz, {
    source: 'nvmlDeviceGetMaxClockInfo, MEM',
    get: (gpu) => gpu.maxMemoryClockMhz,
    dcgm: { field: 'DCGM_FI_DEV_MAX_MEM_CLOCK', id: 114, help: 'Highest memory clock the card supports (in MHz).' },
    native: { name: 'gpu_memory_clock_max_hertz', help: 'Highest clock the memory supports.' },
  }),
  // The native profile has one series per reason, gpu_clocks_event_active, in place of a bit mask.
  metric(bitMask, {
    source: 'nvmlDeviceGetCurrentClocksEventReasons',
    get: (gpu) => gpu.clocksEventReasons,
    dcgm: {
      field: 'DCGM_FI_DEV_CLOCKS_EVENT_REASONS',
      id: 112,
      aliases: ['DCGM_FI_DEV_CLOCK_THROTTLE_REASONS'],
      help: 'Why the clocks are where they are, as a bit mask: 0x1 idle, 0x4 software power cap, 0x8 hardware slowdown, 0x40 hardware thermal slowdown.',
      isDefault: true,
    },
  }),
  heldDown({
    reason: 'power_cap',
    source: 'NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_POWER_CAP (74)',
    field: 'DCGM_FI_DEV_CLOCKS_EVENT_REASON_SW_POWER_CAP_NS',
    id: 1420,
    get: (gpu) => gpu.softwarePowerCapNanoseconds,
  }),
  heldDown({
    reason: 'sync_boost',
    source: 'NVML_FI_DEV_CLOCKS_EVENT_REASON_SYNC_BOOST (76)',
    field: 'DCGM_FI_DEV_CLOCKS_EVENT_REASON_SYNC_BOOST_NS',
    id: 1421,
    get: (gpu) => gpu.syncBoostNanoseconds,
  }),
  heldDown({
    reason: 'sw_thermal',
    source: 'NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_THERM_SLOWDOWN (269)',
    field: 'DCGM_FI_DEV_CLOCKS_EVENT_REASON_SW_THERM_SLOWDOWN_NS',
    id: 1422,
    get: (gpu) => gpu.softwareThermalNanoseconds,
  }),
  heldDown({
    reason: 'hw_thermal',
    source: 'NVML_FI_DEV_CLOCKS_EVENT_REASON_HW_THERM_SLOWDOWN (270)',
    field: 'DCGM_FI_DEV_CLOCKS_EVENT_REASON_HW_THERM_SLOWDOWN_NS',
    id: 1423,
    get: (gpu) => gpu.hardwareThermalNanoseconds,
  }),
  heldDown({
    reason: 'hw_power_brake',
    source: 'NVML_FI_DEV_CLOCKS_EVENT_REASON_HW_POWER_BRAKE_SLOWDOWN (271)',
    field: 'DCGM_FI_DEV_CLOCKS_EVENT_REASON_HW_POWER_BRAKE_SLOWDOWN_NS',
    id: 1424,
    get: (gpu) => gpu.hardwarePowerBrakeNanoseconds,
  }),
  violation({
    policy: 'power',
    field: 'DCGM_FI_DEV_POWER_VIOLATION',
    id: 240,
    help: 'Throttling duration due to power constraints (in ns).',
    get: (gpu) => gpu.powerViolationNanoseconds,
  }),
  violation({
    policy: 'thermal',
    field: 'DCGM_FI_DEV_THERMAL_VIOLATION',
    id: 241,
    help: 'Throttling duration due to thermal constraints (in ns).',
    get: (gpu) => gpu.thermalViolationNanoseconds,
  }),
  violation({
    policy: 'sync_boost',
    field: 'DCGM_FI_DEV_SYNC_BOOST_VIOLATION',
    id: 242,
    help: 'Throttling duration due to sync-boost constraints (in ns).',
    get: (gpu) => gpu.syncBoostViolationNanoseconds,
  }),
  violation({
    policy: 'board_limit',
    field: 'DCGM_FI_DEV_BOARD_LIMIT_VIOLATION',
    id: 243,
    help: 'Throttling duration due to board limit constraints (in ns).',
    get: (gpu) => gpu.boardLimitViolationNanoseconds,
  }),
  violation({
    policy: 'low_utilization',
    field: 'DCGM_FI_DEV_LOW_UTIL_VIOLATION',
    id: 244,
    help: 'Throttling duration due to low utilization (in ns).',
    get: (gpu) => gpu.lowUtilizationViolationNanoseconds,
  }),
  violation({
    policy: 'reliability',
    field: 'DCGM_FI_DEV_RELIABILITY_VIOLATION',
    id: 245,
    help: 'Throttling duration due to reliability constraints (in ns).',
    get: (gpu) => gpu.reliabilityViolationNanoseconds,
  }),
];

interface HeldDown extends Pick<Metric, 'source' | 'get'> {
  readonly reason: string;
  readonly field: string;
  readonly id: number;
}

function heldDown({ reason, source, field, id, get }: HeldDown): Metric {
  return metric(nanoseconds, {
    source,
    get,
    dcgm: { field, id, help: `Time for which the clocks were held down, reason ${reason} (in ns).` },
    native: {
      name: 'gpu_clocks_event_seconds_total',
      help: 'Time for which the clocks were held down, by reason, since the driver was loaded.',
      labels: { reason },
    },
  });
}

interface Violation extends Pick<Metric, 'get'> {
  readonly policy: string;
  readonly field: string;
  readonly id: number;
  readonly help: string;
}

function violation({ policy, field, id, help, get }: Violation): Metric {
  return metric(nanoseconds, {
    // NVML numbers the policies in the order of DCGM's fields.
    source: `NVML_FI_DEV_PERF_POLICY_${policy.toUpperCase()} (${id - 240 + 74})`,
    get,
    // The 1.x names are the later ones in lower case, without FI_DEV.
    dcgm: { field, id, aliases: [field.replace('_FI_DEV', '').toLowerCase()], help },
    native: {
      name: 'gpu_violation_seconds_total',
      help: 'Time lost to each performance policy of the driver since it was loaded.',
      labels: { policy },
    },
  });
}
