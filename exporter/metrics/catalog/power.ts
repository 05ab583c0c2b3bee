/** Power, its limits, and energy. */

import type { Metric } from '../metric.ts';
import { limitWatts, metric, millijoules, watts } from './kind.ts';

export const powerMetrics: readonly Metric[] = [
  metric(watts, {
    source: 'nvmlDeviceGetPowerUsage',
    get: (gpu) => gpu.powerWatts,
    dcgm: {
      field: 'DCGM_FI_DEV_POWER_USAGE',
      id: 155,
      aliases: ['DCGM_FI_DEV_BOARD_POWER_WATTS', 'dcgm_power_usage'],
      help: 'Power draw (in W).',
      isDefault: true,
    },
    native: { name: 'gpu_power_watts', help: 'Power the board draws; averaged over a second where the card does so.' },
  }),
  metric(watts, {
    source: 'NVML_FI_DEV_POWER_INSTANT (186)',
    get: (gpu) => gpu.instantPowerWatts,
    dcgm: {
      field: 'DCGM_FI_DEV_POWER_USAGE_INSTANT',
      id: 157,
      aliases: ['DCGM_FI_DEV_BOARD_POWER_RAW_WATTS'],
      help: 'Power draw at this instant (in W).',
    },
    native: { name: 'gpu_instant_power_watts', help: 'Power the board draws at this instant, not averaged.' },
  }),
  metric(millijoules, {
    source: 'nvmlDeviceGetTotalEnergyConsumption',
    get: (gpu) => gpu.energyMillijoules,
    dcgm: {
      field: 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION',
      id: 156,
      aliases: ['dcgm_total_energy_consumption'],
      help: 'Total energy consumption since boot (in mJ).',
      isDefault: true,
    },
    native: { name: 'gpu_energy_joules_total', help: 'Energy used since the driver was loaded.' },
  }),
  metric(limitWatts, {
    source: 'nvmlDeviceGetPowerManagementLimit',
    get: (gpu) => gpu.powerLimitWatts,
    dcgm: {
      field: 'DCGM_FI_DEV_POWER_MGMT_LIMIT',
      id: 160,
      aliases: ['DCGM_FI_DEV_BOARD_POWER_LIMIT_REQUESTED_WATTS'],
      help: 'Power limit that was set (in W).',
    },
    native: { name: 'gpu_power_limit_watts', help: 'Power limit that was set.' },
  }),
  metric(limitWatts, {
    source: 'nvmlDeviceGetEnforcedPowerLimit',
    get: (gpu) => gpu.enforcedPowerLimitWatts,
    dcgm: {
      field: 'DCGM_FI_DEV_ENFORCED_POWER_LIMIT',
      id: 164,
      aliases: ['DCGM_FI_DEV_BOARD_POWER_LIMIT_ENFORCED_WATTS'],
      help: 'Power limit in force, the lowest of all that apply (in W).',
    },
    native: { name: 'gpu_enforced_power_limit_watts', help: 'Power limit in force: the lowest of all that apply.' },
  }),
  metric(limitWatts, {
    source: 'nvmlDeviceGetPowerManagementDefaultLimit',
    get: (gpu) => gpu.defaultPowerLimitWatts,
    dcgm: {
      field: 'DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF',
      id: 163,
      aliases: ['DCGM_FI_DEV_BOARD_POWER_LIMIT_DEFAULT_WATTS'],
      help: 'Power limit after a boot (in W).',
    },
    native: { name: 'gpu_default_power_limit_watts', help: 'Power limit after a boot.' },
  }),
  metric(limitWatts, {
    source: 'nvmlDeviceGetPowerManagementLimitConstraints',
    get: (gpu) => gpu.minPowerLimitWatts,
    dcgm: {
      field: 'DCGM_FI_DEV_POWER_MGMT_LIMIT_MIN',
      id: 161,
      aliases: ['DCGM_FI_DEV_BOARD_POWER_LIMIT_MIN_WATTS'],
      help: 'Lowest power limit that can be set (in W).',
    },
    native: { name: 'gpu_min_power_limit_watts', help: 'Lowest power limit that can be set.' },
  }),
  metric(limitWatts, {
    source: 'nvmlDeviceGetPowerManagementLimitConstraints',
    get: (gpu) => gpu.maxPowerLimitWatts,
    dcgm: {
      field: 'DCGM_FI_DEV_POWER_MGMT_LIMIT_MAX',
      id: 162,
      aliases: ['DCGM_FI_DEV_BOARD_POWER_LIMIT_MAX_WATTS'],
      help: 'Highest power limit that can be set (in W).',
    },
    native: { name: 'gpu_max_power_limit_watts', help: 'Highest power limit that can be set.' },
  }),
];
