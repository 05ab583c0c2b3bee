/** Temperatures, the limits of the board, and fans. */

import type { Metric } from '../metric.ts';
import { celsius, fanPercent, metric } from './kind.ts';

export const thermalMetrics: readonly Metric[] = [
  metric(celsius, {
    source: 'nvmlDeviceGetTemperatureV, GPU',
    get: (gpu) => gpu.gpuTemperatureCelsius,
    dcgm: {
      field: 'DCGM_FI_DEV_GPU_TEMP',
      id: 150,
      aliases: ['DCGM_FI_DEV_GPU_TEMP_CELSIUS', 'dcgm_gpu_temp'],
      help: 'GPU temperature (in C).',
      isDefault: true,
    },
    native: { name: 'gpu_temperature_celsius', help: 'Temperature of the die.' },
  }),
  metric(celsius, {
    source: 'NVML_FI_DEV_MEMORY_TEMP (82)',
    get: (gpu) => gpu.memoryTemperatureCelsius,
    dcgm: {
      field: 'DCGM_FI_DEV_MEMORY_TEMP',
      id: 140,
      aliases: ['DCGM_FI_DEV_MEMORY_TEMP_CELSIUS', 'dcgm_memory_temp'],
      help: 'Memory temperature (in C).',
      isDefault: true,
    },
    native: { name: 'gpu_memory_temperature_celsius', help: 'Temperature of the memory; cards with HBM only.' },
  }),
  metric(celsius, {
    source: 'nvmlDeviceGetTemperatureThreshold, SLOWDOWN',
    get: (gpu) => gpu.slowdownTemperatureCelsius,
    dcgm: {
      field: 'DCGM_FI_DEV_SLOWDOWN_TEMP',
      id: 158,
      aliases: ['DCGM_FI_DEV_GPU_TEMP_SLOWDOWN_CELSIUS'],
      help: 'Temperature at which the card slows itself down (in C).',
    },
    native: { name: 'gpu_slowdown_temperature_celsius', help: 'Temperature of the die at which the card slows down.' },
  }),
  metric(celsius, {
    source: 'nvmlDeviceGetTemperatureThreshold, SHUTDOWN',
    get: (gpu) => gpu.shutdownTemperatureCelsius,
    dcgm: {
      field: 'DCGM_FI_DEV_SHUTDOWN_TEMP',
      id: 159,
      aliases: ['DCGM_FI_DEV_GPU_TEMP_SHUTDOWN_CELSIUS'],
      help: 'Temperature at which the card shuts down (in C).',
    },
    native: { name: 'gpu_shutdown_temperature_celsius', help: 'Temperature of the die at which the card shuts down.' },
  }),
  metric(celsius, {
    source: 'nvmlDeviceGetTemperatureThreshold, GPU_MAX',
    get: (gpu) => gpu.maxGpuTemperatureCelsius,
    dcgm: {
      field: 'DCGM_FI_DEV_GPU_MAX_OP_TEMP',
      id: 152,
      aliases: ['DCGM_FI_DEV_GPU_MAX_OP_TEMP_CELSIUS'],
      help: 'Highest temperature the die may have in operation (in C).',
    },
    native: { name: 'gpu_max_temperature_celsius', help: 'Highest temperature the die may have in operation.' },
  }),
  metric(celsius, {
    source: 'nvmlDeviceGetTemperatureThreshold, MEM_MAX',
    get: (gpu) => gpu.maxMemoryTemperatureCelsius,
    dcgm: {
      field: 'DCGM_FI_DEV_MEM_MAX_OP_TEMP',
      id: 151,
      aliases: ['DCGM_FI_DEV_MEMORY_MAX_OP_TEMP_CELSIUS'],
      help: 'Highest temperature the memory may have in operation (in C).',
    },
    native: {
      name: 'gpu_memory_max_temperature_celsius',
      help: 'Highest temperature the memory may have in operation.',
    },
  }),
  metric(fanPercent, {
    source: 'nvmlDeviceGetFanSpeed',
    get: (gpu) => gpu.fanSpeedPercent,
    dcgm: { field: 'DCGM_FI_DEV_FAN_SPEED', id: 191, help: 'Fan speed (in %).' },
    native: {
      name: 'gpu_fan_speed_ratio',
      help: 'Intended speed of the fan as a share of its nominal maximum; absent on cards without fans.',
    },
  }),
];
