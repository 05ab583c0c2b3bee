/** Fields of DCGM that are texts: a counters file may put them on every series of a GPU as a label. */

import type { GpuSample, Snapshot } from '../../snapshot.ts';

export interface LabelField {
  readonly field: string;
  /** DCGM's number of the field. */
  readonly id: number;
  /** The spelling of DCGM 4.6, where it is another. */
  readonly aliases: readonly string[];
  readonly help: string;
  /** On every series without a counters file. */
  readonly isDefault: boolean;
  readonly get: (gpu: GpuSample, snapshot: Snapshot) => string | undefined;
}

export const labelFields: readonly LabelField[] = [
  {
    field: 'DCGM_FI_DRIVER_VERSION',
    id: 1,
    aliases: ['DCGM_FI_SYSTEM_DRIVER_VERSION'],
    help: 'Version of the driver.',
    isDefault: true,
    get: (_gpu, snapshot) => snapshot.driverVersion,
  },
  {
    field: 'DCGM_FI_NVML_VERSION',
    id: 2,
    aliases: ['DCGM_FI_SYSTEM_NVML_VERSION'],
    help: 'Version of NVML.',
    isDefault: false,
    get: (_gpu, snapshot) => snapshot.nvmlVersion,
  },
  {
    field: 'DCGM_FI_DEV_NAME',
    id: 50,
    aliases: ['DCGM_FI_DEV_GPU_NAME'],
    help: 'Model of the GPU.',
    isDefault: false,
    get: (gpu) => gpu.modelName,
  },
  {
    field: 'DCGM_FI_DEV_BRAND',
    id: 51,
    aliases: ['DCGM_FI_DEV_GPU_BRAND'],
    help: 'Brand of the GPU.',
    isDefault: false,
    get: (gpu) => gpu.brand,
  },
  {
    field: 'DCGM_FI_DEV_SERIAL',
    id: 53,
    aliases: ['DCGM_FI_DEV_BOARD_SERIAL'],
    help: 'Serial number of the board.',
    isDefault: false,
    get: (gpu) => gpu.serial,
  },
  {
    field: 'DCGM_FI_DEV_UUID',
    id: 54,
    aliases: ['DCGM_FI_DEV_GPU_UUID'],
    help: 'UUID of the GPU.',
    isDefault: false,
    get: (gpu) => gpu.uuid,
  },
  {
    field: 'DCGM_FI_DEV_OEM_INFOROM_VER',
    id: 56,
    aliases: ['DCGM_FI_DEV_INFOROM_OEM_VERSION'],
    help: 'Version of the OEM part of the inforom.',
    isDefault: false,
    get: (gpu) => gpu.oemInforomVersion,
  },
  {
    field: 'DCGM_FI_DEV_PCI_BUSID',
    id: 57,
    aliases: ['DCGM_FI_DEV_PCI_BUS_ID'],
    help: 'Address on the PCI bus.',
    isDefault: false,
    get: (gpu) => gpu.pciBusId,
  },
  {
    field: 'DCGM_FI_DEV_ECC_INFOROM_VER',
    id: 80,
    aliases: ['DCGM_FI_DEV_INFOROM_ECC_VERSION'],
    help: 'Version of the ECC part of the inforom.',
    isDefault: false,
    get: (gpu) => gpu.eccInforomVersion,
  },
  {
    field: 'DCGM_FI_DEV_POWER_INFOROM_VER',
    id: 81,
    aliases: ['DCGM_FI_DEV_INFOROM_POWER_VERSION'],
    help: 'Version of the power part of the inforom.',
    isDefault: false,
    get: (gpu) => gpu.powerInforomVersion,
  },
  {
    field: 'DCGM_FI_DEV_INFOROM_IMAGE_VER',
    id: 82,
    aliases: ['DCGM_FI_DEV_INFOROM_IMAGE_VERSION'],
    help: 'Version of the inforom as a whole.',
    isDefault: false,
    get: (gpu) => gpu.inforomImageVersion,
  },
  {
    field: 'DCGM_FI_DEV_VBIOS_VERSION',
    id: 85,
    aliases: [],
    help: 'Version of the VBIOS.',
    isDefault: false,
    get: (gpu) => gpu.vbiosVersion,
  },
];
