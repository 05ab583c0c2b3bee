/** What the profiling counters say about the inside of a GPU. NVML has them from Hopper on; before, only DCGM does. */

import type { Metric } from '../metric.ts';
import { metric, ratio, unknownPerInstance } from './kind.ts';

export const profilingMetrics: readonly Metric[] = [
  metric(ratio, {
    source: 'NVML_GPM_METRIC_GRAPHICS_UTIL (1)',
    get: (gpu) => gpu.graphicsEngineActiveRatio,
    getMig: (instance) => instance.graphicsEngineActiveRatio,
    dcgm: {
      field: 'DCGM_FI_PROF_GR_ENGINE_ACTIVE',
      id: 1001,
      aliases: ['DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO', 'dcgm_fi_prof_gr_engine_active'],
      help: 'Ratio of time the graphics engine is active.',
      isDefault: true,
    },
    native: {
      name: 'gpu_graphics_engine_active_ratio',
      help: 'Share of time in which the graphics or compute engine was active.',
    },
  }),
  metric(ratio, {
    source: 'NVML_GPM_METRIC_SM_UTIL (2)',
    get: (gpu) => gpu.smActiveRatio,
    getMig: (instance) => instance.smActiveRatio,
    dcgm: {
      field: 'DCGM_FI_PROF_SM_ACTIVE',
      id: 1002,
      aliases: ['DCGM_FI_PROF_SM_UTIL_RATIO', 'dcgm_fi_prof_sm_active'],
      help: 'The ratio of cycles an SM has at least 1 warp assigned.',
    },
    native: { name: 'gpu_sm_active_ratio', help: 'Share of cycles in which a multiprocessor had a warp, on average.' },
  }),
  metric(ratio, {
    source: 'NVML_GPM_METRIC_SM_OCCUPANCY (3)',
    get: (gpu) => gpu.smOccupancyRatio,
    getMig: (instance) => instance.smOccupancyRatio,
    dcgm: {
      field: 'DCGM_FI_PROF_SM_OCCUPANCY',
      id: 1003,
      aliases: ['DCGM_FI_PROF_SM_OCCUPANCY_RATIO', 'dcgm_fi_prof_sm_occupancy'],
      help: 'The ratio of number of warps resident on an SM.',
    },
    native: { name: 'gpu_sm_occupancy_ratio', help: 'Warps on a multiprocessor as a share of the most it can hold.' },
  }),
  metric(ratio, {
    source: 'NVML_GPM_METRIC_ANY_TENSOR_UTIL (5)',
    get: (gpu) => gpu.tensorActiveRatio,
    getMig: (instance) => instance.tensorActiveRatio,
    dcgm: {
      field: 'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE',
      id: 1004,
      aliases: ['DCGM_FI_PROF_TENSOR_UTIL_RATIO', 'dcgm_fi_prof_pipe_tensor_active'],
      help: 'Ratio of cycles the tensor (HMMA) pipe is active.',
      isDefault: true,
    },
    native: { name: 'gpu_tensor_active_ratio', help: 'Share of cycles in which the tensor cores were active.' },
  }),
  metric(ratio, {
    source: 'NVML_GPM_METRIC_DRAM_BW_UTIL (10)',
    get: (gpu) => gpu.dramActiveRatio,
    getMig: (instance) => instance.dramActiveRatio,
    dcgm: {
      field: 'DCGM_FI_PROF_DRAM_ACTIVE',
      id: 1005,
      aliases: ['DCGM_FI_PROF_DRAM_UTIL_RATIO', 'dcgm_fi_prof_dram_active'],
      help: 'Ratio of cycles the device memory interface is active sending or receiving data.',
      isDefault: true,
    },
    native: { name: 'gpu_dram_active_ratio', help: 'Share of the memory bandwidth in use.' },
  }),
  metric(ratio, {
    source: 'NVML_GPM_METRIC_FP64_UTIL (11)',
    get: (gpu) => gpu.fp64ActiveRatio,
    getMig: unknownPerInstance,
    dcgm: {
      field: 'DCGM_FI_PROF_PIPE_FP64_ACTIVE',
      id: 1006,
      aliases: ['DCGM_FI_PROF_FP64_UTIL_RATIO'],
      help: 'Ratio of cycles the fp64 pipes are active.',
    },
    native: { name: 'gpu_fp64_active_ratio', help: 'Share of cycles in which the FP64 pipes were active.' },
  }),
  metric(ratio, {
    source: 'NVML_GPM_METRIC_FP32_UTIL (12)',
    get: (gpu) => gpu.fp32ActiveRatio,
    getMig: unknownPerInstance,
    dcgm: {
      field: 'DCGM_FI_PROF_PIPE_FP32_ACTIVE',
      id: 1007,
      aliases: ['DCGM_FI_PROF_FP32_UTIL_RATIO'],
      help: 'Ratio of cycles the fp32 pipes are active.',
    },
    native: { name: 'gpu_fp32_active_ratio', help: 'Share of cycles in which the FP32 pipes were active.' },
  }),
  metric(ratio, {
    source: 'NVML_GPM_METRIC_FP16_UTIL (13)',
    get: (gpu) => gpu.fp16ActiveRatio,
    getMig: unknownPerInstance,
    dcgm: {
      field: 'DCGM_FI_PROF_PIPE_FP16_ACTIVE',
      id: 1008,
      aliases: ['DCGM_FI_PROF_FP16_UTIL_RATIO'],
      help: 'Ratio of cycles the fp16 pipes are active.',
    },
    native: { name: 'gpu_fp16_active_ratio', help: 'Share of cycles in which the FP16 pipes were active.' },
  }),
];
