import { describe, expect, it } from 'vitest';
import { findingOf, type GpuReading, judgeGpus } from '../../../exporter/agent/gpu-truth.ts';
import type { ReadFailure, Snapshot } from '../../../exporter/snapshot.ts';

const gpu = (index: number) => ({
  index,
  uuid: `GPU-${index}`,
  pciBusId: `00000000:0${index}:00.0`,
  modelName: 'NVIDIA A100-SXM4-80GB',
});

const snapshotOf = (gpus: number, failures: readonly ReadFailure[] = []): Snapshot => ({
  takenAtMs: 1000,
  driverVersion: '570.86.15',
  gpus: Array.from({ length: gpus }, (_, index) => gpu(index)),
  health: { failures },
});

const lost = (index: number): ReadFailure => ({
  uuid: `GPU-${index}`,
  reason: 'gpu_is_lost',
  message: `GPU ${index} is lost`,
});

const reading: GpuReading = {
  snapshot: snapshotOf(4),
  failure: undefined,
  atMs: 2000,
  maxAgeMs: 10_000,
  expectedGpus: undefined,
};

const healthy = { available: true, gpus: 4, expected: undefined, reason: undefined };

describe('judgeGpus', () => {
  it.each<[string, Partial<GpuReading>, ReturnType<typeof judgeGpus>]>([
    ['knows nothing before the first reading', { snapshot: undefined }, undefined],
    ['finds every GPU there', {}, healthy],
    ['counts against a given number', { expectedGpus: 4 }, { ...healthy, expected: 4 }],
    [
      'misses GPUs that were expected',
      { expectedGpus: 8 },
      { available: false, gpus: 4, expected: 8, reason: '4 of 8 GPUs answer' },
    ],
    [
      'finds a machine without GPUs not available',
      { snapshot: snapshotOf(0) },
      { available: false, gpus: 0, expected: undefined, reason: 'no GPU answers, 1 expected' },
    ],
    [
      'says what is wrong with a GPU that is no longer listed',
      { snapshot: snapshotOf(3, [lost(3)]) },
      { available: false, gpus: 3, expected: undefined, reason: 'GPU 3 is lost' },
    ],
    [
      'does not count a GPU that is listed but fails',
      { snapshot: snapshotOf(4, [lost(1), lost(3)]) },
      { available: false, gpus: 2, expected: undefined, reason: 'GPU 1 is lost (and 1 more)' },
    ],
    [
      'does not believe an old reading',
      { atMs: 11_001 },
      { available: false, gpus: 0, expected: undefined, reason: 'the last reading is more than 10 s old' },
    ],
    ['believes one that is just fresh enough', { atMs: 11_000 }, healthy],
    [
      'does not believe a reading that was followed by a failure',
      { failure: { message: 'the driver is wedged' } },
      { available: false, gpus: 0, expected: undefined, reason: 'the GPUs cannot be read: the driver is wedged' },
    ],
    [
      'nor a source that never answered',
      { snapshot: undefined, failure: { message: 'no driver' }, expectedGpus: 2 },
      { available: false, gpus: 0, expected: 2, reason: 'the GPUs cannot be read: no driver' },
    ],
  ])('%s', (_, given, expected) => {
    expect(judgeGpus({ ...reading, ...given })).toEqual(expected);
  });
});

describe('findingOf', () => {
  it('expects the most GPUs that were ever seen', () => {
    const truth = { available: true, gpus: 7, expected: undefined, reason: undefined };
    expect(findingOf(truth, 7)).toEqual({ available: true, gpus: 7, expected: 7, reason: undefined });
    expect(findingOf(truth, 8)).toEqual({ available: false, gpus: 7, expected: 8, reason: '7 of 8 GPUs answer' });
  });

  it('believes a given number instead', () => {
    const truth = { available: true, gpus: 7, expected: 7, reason: undefined };
    expect(findingOf(truth, 8)).toEqual({ available: true, gpus: 7, expected: 7, reason: undefined });
  });

  it('keeps the reason that the exporter gave', () => {
    const truth = { available: false, gpus: 7, expected: undefined, reason: 'GPU 3 is lost' };
    expect(findingOf(truth, 8).reason).toBe('GPU 3 is lost');
    expect(findingOf({ ...truth, reason: undefined }, 7).reason).toBe('no reason is known');
  });
});
