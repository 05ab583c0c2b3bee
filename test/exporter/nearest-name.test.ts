import { describe, expect, it } from 'vitest';
import { nearestNames } from '../../exporter/nearest-name.ts';

const known = ['DCGM_FI_DEV_GPU_TEMP', 'DCGM_FI_DEV_GPU_UTIL', 'DCGM_FI_DEV_ENC_UTIL', 'dcgm_gpu_temp', 'gauge'];

describe('nearestNames', () => {
  it.each([
    { what: 'a missing letter', name: 'DCGM_FI_DEV_GPU_TMP', near: ['DCGM_FI_DEV_GPU_TEMP'] },
    { what: 'swapped letters', name: 'guage', near: ['gauge'] },
    { what: 'another case', name: 'dcgm_fi_dev_enc_util', near: ['DCGM_FI_DEV_ENC_UTIL'] },
    { what: 'a missing beginning', name: 'GPU_TEMP', near: ['DCGM_FI_DEV_GPU_TEMP', 'dcgm_gpu_temp'] },
    {
      what: 'names equally near',
      name: 'DCGM_FI_DEV_XNU_UTIL',
      near: ['DCGM_FI_DEV_GPU_UTIL', 'DCGM_FI_DEV_ENC_UTIL'],
    },
    { what: 'nothing near', name: 'temperature', near: [] },
    { what: 'a short name that could be anything', name: 'ga', near: [] },
    { what: 'the empty name', name: '', near: [] },
  ])('finds for $what $near', ({ name, near }) => {
    expect(nearestNames(name, known)).toEqual(near);
  });

  it('gives the closest first, and no more than asked for', () => {
    expect(nearestNames('abcdef', ['abcdeX', 'abcdef', 'abcdeY'], 2)).toEqual(['abcdef', 'abcdeX']);
  });

  it('is quick with a name of a million letters', () => {
    expect(nearestNames('x'.repeat(1_000_000), known)).toEqual([]);
  });
});
