import { describe, expect, it } from 'vitest';
import { entitiesOf, parseDevices } from '../../../../exporter/metrics/dcgm/devices.ts';
import type { GpuSample, MigInstance } from '../../../../exporter/snapshot.ts';

function gpuOf(index: number, instances: readonly (readonly [gpuInstance: number, computeInstance: number])[] = []) {
  const migInstances = instances.map(
    ([gpuInstanceId, computeInstanceId]): MigInstance => ({
      uuid: `MIG-${index}-${gpuInstanceId}-${computeInstanceId}`,
      gpuInstanceId,
      computeInstanceId,
      profile: '1g.10gb',
    }),
  );
  const gpu: GpuSample = { index, uuid: `GPU-${index}`, pciBusId: '', modelName: '', migInstances };
  return gpu;
}

/** GPU 1 is divided in three, and the second instance again in two. */
const gpus = [
  gpuOf(0),
  gpuOf(1, [
    [3, 0],
    [5, 0],
    [5, 1],
    [9, 0],
  ]),
  gpuOf(2),
  gpuOf(3),
];

/** `1` is GPU 1, `1.5` GPU instance 5 on it. */
function published(text: string): readonly string[] {
  const result = parseDevices(text);
  if (result.kind === 'invalid') throw new Error(result.why);
  const entities = gpus.flatMap((gpu) => entitiesOf(result.devices, gpu));
  return entities.map(({ gpu, instance }) =>
    [gpu.index, instance?.gpuInstanceId].filter((id) => id !== undefined).join('.'),
  );
}

describe('entitiesOf', () => {
  it.each([
    { text: 'f', entities: ['0', '1.3', '1.5', '1.9', '2', '3'] },
    { text: 'g', entities: ['0', '1', '2', '3'] },
    { text: 'i', entities: ['1.3', '1.5', '1.9'] },
    { text: 'g+i', entities: ['0', '1', '1.3', '1.5', '1.9', '2', '3'] },
    { text: 'g:0', entities: ['0'] },
    { text: 'g:0,2-3', entities: ['0', '2', '3'] },
    { text: 'g:3,0,0,0-1', entities: ['0', '1', '3'] },
    { text: 'i:8', entities: ['1.3'] },
    { text: 'i:9-10', entities: ['1.5', '1.9'] },
    { text: 'g:1+i:9', entities: ['1', '1.5'] },
    { text: 'i+g:2', entities: ['1.3', '1.5', '1.9', '2'] },
    { text: 'g:7', entities: [] },
  ])('publishes for $text $entities', ({ text, entities }) => {
    expect(published(text)).toEqual(entities);
  });
});

describe('parseDevices', () => {
  const example = 'give f, or g and i with indices if need be, for example g:0,2-3 or g+i:0-6';

  it.each([
    { text: '', why: example },
    { text: 'x', why: example },
    { text: 'G', why: example },
    { text: ' g', why: example },
    { text: '0,1', why: example },
    { text: 'g+', why: example },
    { text: 'f:0', why: 'f stands alone, without indices and without g or i' },
    { text: 'g+f', why: 'f stands alone, without indices and without g or i' },
    { text: 'g:0+g:1', why: 'list all indices of g after one colon: g:0,2-3' },
    { text: 'g:0:1', why: 'write one colon after g, and commas between indices' },
    { text: 'g:', why: '"" is neither an index, such as 2, nor a range, such as 2-4' },
    { text: 'i:0,,1', why: '"" is neither an index, such as 2, nor a range, such as 2-4' },
    { text: 'g:0, 1', why: '" 1" is neither an index, such as 2, nor a range, such as 2-4' },
    { text: 'g:-1', why: '"-1" is neither an index, such as 2, nor a range, such as 2-4' },
    { text: 'g:0-2-4', why: '"0-2-4" is neither an index, such as 2, nor a range, such as 2-4' },
    { text: 'g:1e3', why: '"1e3" is neither an index, such as 2, nor a range, such as 2-4' },
    { text: 'g:4-2', why: 'the range 4-2 ends before it begins: write 2-4' },
    { text: 'g:0-1024', why: 'list at most 1024 indices' },
    { text: 'g:0-999999999', why: 'list at most 1024 indices' },
    { text: 'g:0-1000,2000-2500', why: 'list at most 1024 indices' },
  ])('refuses "$text"', ({ text, why }) => {
    expect(parseDevices(text)).toEqual({ kind: 'invalid', why });
  });

  it('takes 1024 indices', () => {
    expect(parseDevices('g:0-1023').kind).toBe('devices');
  });
});
