/** Modes and states, as numbers. */

import { fabricCompleted } from '../../fabric-state.ts';
import type { GpuSample } from '../../snapshot.ts';
import type { Metric } from '../metric.ts';
import { code, flag, metric } from './kind.ts';

export const stateMetrics: readonly Metric[] = [
  metric(
    { ...code, max: 15 },
    {
      source: 'nvmlDeviceGetPerformanceState',
      get: (gpu) => gpu.performanceState,
      dcgm: {
        field: 'DCGM_FI_DEV_PSTATE',
        id: 190,
        aliases: ['DCGM_FI_DEV_GPU_PSTATE'],
        help: 'Performance state: 0 is the fastest, 15 the slowest.',
      },
      native: { name: 'gpu_performance_state', help: 'Performance state: 0 is the fastest, 15 the slowest.' },
    },
  ),
  metric(flag, {
    source: 'nvmlDeviceGetPersistenceMode',
    get: (gpu) => gpu.persistenceMode,
    dcgm: {
      field: 'DCGM_FI_DEV_PERSISTENCE_MODE',
      id: 66,
      aliases: ['DCGM_FI_DEV_GPU_PERSISTENCE_MODE'],
      help: 'Whether persistence mode is on.',
    },
    native: {
      name: 'gpu_persistence_mode',
      help: 'Whether the driver stays loaded while nobody uses the GPU.',
    },
  }),
  metric(flag, {
    source: 'nvmlDeviceGetEccMode',
    get: (gpu) => gpu.eccMode,
    dcgm: {
      field: 'DCGM_FI_DEV_ECC_CURRENT',
      id: 300,
      aliases: ['DCGM_FI_DEV_ECC_MODE'],
      help: 'Whether ECC is on.',
    },
    native: { name: 'gpu_ecc_mode', help: 'Whether ECC is on.' },
  }),
  metric(flag, {
    source: 'nvmlDeviceGetMigMode',
    get: (gpu) => gpu.migMode,
    dcgm: { field: 'DCGM_FI_DEV_MIG_MODE', id: 67, help: 'Whether MIG is on.' },
    native: { name: 'gpu_mig_mode', help: 'Whether the GPU is divided into MIG instances.' },
  }),
  metric(
    { ...code, max: 3 },
    {
      source: 'nvmlDeviceGetComputeMode',
      get: (gpu) => gpu.computeMode,
      dcgm: {
        field: 'DCGM_FI_DEV_COMPUTE_MODE',
        id: 65,
        aliases: ['DCGM_FI_DEV_GPU_COMPUTE_MODE'],
        help: 'Compute mode: 0 default, 1 exclusive thread, 2 prohibited, 3 exclusive process.',
      },
      native: {
        name: 'gpu_compute_mode',
        help: 'Compute mode: 0 default, 1 exclusive thread, 2 prohibited, 3 exclusive process.',
      },
    },
  ),
  metric(code, {
    source: 'nvmlDeviceGetGridLicensableFeatures_v4',
    get: (gpu) => gpu.vgpuLicenseStatus,
    dcgm: {
      field: 'DCGM_FI_DEV_VGPU_LICENSE_STATUS',
      id: 526,
      help: 'vGPU License status',
      isDefault: true,
    },
    native: { name: 'gpu_vgpu_license_status', help: 'Whether a vGPU license is in force: 0 when none is or can be.' },
  }),
  metric(code, {
    source: 'NVML_FI_DEV_GET_GPU_RECOVERY_ACTION (230)',
    get: (gpu) => gpu.recoveryAction,
    dcgm: {
      field: 'DCGM_FI_DEV_GET_GPU_RECOVERY_ACTION',
      id: 1523,
      aliases: ['DCGM_FI_DEV_GPU_RECOVERY_ACTION'],
      help: 'What the driver asks for: 0 nothing, 1 reset, 2 reboot, 3 drain P2P, 4 drain and reset, 5 recover IMEX.',
    },
    native: {
      name: 'gpu_recovery_action',
      help: 'What the driver asks for: 0 nothing, 1 reset, 2 reboot, 3 drain P2P, 4 drain and reset, 5 recover IMEX.',
    },
  }),
  metric(code, {
    source: 'nvmlDeviceGetGpuFabricInfoV',
    get: fabricManagerStatus,
    dcgm: {
      field: 'DCGM_FI_DEV_FABRIC_MANAGER_STATUS',
      id: 170,
      help: 'Fabric manager: 0 not supported, 1 not started, 2 in progress, 3 succeeded, 4 failed.',
    },
  }),
  metric(
    { ...code, max: 3 },
    {
      source: 'nvmlDeviceGetGpuFabricInfoV',
      get: (gpu) => gpu.fabricState,
      native: {
        name: 'gpu_fabric_state',
        help: 'Registration with the NVLink fabric: 0 not supported, 1 not started, 2 in progress, 3 completed.',
      },
    },
  ),
  metric(
    { ...code, max: 999 },
    {
      source: 'nvmlDeviceGetGpuFabricInfoV',
      get: (gpu) => gpu.fabricStatus,
      native: {
        name: 'gpu_fabric_status',
        help: 'NVML return code of the last registration with the NVLink fabric; 0 is success.',
      },
    },
  ),
];

const dcgmFabricFailed = 4;

// DCGM folds the outcome of a completed registration into its state.
function fabricManagerStatus({ fabricState, fabricStatus }: GpuSample): number | undefined {
  if (fabricState !== fabricCompleted) return fabricState;
  return fabricStatus === undefined || fabricStatus === 0 ? fabricCompleted : dcgmFabricFailed;
}
