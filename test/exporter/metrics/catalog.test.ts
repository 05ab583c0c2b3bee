import { describe, expect, it } from 'vitest';
import { labelFields } from '../../../exporter/metrics/catalog/label-fields.ts';
import { defaultSelection, metricByDcgmName, metrics } from '../../../exporter/metrics/catalog.ts';
import { counterFamilies } from '../../../exporter/metrics/dcgm/families.ts';
import { dcgmField } from '../../../exporter/metrics/dcgm/field-names.ts';
import { dcgmRows } from '../../../exporter/metrics/dcgm/labels.ts';
import type { Metric } from '../../../exporter/metrics/metric.ts';
import { nativeFamilies } from '../../../exporter/metrics/native/families.ts';
import { initialPresence } from '../../../exporter/presence.ts';
import type { GpuReadings } from '../../../exporter/readings.ts';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import { everyReading } from './hardware/every-reading.ts';

const dcgmMetrics = metrics.flatMap(({ dcgm }) => dcgm ?? []);
const natives = metrics.flatMap(({ native }) => native ?? []);

/** The active rows of dcgm-exporter's default-counters.csv and dcp-metrics-included.csv: both name the same. */
const dcgmExporterDefaults = {
  DCGM_FI_DEV_SM_CLOCK: 'gauge',
  DCGM_FI_DEV_MEM_CLOCK: 'gauge',
  DCGM_FI_DEV_MEMORY_TEMP: 'gauge',
  DCGM_FI_DEV_GPU_TEMP: 'gauge',
  DCGM_FI_DEV_POWER_USAGE: 'gauge',
  DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION: 'counter',
  DCGM_FI_DEV_PCIE_REPLAY_COUNTER: 'counter',
  DCGM_FI_DEV_GPU_UTIL: 'gauge',
  DCGM_FI_DEV_MEM_COPY_UTIL: 'gauge',
  DCGM_FI_DEV_ENC_UTIL: 'gauge',
  DCGM_FI_DEV_DEC_UTIL: 'gauge',
  DCGM_FI_DEV_XID_ERRORS: 'gauge',
  DCGM_FI_DEV_FB_FREE: 'gauge',
  DCGM_FI_DEV_FB_USED: 'gauge',
  DCGM_FI_DEV_FB_RESERVED: 'gauge',
  // A counter before 4.8.3, though it is a rate.
  DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL: 'gauge',
  DCGM_FI_DEV_VGPU_LICENSE_STATUS: 'gauge',
  DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS: 'counter',
  DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS: 'counter',
  DCGM_FI_DEV_ROW_REMAP_FAILURE: 'gauge',
  DCGM_FI_PROF_GR_ENGINE_ACTIVE: 'gauge',
  DCGM_FI_PROF_PIPE_TENSOR_ACTIVE: 'gauge',
  DCGM_FI_PROF_DRAM_ACTIVE: 'gauge',
  DCGM_FI_PROF_PCIE_TX_BYTES: 'gauge',
  DCGM_FI_PROF_PCIE_RX_BYTES: 'gauge',
} as const;

/** What the rules and the policy need beside them. */
const ourDefaults = {
  DCGM_FI_DEV_ECC_SBE_VOL_TOTAL: 'counter',
  DCGM_FI_DEV_ECC_DBE_VOL_TOTAL: 'counter',
  DCGM_FI_DEV_ECC_SBE_AGG_TOTAL: 'counter',
  DCGM_FI_DEV_ECC_DBE_AGG_TOTAL: 'counter',
  DCGM_FI_DEV_CLOCKS_EVENT_REASONS: 'gauge',
} as const;

/** The rows that dcgm-exporter's file has as comments, apart from those only DCGM can supply. */
const commentedRows = [
  'DCGM_FI_DEV_POWER_VIOLATION',
  'DCGM_FI_DEV_THERMAL_VIOLATION',
  'DCGM_FI_DEV_SYNC_BOOST_VIOLATION',
  'DCGM_FI_DEV_BOARD_LIMIT_VIOLATION',
  'DCGM_FI_DEV_LOW_UTIL_VIOLATION',
  'DCGM_FI_DEV_RELIABILITY_VIOLATION',
  'DCGM_FI_DEV_RETIRED_SBE',
  'DCGM_FI_DEV_RETIRED_DBE',
  'DCGM_FI_DEV_RETIRED_PENDING',
  'DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL',
  'DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL',
  'DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL',
  'DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL',
  'DCGM_FI_PROF_SM_ACTIVE',
  'DCGM_FI_PROF_SM_OCCUPANCY',
  'DCGM_FI_PROF_PIPE_FP64_ACTIVE',
  'DCGM_FI_PROF_PIPE_FP32_ACTIVE',
  'DCGM_FI_PROF_PIPE_FP16_ACTIVE',
];

describe('defaultSelection', () => {
  it('publishes the counters of dcgm-exporter’s default file, with its types, and five more', () => {
    const types = Object.fromEntries(defaultSelection.counters.map(({ name, type }) => [name, type]));
    expect(types).toEqual({ ...dcgmExporterDefaults, ...ourDefaults });
  });

  it('puts the version of the driver onto every series, as that file does', () => {
    expect(defaultSelection.labels.map(({ name }) => name)).toEqual(['DCGM_FI_DRIVER_VERSION']);
  });
});

describe('metricByDcgmName', () => {
  it.each([
    ['DCGM_FI_DEV_GPU_TEMP', 150],
    ['DCGM_FI_DEV_GPU_TEMP_CELSIUS', 150],
    ['dcgm_gpu_temp', 150],
    ['DCGM_FI_DEV_BOARD_POWER_WATTS', 155],
    ['DCGM_FI_DEV_CLOCK_THROTTLE_REASONS', 112],
    ['DCGM_FI_DEV_ROW_REMAP_UNCORRECTABLE_TOTAL', 393],
    ['dcgm_board_limit_violation', 243],
    ['dcgm_nvlink_flit_crc_error_count_total', 409],
    ['dcgm_retired_pages_pending', 392],
    ['dcgm_fi_prof_pipe_tensor_active', 1004],
    ['DCGM_FI_PROF_TENSOR_UTIL_RATIO', 1004],
    ['DCGM_FI_DEV_GPU_RECOVERY_ACTION', 1523],
  ])('finds %s', (name, id) => {
    expect(metricByDcgmName(name)?.dcgm?.id).toBe(id);
  });

  it('finds each row by each of its names, whatever that is', () => {
    const missing = metrics.filter(({ dcgm }) => dcgm !== undefined).filter((metric) => !isFoundByEveryName(metric));
    expect(missing).toEqual([]);
  });

  it('finds every row that dcgm-exporter offers as a comment', () => {
    expect(commentedRows.filter((name) => metricByDcgmName(name) === undefined)).toEqual([]);
  });

  it('knows no other name', () => {
    expect(metricByDcgmName('DCGM_FI_DEV_GPU_TEMPERATURE')).toBeUndefined();
  });
});

describe('the rows of the catalog', () => {
  it('have the numbers and all the names that DCGM has for the field', () => {
    const fields = [...dcgmMetrics, ...labelFields];
    const ours = fields.map(({ field, id, aliases }) => ({ id, names: [field, ...aliases].toSorted() }));
    const theirs = fields.map(({ field }) => ({ id: dcgmField(field)?.id, names: dcgmField(field)?.names.toSorted() }));
    expect(ours).toEqual(theirs);
  });

  it('have a name each, and no two the same one', () => {
    expect(metrics.filter(({ dcgm, native }) => dcgm === undefined && native === undefined)).toEqual([]);
    const names = dcgmMetrics.flatMap(({ field, aliases }) => [field, ...aliases]);
    expect(names.filter((name, nth) => names.indexOf(name) !== nth)).toEqual([]);
  });

  it('share a native name only where their labels differ and all else is the same', () => {
    for (const [, rows] of Map.groupBy(natives, ({ name }) => name)) {
      expect(new Set(rows.map(({ labels }) => JSON.stringify(labels))).size).toBe(rows.length);
      expect(new Set(rows.map(({ type, unit, help }) => JSON.stringify({ type, unit, help }))).size).toBe(1);
    }
  });

  it('end their native names in the base unit, and in _total if they count', () => {
    const wrong = natives.filter(({ name, type, unit }) => {
      const ending = `${unit === '' ? '' : `_${unit}`}${type === 'counter' ? '_total' : ''}`;
      return !name.startsWith('gpu_') || !name.endsWith(ending) || (type === 'gauge' && name.endsWith('_total'));
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('say in one line what they are and where they are from', () => {
    const texts = metrics.flatMap(({ dcgm, native, source }) => [dcgm?.help ?? 'x', native?.help ?? 'x', source]);
    expect(texts.filter((text) => text === '' || text.includes('\n'))).toEqual([]);
  });
});

describe('a reading', () => {
  it.each(Object.keys(everyReading) as (keyof GpuReadings)[])('%s is published in some profile', (key) => {
    const snapshot: Snapshot = {
      takenAtMs: 0,
      driverVersion: undefined,
      gpus: [{ index: 0, uuid: 'GPU-0', pciBusId: '00000000:07:00.0', modelName: 'A', [key]: everyReading[key] }],
      health: { failures: [] },
    };
    expect(seriesCount(snapshot)).toBeGreaterThan(0);
  });
});

function isFoundByEveryName(metric: Metric): boolean {
  const names = metric.dcgm === undefined ? [] : [metric.dcgm.field, ...metric.dcgm.aliases];
  return names.every((name) => metricByDcgmName(name) === metric);
}

// gpu_info, gpu_expected and gpu_present are there whatever a GPU says.
function seriesCount(snapshot: Snapshot): number {
  const everything = metrics.flatMap((metric) =>
    metric.dcgm === undefined ? [] : [{ name: metric.dcgm.field, type: metric.dcgm.type, help: '', metric }],
  );
  const rows = dcgmRows(snapshot, [], {
    hostname: '',
    hostnameLabel: 'none',
    useOldNamespace: false,
    replaceBlanksInModelName: false,
  });
  const families = [
    ...counterFamilies(everything, rows),
    ...nativeFamilies({ snapshot, presence: initialPresence, hostname: '' }),
  ].filter(({ name }) => !['gpu_info', 'gpu_expected', 'gpu_present'].includes(name));
  return families.flatMap(({ series }) => series).length;
}
