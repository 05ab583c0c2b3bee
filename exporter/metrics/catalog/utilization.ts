/** How busy the engines of a GPU are, as NVML samples it. */

import type { Metric } from '../metric.ts';
import { metric, percent } from './kind.ts';

export const utilizationMetrics: readonly Metric[] = [
  metric(percent, {
    source: 'nvmlDeviceGetUtilizationRates; not with MIG on',
    get: (gpu) => gpu.gpuUtilPercent,
    dcgm: {
      field: 'DCGM_FI_DEV_GPU_UTIL',
      id: 203,
      // The later name says ratio; the value stays 0 to 100.
      aliases: ['DCGM_FI_DEV_GPU_UTIL_RATIO', 'dcgm_gpu_utilization'],
      help: 'GPU utilization (in %).',
      isDefault: true,
    },
    native: {
      name: 'gpu_utilization_ratio',
      help: 'Share of the last sample period in which a kernel was running.',
    },
  }),
  // The GPU platform's documents have this name; the ratio above is what Prometheus asks for.
  metric(
    { ...percent, unit: 'percent', scale: 1 },
    {
      source: 'nvmlDeviceGetUtilizationRates; not with MIG on',
      get: (gpu) => gpu.gpuUtilPercent,
      native: { name: 'gpu_utilization_percent', help: 'The same as gpu_utilization_ratio, from 0 to 100.' },
    },
  ),
  metric(percent, {
    source: 'nvmlDeviceGetUtilizationRates; not with MIG on',
    get: (gpu) => gpu.memoryCopyUtilPercent,
    dcgm: {
      field: 'DCGM_FI_DEV_MEM_COPY_UTIL',
      id: 204,
      aliases: ['dcgm_mem_copy_utilization'],
      help: 'Memory utilization (in %).',
      isDefault: true,
    },
    native: {
      name: 'gpu_memory_copy_utilization_ratio',
      help: 'Share of the last sample period in which memory was read or written.',
    },
  }),
  metric(percent, {
    source: 'nvmlDeviceGetEncoderUtilization',
    get: (gpu) => gpu.encoderUtilPercent,
    dcgm: {
      field: 'DCGM_FI_DEV_ENC_UTIL',
      id: 206,
      aliases: ['dcgm_enc_utilization'],
      help: 'Encoder utilization (in %).',
      isDefault: true,
    },
    native: { name: 'gpu_encoder_utilization_ratio', help: 'Utilization of the video encoder.' },
  }),
  metric(percent, {
    source: 'nvmlDeviceGetDecoderUtilization',
    get: (gpu) => gpu.decoderUtilPercent,
    dcgm: {
      field: 'DCGM_FI_DEV_DEC_UTIL',
      id: 207,
      aliases: ['dcgm_dec_utilization'],
      help: 'Decoder utilization (in %).',
      isDefault: true,
    },
    native: { name: 'gpu_decoder_utilization_ratio', help: 'Utilization of the video decoder.' },
  }),
];
