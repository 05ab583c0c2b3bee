import { describe, expect, it } from 'vitest';
import { driver, plainCard } from './cards.ts';
import { openFakeReader } from './fake-reader.ts';

const allLinks = 4_294_967_295;

describe('NVLinks', () => {
  const traffic = (transmitKib: number, receiveKib: number, timestamp = 0) => ({
    links: 1,
    timestamp,
    [`field.138.${allLinks}`]: `3:${transmitKib}`,
    [`field.139.${allLinks}`]: `3:${receiveKib}`,
  });

  it('have a rate between two rounds, in the thousands of KiB per second that DCGM calls MB', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    const rates = [
      traffic(1000, 2000),
      traffic(3_001_000, 1_002_000),
      traffic(3_001_000, 1_002_000),
      traffic(10, 10),
    ].map((values) => {
      fake.write([...driver(1), ...plainCard(0, values)]);
      advance(2000);
      return read().gpus[0]?.nvlinkMegabytesPerSecond;
    });
    expect(rates).toEqual([0, 2000, 0, 0]);
  });

  it('have a rate by the clock of the driver where it has one', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    const rates = [traffic(0, 1, 1_000_000), traffic(4_000_000, 1, 5_000_000), traffic(4_000_000, 1, 5_000_000)].map(
      (values) => {
        fake.write([...driver(1), ...plainCard(0, values)]);
        advance(1000);
        return read().gpus[0]?.nvlinkMegabytesPerSecond;
      },
    );
    expect(rates).toEqual([0, 1000, 1000]);
  });

  it('sum their errors up where the card does not', async (context) => {
    const { fake, read } = await openFakeReader(context);
    const errors = { 'linkErrors.0.0': 1, 'linkErrors.1.0': 2, 'linkErrors.2.0': 4, 'linkErrors.1.3': 8 };
    fake.write([...driver(1), ...plainCard(0, { links: 3, ...errors })]);
    const [gpu] = read().gpus;
    expect(gpu).toMatchObject({ nvlinkReplayErrors: 7 });
    expect(gpu).not.toHaveProperty('nvlinkRecoveryErrors');
  });

  it('are not asked again for a counter that the first link does not have', async (context) => {
    const { fake, read } = await openFakeReader(context);
    const replays = Object.fromEntries(Array.from({ length: 18 }, (_, link) => [`linkErrors.${link}.0`, link]));
    fake.write([...driver(1), ...plainCard(0, { links: 18, ...replays }), fake.logLine]);
    read();
    const asked = (await fake.calls()).filter((call) => call.startsWith('nvmlDeviceGetNvLinkErrorCounter'));
    expect(asked).toHaveLength(4 + 17);
  });

  it('end where the driver says so, and not before', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...driver(1), ...plainCard(0, { links: 4, 'link.1': '!999', 'link.3': 0 })]);
    const { gpus, callErrors } = read();
    expect(gpus[0]?.nvlinks).toEqual([
      { link: 0, isActive: true },
      { link: 2, isActive: true },
      { link: 3, isActive: false },
    ]);
    expect(callErrors).toEqual([{ call: 'nvmlDeviceGetNvLinkState', code: 'unknown', count: 1 }]);
  });
});

describe('processes', () => {
  const mib = 2 ** 20;

  it('are listed by memory, those that compute and draw once', async (context) => {
    const { fake, read, system } = await openFakeReader(context, { maxProcesses: 3 });
    system.names.set(11, 'python3').set(12, 'trainer');
    fake.write([
      ...driver(1),
      ...plainCard(0),
      `process 0 compute 11 ${100 * mib}`,
      `process 0 compute 12 ${300 * mib}`,
      `process 0 mps 13 ${200 * mib}`,
      `process 0 graphics 12 ${300 * mib}`,
      `process 0 graphics 14 ${50 * mib}`,
      'process 0 compute 15 na',
    ]);
    expect(read().gpus[0]?.processes).toEqual([
      { pid: 12, name: 'trainer', kind: 'compute', usedMemoryMib: 300 },
      { pid: 13, name: 'unknown', kind: 'compute', usedMemoryMib: 200 },
      { pid: 11, name: 'python3', kind: 'compute', usedMemoryMib: 100 },
    ]);
  });

  it('without a figure have none', async (context) => {
    const { fake, read } = await openFakeReader(context, { maxProcesses: 3 });
    fake.write([...driver(1), ...plainCard(0), 'process 0 graphics 15 na']);
    expect(read().gpus[0]?.processes).toEqual([{ pid: 15, name: 'unknown', kind: 'graphics' }]);
  });

  it('add up over the MIG instances that one of them uses', async (context) => {
    const { fake, read } = await openFakeReader(context, { maxProcesses: 3 });
    fake.write([...driver(1), ...plainCard(0), `process 0 compute 7 ${mib}`, `process 0 compute 7 ${2 * mib}`]);
    expect(read().gpus[0]?.processes).toMatchObject([{ pid: 7, usedMemoryMib: 3 }]);
  });

  it('are found however many there are, and their growth is no error', async (context) => {
    const { fake, read } = await openFakeReader(context, { maxProcesses: 2 });
    const many = Array.from({ length: 300 }, (_, pid) => `process 0 compute ${1000 + pid} ${pid * mib}`);
    fake.write([...driver(1), ...plainCard(0), ...many]);
    const { gpus, callErrors } = read();
    expect(gpus[0]?.processes?.map(({ pid }) => pid)).toEqual([1299, 1298]);
    expect(callErrors).toEqual([]);
  });

  it('are not asked for unless they are wanted', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...driver(1), ...plainCard(0), fake.logLine]);
    expect(read().gpus[0]?.processes).toBeUndefined();
    expect((await fake.calls()).filter((call) => call.includes('Processes'))).toEqual([]);
  });
});
