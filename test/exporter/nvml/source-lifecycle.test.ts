import { copyFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import { driver, uuidOf } from './cards.ts';
import { cards, openSource } from './nvml-source.ts';

const indices = ({ gpus }: Snapshot) => gpus.map(({ index }) => index);

describe('the NVML source on a machine', () => {
  it('without the library says where it was looked for, and reads once it is there', async (context) => {
    const pathOf = (path: string) => `${path}.later`;
    const { fake, source, read, advance, processes, logged } = await openSource(context, { gpus: 2, pathOf });
    for (let second = 0; second < 60; second += 1) {
      await expect(read()).rejects.toThrow(`The NVML library ${fake.path}.later cannot be loaded: `);
      advance(1_000);
    }
    // After 0, 1, 2, 4, 8 and 16 seconds, then every ten.
    expect(processes).toHaveLength(10);
    await copyFile(fake.path, `${fake.path}.later`);
    advance(10_000);
    expect(indices(await read())).toEqual([0, 1]);
    expect(logged).toEqual([]);
    expect(source.status?.().childRestarts).toEqual({ wedged: 0, crashed: 0, driver_reloaded: 0 });
  });

  it('without the driver says so, and reads once it is loaded', async (context) => {
    const { say, read, advance } = await openSource(context, { gpus: 2 });
    say('fail nvmlInit_v2 driver 9');
    await expect(read()).rejects.toThrow('the kernel driver is not loaded. Load it with modprobe nvidia');
    say();
    advance(500);
    expect(indices(await read())).toEqual([0, 1]);
  });

  it('without a GPU reads none, says so, and reads the first that is plugged in', async (context) => {
    const { fake, read, processes } = await openSource(context);
    fake.write(driver(0));
    const { gpus, health } = await read();
    expect({ gpus, failures: health.failures }).toEqual({
      gpus: [],
      failures: [
        {
          uuid: undefined,
          reason: 'no_gpu',
          message:
            'The driver answers, but it lists no GPU: look into dmesg for messages of the driver (NVRM) at its start.',
        },
      ],
    });
    fake.write(cards(1));
    const plugged = await read();
    expect([indices(plugged), plugged.health.failures]).toEqual([[0], []]);
    expect(processes).toHaveLength(1);
  });

  it('whose GPUs are plugged in and unplugged reads those there are', async (context) => {
    const { fake, read, processes } = await openSource(context, { gpus: 2 });
    expect(indices(await read())).toEqual([0, 1]);
    fake.write(cards(3));
    expect(indices(await read())).toEqual([0, 1, 2]);
    fake.write(['set driver slot.1 2', ...cards(3), 'set driver gpus 2'].toReversed());
    const unplugged = await read();
    expect(unplugged.gpus.map(({ uuid }) => uuid)).toEqual([uuidOf(0), uuidOf(2)]);
    expect(processes).toHaveLength(1);
  });

  it('whose driver is updated reads on in a new process, which alone can load the new library', async (context) => {
    const { source, say, read, advance, processes } = await openSource(context, { gpus: 2 });
    const before = await read();
    say('fail * * 18');
    await expect(read()).rejects.toThrow('The driver was updated while it was loaded: reload it, or reboot the node.');
    expect(source.status?.().childRestarts).toEqual({ wedged: 0, crashed: 0, driver_reloaded: 1 });
    say();
    advance(500);
    const after = await read();
    expect(indices(after)).toEqual([0, 1]);
    expect(after.counterEpoch).toBe(before.counterEpoch);
    expect(processes).toHaveLength(2);
  });
});

describe('what is known', () => {
  it('goes on over the processes: a GPU that does not open any more keeps its name', async (context) => {
    const { say, read, processes } = await openSource(context, { gpus: 2 });
    await read();
    processes[0]?.kill('SIGKILL');
    say('fail nvmlDeviceGetHandleByIndex_v2 1 15');
    const { gpus, health } = await read();
    expect(gpus.map(({ uuid }) => uuid)).toEqual([uuidOf(0)]);
    expect(health.failures).toMatchObject([{ uuid: uuidOf(1), reason: 'gpu_is_lost' }]);
    expect(processes).toHaveLength(2);
  });
});

describe('what is counted', () => {
  it('goes on over the processes', async (context) => {
    const { say, read, processes } = await openSource(context, { gpus: 1 });
    const fan = (count: number) => [{ call: 'nvmlDeviceGetFanSpeed', code: 'unknown', count }];
    say('fail nvmlDeviceGetFanSpeed 0 999');
    expect((await read()).health.callErrors).toEqual(fan(1));
    expect((await read()).health.callErrors).toEqual(fan(2));
    processes[0]?.kill('SIGKILL');
    expect((await read()).health.callErrors).toEqual(fan(3));
    say();
    expect((await read()).health.callErrors).toEqual(fan(3));
  });
});
