import { describe, expect, it } from 'vitest';
import { checkQuery } from '../../../engine/core/queries.ts';
import { policy, TEMPERATURE } from './fixtures.ts';

describe('checkQuery', () => {
  it.each([
    ['max', 'max by (UUID) (DCGM_FI_DEV_GPU_TEMP)'],
    ['min', 'min by (UUID) (DCGM_FI_DEV_GPU_TEMP)'],
    ['equals', 'max by (UUID) (DCGM_FI_DEV_GPU_TEMP) != 1 or min by (UUID) (DCGM_FI_DEV_GPU_TEMP)'],
  ] as const)('asks for the worst of several series: %s', (kind, query) => {
    expect(checkQuery(policy(), { ...TEMPERATURE, bound: { kind, value: 1 } })).toBe(query);
  });
});
