/**
 * What the exporter publishes about a GPU. One row is one metric: adding a metric is adding a row.
 * Names, types, help texts and units are those of dcgm-exporter's default counters: a wire format others depend on.
 */

import type { GpuSample } from '../snapshot.ts';
import { xidText } from './xid.ts';

export interface GpuMetric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** Unit of the value; empty for counts, codes and flags. */
  readonly unit: string;
  readonly help: string;
  /** The largest value a working sensor can give. Drivers write sentinels such as 4294967295 for "blank"; those are missing. */
  readonly max: number;
  /** The value of one GPU, undefined where the card cannot say. */
  readonly get: (sample: GpuSample) => number | undefined;
  /** Labels of this metric alone, after the labels every series of a GPU has. */
  readonly labels?: (value: number) => Readonly<Record<string, string>>;
}

const maxCelsius = 200;
const maxMhz = 10_000;
const maxCount = Number.MAX_SAFE_INTEGER;
// 16 TiB: above any framebuffer, below the 64-bit sentinels.
const maxMib = 2 ** 24;
const maxBytesPerSecond = 1e13;

type Row = Omit<GpuMetric, 'name' | 'help'>;

const celsius = (get: Row['get']): Row => ({ type: 'gauge', unit: 'Cel', max: maxCelsius, get });
const megahertz = (get: Row['get']): Row => ({ type: 'gauge', unit: 'MHz', max: maxMhz, get });
const percent = (get: Row['get']): Row => ({ type: 'gauge', unit: '%', max: 100, get });
const ratio = (get: Row['get']): Row => ({ type: 'gauge', unit: 'ratio', max: 1, get });
const mebibytes = (get: Row['get']): Row => ({ type: 'gauge', unit: 'MiB', max: maxMib, get });
const bytesPerSecond = (get: Row['get']): Row => ({ type: 'gauge', unit: 'B/s', max: maxBytesPerSecond, get });
const total = (get: Row['get']): Row => ({ type: 'counter', unit: '', max: maxCount, get });

export const gpuMetrics: readonly GpuMetric[] = [
  {
    name: 'DCGM_FI_DEV_SM_CLOCK',
    help: 'SM clock frequency (in MHz).',
    ...megahertz((sample) => sample.smClockMhz),
  },
  {
    name: 'DCGM_FI_DEV_MEM_CLOCK',
    help: 'Memory clock frequency (in MHz).',
    ...megahertz((sample) => sample.memoryClockMhz),
  },
  {
    name: 'DCGM_FI_DEV_MEMORY_TEMP',
    help: 'Memory temperature (in C).',
    ...celsius((sample) => sample.memoryTemperatureCelsius),
  },
  {
    name: 'DCGM_FI_DEV_GPU_TEMP',
    help: 'GPU temperature (in C).',
    ...celsius((sample) => sample.gpuTemperatureCelsius),
  },
  {
    name: 'DCGM_FI_DEV_POWER_USAGE',
    help: 'Power draw (in W).',
    type: 'gauge',
    unit: 'W',
    max: 10_000,
    get: (sample) => sample.powerWatts,
  },
  {
    name: 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION',
    help: 'Total energy consumption since boot (in mJ).',
    ...total((sample) => sample.energyMillijoules),
    unit: 'mJ',
  },
  {
    name: 'DCGM_FI_DEV_PCIE_REPLAY_COUNTER',
    help: 'Total number of PCIe retries.',
    ...total((sample) => sample.pcieReplays),
  },
  {
    name: 'DCGM_FI_DEV_GPU_UTIL',
    help: 'GPU utilization (in %).',
    ...percent((sample) => sample.gpuUtilPercent),
  },
  {
    name: 'DCGM_FI_DEV_MEM_COPY_UTIL',
    help: 'Memory utilization (in %).',
    ...percent((sample) => sample.memoryCopyUtilPercent),
  },
  {
    name: 'DCGM_FI_DEV_ENC_UTIL',
    help: 'Encoder utilization (in %).',
    ...percent((sample) => sample.encoderUtilPercent),
  },
  {
    name: 'DCGM_FI_DEV_DEC_UTIL',
    help: 'Decoder utilization (in %).',
    ...percent((sample) => sample.decoderUtilPercent),
  },
  {
    name: 'DCGM_FI_DEV_XID_ERRORS',
    help: 'Value of the last XID error encountered.',
    type: 'gauge',
    unit: '',
    max: 999,
    get: (sample) => sample.lastXid,
    labels: (code) => ({ err_code: String(code), err_msg: xidText(code) }),
  },
  {
    name: 'DCGM_FI_DEV_FB_FREE',
    help: 'Framebuffer memory free (in MiB).',
    ...mebibytes((sample) => sample.framebufferFreeMib),
  },
  {
    name: 'DCGM_FI_DEV_FB_USED',
    help: 'Framebuffer memory used (in MiB).',
    ...mebibytes((sample) => sample.framebufferUsedMib),
  },
  {
    name: 'DCGM_FI_DEV_FB_RESERVED',
    help: 'Framebuffer memory reserved (in MiB).',
    ...mebibytes((sample) => sample.framebufferReservedMib),
  },
  {
    name: 'DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL',
    help: 'Total number of NVLink bandwidth counters for all lanes.',
    // A rate in spite of its name and help; dcgm-exporter typed it counter until 4.8.3.
    type: 'gauge',
    unit: 'MB/s',
    max: 1e8,
    get: (sample) => sample.nvlinkMegabytesPerSecond,
  },
  {
    name: 'DCGM_FI_DEV_VGPU_LICENSE_STATUS',
    help: 'vGPU License status',
    type: 'gauge',
    unit: '',
    max: 255,
    get: (sample) => sample.vgpuLicenseStatus,
  },
  {
    name: 'DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS',
    help: 'Number of remapped rows for uncorrectable errors',
    ...total((sample) => sample.uncorrectableRemappedRows),
  },
  {
    name: 'DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS',
    help: 'Number of remapped rows for correctable errors',
    ...total((sample) => sample.correctableRemappedRows),
  },
  {
    name: 'DCGM_FI_DEV_ROW_REMAP_FAILURE',
    help: 'Whether remapping of rows has failed',
    type: 'gauge',
    unit: '',
    max: 1,
    get: (sample) => sample.rowRemapFailure,
  },
  {
    name: 'DCGM_FI_PROF_GR_ENGINE_ACTIVE',
    help: 'Ratio of time the graphics engine is active.',
    ...ratio((sample) => sample.graphicsEngineActiveRatio),
  },
  {
    name: 'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE',
    help: 'Ratio of cycles the tensor (HMMA) pipe is active.',
    ...ratio((sample) => sample.tensorActiveRatio),
  },
  {
    name: 'DCGM_FI_PROF_DRAM_ACTIVE',
    help: 'Ratio of cycles the device memory interface is active sending or receiving data.',
    ...ratio((sample) => sample.dramActiveRatio),
  },
  {
    name: 'DCGM_FI_PROF_PCIE_TX_BYTES',
    help: 'The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads - in bytes per second.',
    ...bytesPerSecond((sample) => sample.pcieTransmitBytesPerSecond),
  },
  {
    name: 'DCGM_FI_PROF_PCIE_RX_BYTES',
    help: 'The rate of data received over the PCIe bus - including both protocol headers and data payloads - in bytes per second.',
    ...bytesPerSecond((sample) => sample.pcieReceiveBytesPerSecond),
  },
  {
    name: 'DCGM_FI_DEV_ECC_SBE_VOL_TOTAL',
    help: 'Correctable (single-bit) ECC errors since the driver was loaded.',
    ...total((sample) => sample.eccSbeVolatile),
  },
  {
    name: 'DCGM_FI_DEV_ECC_DBE_VOL_TOTAL',
    help: 'Uncorrectable (double-bit) ECC errors since the driver was loaded.',
    ...total((sample) => sample.eccDbeVolatile),
  },
  {
    name: 'DCGM_FI_DEV_ECC_SBE_AGG_TOTAL',
    help: 'Correctable (single-bit) ECC errors over the life of the card.',
    ...total((sample) => sample.eccSbeAggregate),
  },
  {
    name: 'DCGM_FI_DEV_ECC_DBE_AGG_TOTAL',
    help: 'Uncorrectable (double-bit) ECC errors over the life of the card.',
    ...total((sample) => sample.eccDbeAggregate),
  },
  {
    name: 'DCGM_FI_DEV_CLOCKS_EVENT_REASONS',
    help: 'Why the clocks are where they are, as a bit mask: 0x1 idle, 0x4 software power cap, 0x8 hardware slowdown, 0x40 hardware thermal slowdown.',
    type: 'gauge',
    unit: '',
    max: 2 ** 32 - 2,
    get: (sample) => sample.clocksEventReasons,
  },
];
