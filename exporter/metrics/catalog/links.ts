/** PCIe and NVLink. */

import type { Metric } from '../metric.ts';
import {
  bytesPerSecond,
  code,
  kibibytes,
  kilobytesPerSecond,
  megabytesPerSecond,
  metric,
  total,
  total32,
} from './kind.ts';

const pcieMetrics: readonly Metric[] = [
  metric(total32, {
    source: 'nvmlDeviceGetPcieReplayCounter',
    get: (gpu) => gpu.pcieReplays,
    dcgm: {
      field: 'DCGM_FI_DEV_PCIE_REPLAY_COUNTER',
      id: 202,
      aliases: ['DCGM_FI_DEV_PCIE_REPLAY_TOTAL', 'dcgm_pcie_replay_counter'],
      help: 'Total number of PCIe retries.',
      isDefault: true,
    },
    native: { name: 'gpu_pcie_replays_total', help: 'PCIe packets that had to be sent again.' },
  }),
  metric(code, {
    source: 'nvmlDeviceGetCurrPcieLinkGeneration',
    get: (gpu) => gpu.pcieLinkGeneration,
    dcgm: { field: 'DCGM_FI_DEV_PCIE_LINK_GEN', id: 237, help: 'PCIe generation the link runs at.' },
    native: { name: 'gpu_pcie_link_generation', help: 'PCIe generation the link runs at; lower while the GPU idles.' },
  }),
  metric(code, {
    source: 'nvmlDeviceGetCurrPcieLinkWidth',
    get: (gpu) => gpu.pcieLinkWidth,
    dcgm: { field: 'DCGM_FI_DEV_PCIE_LINK_WIDTH', id: 238, help: 'PCIe lanes in use.' },
    native: { name: 'gpu_pcie_link_width', help: 'PCIe lanes in use.' },
  }),
  metric(code, {
    source: 'nvmlDeviceGetMaxPcieLinkGeneration',
    get: (gpu) => gpu.maxPcieLinkGeneration,
    dcgm: {
      field: 'DCGM_FI_DEV_PCIE_MAX_LINK_GEN',
      id: 235,
      help: 'Highest PCIe generation that card and system share.',
    },
    native: { name: 'gpu_pcie_link_max_generation', help: 'Highest PCIe generation that card and system share.' },
  }),
  metric(code, {
    source: 'nvmlDeviceGetMaxPcieLinkWidth',
    get: (gpu) => gpu.maxPcieLinkWidth,
    dcgm: { field: 'DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH', id: 236, help: 'Most PCIe lanes that card and system share.' },
    native: { name: 'gpu_pcie_link_max_width', help: 'Most PCIe lanes that card and system share.' },
  }),
  metric(bytesPerSecond, {
    source: 'NVML_GPM_METRIC_PCIE_TX_PER_SEC (20)',
    get: (gpu) => gpu.pcieTransmitBytesPerSecond,
    dcgm: {
      field: 'DCGM_FI_PROF_PCIE_TX_BYTES',
      id: 1009,
      aliases: ['dcgm_fi_prof_pcie_tx_bytes'],
      help: 'The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads - in bytes per second.',
      isDefault: true,
    },
    native: { name: 'gpu_pcie_transmit_bytes_per_second', help: 'Data sent over PCIe, headers included.' },
  }),
  metric(bytesPerSecond, {
    source: 'NVML_GPM_METRIC_PCIE_RX_PER_SEC (21)',
    get: (gpu) => gpu.pcieReceiveBytesPerSecond,
    dcgm: {
      field: 'DCGM_FI_PROF_PCIE_RX_BYTES',
      id: 1010,
      aliases: ['dcgm_fi_prof_pcie_rx_bytes'],
      help: 'The rate of data received over the PCIe bus - including both protocol headers and data payloads - in bytes per second.',
      isDefault: true,
    },
    native: { name: 'gpu_pcie_receive_bytes_per_second', help: 'Data received over PCIe, headers included.' },
  }),
  // Counters files of dcgm-exporter before 3.0 name these two; DCGM itself no longer fills them.
  metric(kilobytesPerSecond, {
    source: 'NVML_GPM_METRIC_PCIE_TX_PER_SEC (20)',
    get: (gpu) => kilobytes(gpu.pcieTransmitBytesPerSecond),
    dcgm: {
      field: 'DCGM_FI_DEV_PCIE_TX_THROUGHPUT',
      id: 200,
      aliases: ['dcgm_pcie_tx_throughput'],
      help: 'Data sent over PCIe (in KB/s).',
    },
  }),
  metric(kilobytesPerSecond, {
    source: 'NVML_GPM_METRIC_PCIE_RX_PER_SEC (21)',
    get: (gpu) => kilobytes(gpu.pcieReceiveBytesPerSecond),
    dcgm: {
      field: 'DCGM_FI_DEV_PCIE_RX_THROUGHPUT',
      id: 201,
      aliases: ['dcgm_pcie_rx_throughput'],
      help: 'Data received over PCIe (in KB/s).',
    },
  }),
];

const nvlinkMetrics: readonly Metric[] = [
  metric(megabytesPerSecond, {
    source: 'NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX and _RX (138, 139): change per second',
    get: (gpu) => gpu.nvlinkMegabytesPerSecond,
    dcgm: {
      field: 'DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL',
      id: 449,
      aliases: ['DCGM_FI_DEV_NVLINK_THROUGHPUT_TOTAL', 'dcgm_nvlink_bandwidth_total'],
      // A rate in spite of its name and help; dcgm-exporter typed it counter until 4.8.3.
      help: 'Total number of NVLink bandwidth counters for all lanes.',
      isDefault: true,
    },
  }),
  metric(kibibytes, {
    source: 'NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX (138)',
    get: (gpu) => gpu.nvlinkTransmitKib,
    native: {
      name: 'gpu_nvlink_transmit_bytes_total',
      help: 'Data sent over all NVLinks since the driver was loaded.',
    },
  }),
  metric(kibibytes, {
    source: 'NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX (139)',
    get: (gpu) => gpu.nvlinkReceiveKib,
    native: {
      name: 'gpu_nvlink_receive_bytes_total',
      help: 'Data received over all NVLinks since the driver was loaded.',
    },
  }),
  metric(bytesPerSecond, {
    source: 'NVML_GPM_METRIC_NVLINK_TOTAL_TX_PER_SEC (61)',
    get: (gpu) => gpu.nvlinkTransmitBytesPerSecond,
    dcgm: {
      field: 'DCGM_FI_PROF_NVLINK_TX_BYTES',
      id: 1011,
      help: 'Data sent over all NVLinks, headers included (in bytes per second).',
    },
    native: {
      name: 'gpu_nvlink_transmit_bytes_per_second',
      help: 'Data sent over all NVLinks, headers included; Hopper and later.',
    },
  }),
  metric(bytesPerSecond, {
    source: 'NVML_GPM_METRIC_NVLINK_TOTAL_RX_PER_SEC (60)',
    get: (gpu) => gpu.nvlinkReceiveBytesPerSecond,
    dcgm: {
      field: 'DCGM_FI_PROF_NVLINK_RX_BYTES',
      id: 1012,
      help: 'Data received over all NVLinks, headers included (in bytes per second).',
    },
    native: {
      name: 'gpu_nvlink_receive_bytes_per_second',
      help: 'Data received over all NVLinks, headers included; Hopper and later.',
    },
  }),
  metric(total, {
    source: 'NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL (38)',
    get: (gpu) => gpu.nvlinkCrcFlitErrors,
    dcgm: {
      field: 'DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL',
      id: 409,
      aliases: ['DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_TOTAL', 'dcgm_nvlink_flit_crc_error_count_total'],
      help: 'Total number of NVLink flow-control CRC errors.',
    },
    native: { name: 'gpu_nvlink_crc_flit_errors_total', help: 'Flow-control CRC errors over all NVLinks.' },
  }),
  metric(total, {
    source: 'NVML_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL (45)',
    get: (gpu) => gpu.nvlinkCrcDataErrors,
    dcgm: {
      field: 'DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL',
      id: 419,
      aliases: ['DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_TOTAL', 'dcgm_nvlink_data_crc_error_count_total'],
      help: 'Total number of NVLink data CRC errors.',
    },
    native: { name: 'gpu_nvlink_crc_data_errors_total', help: 'Data CRC errors over all NVLinks.' },
  }),
  metric(total, {
    source: 'NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL (52)',
    get: (gpu) => gpu.nvlinkReplayErrors,
    dcgm: {
      field: 'DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL',
      id: 429,
      aliases: ['DCGM_FI_DEV_NVLINK_REPLAY_ERROR_TOTAL', 'dcgm_nvlink_replay_error_count_total'],
      help: 'Total number of NVLink retries.',
    },
    native: { name: 'gpu_nvlink_replay_errors_total', help: 'Retries over all NVLinks.' },
  }),
  metric(total, {
    source: 'NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL (59)',
    get: (gpu) => gpu.nvlinkRecoveryErrors,
    dcgm: {
      field: 'DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL',
      id: 439,
      aliases: ['DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_TOTAL', 'dcgm_nvlink_recovery_error_count_total'],
      help: 'Total number of NVLink recovery errors.',
    },
    native: { name: 'gpu_nvlink_recovery_errors_total', help: 'Recoveries over all NVLinks.' },
  }),
];

export const linkMetrics: readonly Metric[] = [...pcieMetrics, ...nvlinkMetrics];

function kilobytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1000;
}
