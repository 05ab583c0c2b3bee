import { describe, expect, it } from 'vitest';
import { describeGpuSource, gpuSource } from '../../../engine/stack/gpu-source.ts';

describe('describeGpuSource', () => {
  it.each([
    [{ source: 'mock', gpus: 8, last_error: null }, '8 simulated GPUs'],
    [{ source: 'nvml', gpus: 1, last_error: null }, '1 GPU (nvml)'],
    [
      { source: 'nvml', gpus: 0, last_error: 'the driver is not loaded' },
      'no GPU yet (nvml): the driver is not loaded',
    ],
    [{ source: 'replay', gpus: 0, last_error: null }, 'no GPU yet (replay)'],
  ])('%j: %s', (health, words) => {
    expect(describeGpuSource(health)).toBe(words);
  });
});

describe('gpuSource', () => {
  it('says nothing where nobody answers', async () => {
    expect(await gpuSource('http://127.0.0.1:1')).toBeUndefined();
  });
});
