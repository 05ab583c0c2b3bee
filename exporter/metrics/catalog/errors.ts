/** XIDs, ECC errors, and the memory that was put out of use because of them. */

import type { Metric } from '../metric.ts';
import { xidText } from '../xid.ts';
import { code, flag, metric, total, total32 } from './kind.ts';

const remappedRows = {
  name: 'gpu_remapped_rows_total',
  help: 'Rows of memory replaced by spare ones, by the kind of error that was the cause.',
};

const retiredPages = {
  name: 'gpu_retired_pages_total',
  help: 'Pages of memory put out of use, by the kind of error that was the cause.',
};

export const errorMetrics: readonly Metric[] = [
  // The native profile counts XIDs by code instead: a gauge of the last one hides the second of two that are alike.
  metric(
    { ...code, max: 999 },
    {
      source: 'nvmlEventSetWait_v2, XID events',
      get: (gpu) => gpu.lastXid,
      dcgm: {
        field: 'DCGM_FI_DEV_XID_ERRORS',
        id: 230,
        aliases: ['DCGM_FI_DEV_XID_ERROR', 'dcgm_xid_errors'],
        help: 'Value of the last XID error encountered.',
        isDefault: true,
        labels: (xid) => ({ err_code: String(xid), err_msg: xidText(xid) }),
      },
    },
  ),
  metric(total, {
    source: 'NVML_FI_DEV_ECC_SBE_VOL_TOTAL (3)',
    get: (gpu) => gpu.eccSbeVolatile,
    dcgm: {
      field: 'DCGM_FI_DEV_ECC_SBE_VOL_TOTAL',
      id: 310,
      aliases: ['dcgm_ecc_sbe_volatile_total'],
      help: 'Correctable (single-bit) ECC errors since the driver was loaded.',
      isDefault: true,
    },
    native: {
      name: 'gpu_ecc_errors_correctable_total',
      help: 'Correctable (single-bit) ECC errors since the driver was loaded.',
    },
  }),
  metric(total, {
    source: 'NVML_FI_DEV_ECC_DBE_VOL_TOTAL (4)',
    get: (gpu) => gpu.eccDbeVolatile,
    dcgm: {
      field: 'DCGM_FI_DEV_ECC_DBE_VOL_TOTAL',
      id: 311,
      aliases: ['dcgm_ecc_dbe_volatile_total'],
      help: 'Uncorrectable (double-bit) ECC errors since the driver was loaded.',
      isDefault: true,
    },
    native: {
      name: 'gpu_ecc_errors_uncorrectable_total',
      help: 'Uncorrectable (double-bit) ECC errors since the driver was loaded.',
    },
  }),
  metric(total, {
    source: 'NVML_FI_DEV_ECC_SBE_AGG_TOTAL (5)',
    get: (gpu) => gpu.eccSbeAggregate,
    dcgm: {
      field: 'DCGM_FI_DEV_ECC_SBE_AGG_TOTAL',
      id: 312,
      aliases: ['dcgm_ecc_sbe_aggregate_total'],
      help: 'Correctable (single-bit) ECC errors over the life of the card.',
      isDefault: true,
    },
    native: {
      name: 'gpu_ecc_lifetime_errors_correctable_total',
      help: 'Correctable (single-bit) ECC errors over the life of the card.',
    },
  }),
  metric(total, {
    source: 'NVML_FI_DEV_ECC_DBE_AGG_TOTAL (6)',
    get: (gpu) => gpu.eccDbeAggregate,
    dcgm: {
      field: 'DCGM_FI_DEV_ECC_DBE_AGG_TOTAL',
      id: 313,
      aliases: ['dcgm_ecc_dbe_aggregate_total'],
      help: 'Uncorrectable (double-bit) ECC errors over the life of the card.',
      isDefault: true,
    },
    native: {
      name: 'gpu_ecc_lifetime_errors_uncorrectable_total',
      help: 'Uncorrectable (double-bit) ECC errors over the life of the card.',
    },
  }),
  metric(total32, {
    source: 'nvmlDeviceGetRemappedRows; Ampere and later',
    get: (gpu) => gpu.uncorrectableRemappedRows,
    dcgm: {
      field: 'DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS',
      id: 393,
      aliases: ['DCGM_FI_DEV_ROW_REMAP_UNCORRECTABLE_TOTAL'],
      help: 'Number of remapped rows for uncorrectable errors',
      isDefault: true,
    },
    native: { ...remappedRows, labels: { cause: 'uncorrectable' } },
  }),
  metric(total32, {
    source: 'nvmlDeviceGetRemappedRows; Ampere and later',
    get: (gpu) => gpu.correctableRemappedRows,
    dcgm: {
      field: 'DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS',
      id: 394,
      aliases: ['DCGM_FI_DEV_ROW_REMAP_CORRECTABLE_TOTAL'],
      help: 'Number of remapped rows for correctable errors',
      isDefault: true,
    },
    native: { ...remappedRows, labels: { cause: 'correctable' } },
  }),
  metric(flag, {
    source: 'nvmlDeviceGetRemappedRows; Ampere and later',
    get: (gpu) => gpu.rowRemapFailure,
    dcgm: {
      field: 'DCGM_FI_DEV_ROW_REMAP_FAILURE',
      id: 395,
      aliases: ['DCGM_FI_DEV_ROW_REMAP_FAILED'],
      help: 'Whether remapping of rows has failed',
      isDefault: true,
    },
    native: { name: 'gpu_row_remap_failed', help: 'Whether remapping a row has failed: 1 means replace the card.' },
  }),
  metric(flag, {
    source: 'nvmlDeviceGetRemappedRows; Ampere and later',
    get: (gpu) => gpu.rowRemapPending,
    dcgm: { field: 'DCGM_FI_DEV_ROW_REMAP_PENDING', id: 396, help: 'Whether a remapping waits for a reset.' },
    native: { name: 'gpu_row_remap_pending', help: 'Whether a remapping waits for a reset of the GPU.' },
  }),
  metric(total32, {
    source: 'NVML_FI_DEV_RETIRED_SBE (29); before Ampere',
    get: (gpu) => gpu.retiredPagesSbe,
    dcgm: {
      field: 'DCGM_FI_DEV_RETIRED_SBE',
      id: 390,
      aliases: ['DCGM_FI_DEV_PAGE_RETIRED_SBE_TOTAL', 'dcgm_retired_pages_sbe'],
      help: 'Total number of retired pages due to single-bit errors.',
    },
    native: { ...retiredPages, labels: { cause: 'single_bit' } },
  }),
  metric(total32, {
    source: 'NVML_FI_DEV_RETIRED_DBE (30); before Ampere',
    get: (gpu) => gpu.retiredPagesDbe,
    dcgm: {
      field: 'DCGM_FI_DEV_RETIRED_DBE',
      id: 391,
      aliases: ['DCGM_FI_DEV_PAGE_RETIRED_DBE_TOTAL', 'dcgm_retired_pages_dbe'],
      help: 'Total number of retired pages due to double-bit errors.',
    },
    native: { ...retiredPages, labels: { cause: 'double_bit' } },
  }),
  metric(flag, {
    source: 'NVML_FI_DEV_RETIRED_PENDING (31); before Ampere',
    get: (gpu) => gpu.retiredPagesPending,
    dcgm: {
      field: 'DCGM_FI_DEV_RETIRED_PENDING',
      id: 392,
      aliases: ['DCGM_FI_DEV_PAGE_RETIRED_PENDING', 'dcgm_retired_pages_pending'],
      // dcgm-exporter types it counter, though it is 0 or 1.
      type: 'counter',
      help: 'Total number of pages pending retirement.',
    },
    native: { name: 'gpu_page_retirement_pending', help: 'Whether a retirement of pages waits for a reboot.' },
  }),
];
