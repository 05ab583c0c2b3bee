import { describe, expect, it } from 'vitest';
import { card, driver, plainCard, uuidOf } from './cards.ts';
import { openFakeReader } from './fake-reader.ts';

const gib = 2 ** 30;

/** A GPU in MIG mode: slots 1 and 5 are in use; two compute instances share a GPU instance in slots 5 and 6. */
const migGpu = [
  ...driver(1),
  ...plainCard(0, { mig: 1, migPending: 1, 'mig.max': 7, 'mig.1': '0/1', 'mig.5': '0/5', 'mig.6': '0/6', gpm: 1 }),
  ...card('0/1', instance({ uuid: 'MIG-1', gi: 9, ci: 0, slices: 1, computeSlices: 1, memorySizeMB: 9728, sms: 14 })),
  ...card('0/5', instance({ uuid: 'MIG-5', gi: 5, ci: 0, slices: 2, computeSlices: 1, memorySizeMB: 19_968, sms: 12 })),
  ...card('0/6', instance({ uuid: 'MIG-6', gi: 5, ci: 1, slices: 2, computeSlices: 1, memorySizeMB: 19_968, sms: 12 })),
  ...card('0/gi9', { 'gpm.1': 11, 'gpm.2': 12, 'gpm.3': 13, 'gpm.5': 14, 'gpm.10': 15 }),
  ...card('0/gi5', { 'gpm.1': 21, 'gpm.2': 22, 'gpm.3': 23, 'gpm.5': 24, 'gpm.10': 25 }),
];

function instance(values: Readonly<Record<string, string | number>>) {
  return {
    'memory.total': 10 * gib,
    'memory.reserved': gib / 2,
    'memory.free': 7 * gib,
    'memory.used': 2.5 * gib,
    ...values,
  };
}

const memory = {
  framebufferTotalMib: 10_240,
  framebufferReservedMib: 512,
  framebufferFreeMib: 7168,
  framebufferUsedMib: 2560,
};

const first = { uuid: 'MIG-1', gpuInstanceId: 9, computeInstanceId: 0, profile: '1g.10gb', smCount: 14, ...memory };
const shared = { gpuInstanceId: 5, profile: '1c.2g.20gb', smCount: 12, ...memory };

describe('MIG instances', () => {
  it('are found in whatever slots they lie', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write(migGpu);
    const { gpus, callErrors } = read();
    expect(callErrors).toEqual([]);
    expect(gpus).toMatchObject([{ uuid: uuidOf(0), migMode: 1 }]);
    expect(gpus[0]?.migInstances).toEqual([
      first,
      { ...shared, uuid: 'MIG-5', computeInstanceId: 0 },
      { ...shared, uuid: 'MIG-6', computeInstanceId: 1 },
    ]);
  });

  it('are profiled by GPU instance, one sample for all that share it', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    fake.write(migGpu);
    read();
    advance(1000);
    fake.write([...migGpu, fake.logLine]);
    const [gpu] = read().gpus;
    expect(
      gpu?.migInstances?.map(({ uuid, graphicsEngineActiveRatio, dramActiveRatio }) => [
        uuid,
        graphicsEngineActiveRatio,
        dramActiveRatio,
      ]),
    ).toEqual([
      ['MIG-1', 0.11, 0.15],
      ['MIG-5', 0.21, 0.25],
      ['MIG-6', 0.21, 0.25],
    ]);
    expect((await fake.calls()).filter((call) => call.startsWith('nvmlGpmMigSampleGet'))).toHaveLength(2);
  });

  it('that are destroyed while they are read are left out', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...migGpu, 'fail nvmlDeviceGetGpuInstanceId 0/5 6', 'fail nvmlDeviceGetUUID 0/6 2']);
    expect(read().gpus[0]?.migInstances).toEqual([first]);
  });

  it('of an old driver have the old memory call, without what is reserved', async (context) => {
    const { fake, read } = await openFakeReader(context, { isOldDriver: true });
    fake.write(migGpu);
    const [instance] = read().gpus[0]?.migInstances ?? [];
    expect(instance).toEqual({ ...first, framebufferReservedMib: undefined });
  });

  it('are not asked for while MIG is off', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...migGpu.map((line) => line.replace(' mig 1', ' mig 0')), fake.logLine]);
    expect(read().gpus[0]?.migInstances).toBeUndefined();
    expect((await fake.calls()).filter((call) => call.includes('Mig'))).toEqual(['nvmlDeviceGetMigMode 0']);
  });
});
