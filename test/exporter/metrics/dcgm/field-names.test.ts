import { describe, expect, it } from 'vitest';
import { labelFields } from '../../../../exporter/metrics/catalog/label-fields.ts';
import { metrics } from '../../../../exporter/metrics/catalog.ts';
import { dcgmField, dcgmFieldNames, isProfilingField } from '../../../../exporter/metrics/dcgm/field-names.ts';

const catalogFields = [...metrics.flatMap(({ dcgm }) => dcgm ?? []), ...labelFields];

describe('dcgmField', () => {
  it.each([
    { what: 'the usual name', name: 'DCGM_FI_DEV_GPU_TEMP', id: 150 },
    { what: 'the name of 4.6', name: 'DCGM_FI_DEV_GPU_TEMP_CELSIUS', id: 150 },
    { what: 'the name of 1.x', name: 'dcgm_gpu_temp', id: 150 },
    { what: 'a profiling field', name: 'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE', id: 1004 },
    { what: 'an NVSwitch field', name: 'DCGM_FI_DEV_NVSWITCH_FATAL_ERRORS', id: 856 },
    { what: 'a CPU field', name: 'DCGM_FI_DEV_CPU_TEMP_CURRENT', id: 1110 },
    { what: 'a field of 4.6.1', name: 'DCGM_FI_DEV_BAR1_CAPACITY_BYTES', id: 1600 },
  ])('knows $what, $name', ({ name, id }) => {
    expect(dcgmField(name)?.id).toBe(id);
  });

  it('gives all names of a field, the current one first', () => {
    expect(dcgmField('dcgm_gpu_temp')).toEqual({
      id: 150,
      names: ['DCGM_FI_DEV_GPU_TEMP_CELSIUS', 'DCGM_FI_DEV_GPU_TEMP', 'dcgm_gpu_temp'],
    });
  });

  it('knows retired names, which have no number', () => {
    expect(dcgmField('DCGM_FI_DEV_GPU_UTIL_SAMPLES')).toEqual({
      id: undefined,
      names: ['DCGM_FI_DEV_GPU_UTIL_SAMPLES'],
    });
  });

  it('knows neither misspelt names nor marks of the header that are no fields', () => {
    const none = [
      'DCGM_FI_DEV_GPU_TMP',
      'dcgm_fi_dev_gpu_temp',
      'DCGM_FI_MAX_FIELDS',
      'DCGM_FI_LAST_NVSWITCH_FIELD_ID',
    ];
    expect(none.map(dcgmField)).toEqual(Array(4).fill(undefined));
  });

  it('has each name once', () => {
    expect(dcgmFieldNames).toHaveLength(1213);
    expect(new Set(dcgmFieldNames).size).toBe(dcgmFieldNames.length);
    expect(dcgmFieldNames.filter((name) => !/^(DCGM_FI_[A-Z0-9_]+|dcgm_[a-z0-9_]+)$/.test(name))).toEqual([]);
  });

  it.each(catalogFields)('agrees with the catalog on $field', ({ field, id, aliases }) => {
    expect([field, ...aliases].map((name) => dcgmField(name)?.id)).toEqual(Array(1 + aliases.length).fill(id));
  });
});

describe('isProfilingField', () => {
  it.each([
    ['DCGM_FI_PROF_GR_ENGINE_ACTIVE', true],
    ['dcgm_fi_prof_dram_active', true],
    ['DCGM_FI_DEV_GPU_TEMP', false],
    ['DCGM_FI_DEV_CPU_UTIL_TOTAL', false],
    ['DCGM_FI_DEV_GPU_UTIL_SAMPLES', false],
  ])('says of %s %s', (name, expected) => {
    expect(isProfilingField(dcgmField(name) ?? { id: -1, names: [] })).toBe(expected);
  });
});
