import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { card, driver, h200, h200Sample, plainCard, uuidOf, withoutProfile } from './cards.ts';
import { openFakeReader } from './fake-reader.ts';

describe('a GPU that has everything', () => {
  it('gives every reading that NVML has, each from its own call', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...driver(1), ...card(0, h200)]);
    expect(read()).toEqual({
      driverVersion: '570.86.15',
      nvmlVersion: '12.570.86.15',
      gpus: [withoutProfile(h200Sample)],
      failures: [],
      callErrors: [],
      counterEpoch: 'boot-1/570.86.15/0',
      memory: {
        gpus: [{ index: 0, uuid: uuidOf(0), energyMillijoules: 90_123_456_789_012 }],
        counterRestarts: 0,
      },
      session: 1,
      unavailable: undefined,
      needsNewProcess: false,
    });
  });

  it('adds profiling metrics from the second round on', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    fake.write([...driver(1), ...card(0, h200)]);
    read();
    advance(1000);
    expect(read().gpus).toEqual([h200Sample]);
  });
});

describe('a GPU that has next to nothing', () => {
  it('leaves out what it cannot say, and counts none of it as an error', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...driver(1), ...plainCard(0)]);
    const { gpus, callErrors } = read();
    expect(callErrors).toEqual([]);
    expect(gpus).toEqual([
      { index: 0, uuid: uuidOf(0), pciBusId: '00000000:00:00.0', modelName: 'NVIDIA L4', gpuTemperatureCelsius: 40 },
    ]);
  });

  it('is read from the older calls where the driver is old', async (context) => {
    const { fake, read } = await openFakeReader(context, { isOldDriver: true });
    const old = {
      'temperature.0': 51,
      throttleReasons: 4,
      'memory.total': 2 ** 34,
      'memory.free': 2 ** 33,
      'memory.used': 2 ** 33,
    };
    fake.write([...driver(1), ...plainCard(0, old)]);
    const { gpus, callErrors } = read();
    expect(callErrors).toEqual([]);
    expect(gpus[0]).toMatchObject({
      gpuTemperatureCelsius: 51,
      clocksEventReasons: 4,
      framebufferTotalMib: 16_384,
      framebufferFreeMib: 8192,
      framebufferUsedMib: 8192,
    });
    expect(gpus[0]?.framebufferReservedMib).toBeUndefined();
  });
});

describe('an absurd value', () => {
  const allOnes32 = 4_294_967_295;
  const allOnes64 = '18446744073709551615';
  it.for<[string, Record<string, string | number>]>([
    ['gpuTemperatureCelsius', { temperatureV: 255 }],
    ['memoryTemperatureCelsius', { 'field.82': '1:0' }],
    ['memoryTemperatureCelsius', { 'field.82': '1:201' }],
    ['gpuUtilPercent', { 'util.gpu': 101, 'util.memory': 1 }],
    ['powerWatts', { power: allOnes32 }],
    ['energyMillijoules', { energy: allOnes64 }],
    ['energyMillijoules', { energy: 9_223_372_036_854_775_000n.toString() }],
    ['smClockMhz', { 'clock.1': allOnes32 }],
    ['pcieReplays', { pcieReplays: allOnes32 }],
    ['clocksEventReasons', { eventReasons: allOnes64 }],
    ['framebufferTotalMib', { 'memory.total': allOnes64, 'memory.free': 1, 'memory.used': 1, 'memory.reserved': 1 }],
    ['performanceState', { performanceState: 32 }],
    ['persistenceMode', { persistence: 2 }],
    ['eccDbeVolatile', { 'field.4': `3:${allOnes64}` }],
    ['eccDbeVolatile', { 'field.4': '4:-1' }],
    ['pcieLinkWidth', { pcieWidth: allOnes32 }],
    ['fabricStatus', { 'fabric.state': 2, 'fabric.status': 27 }],
  ])('of %s is missing: %j', async ([name, values], context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...driver(1), ...plainCard(0, values)]);
    expect(read().gpus[0]).not.toHaveProperty(name);
  });
});

describe('profiling', () => {
  it('keeps two samples for each GPU, and gives them back', async (context) => {
    const { fake, read, advance, reader } = await openFakeReader(context);
    const live = koffi.load(fake.path).func('fakeLiveSamples', 'int', []);
    fake.write([...driver(2), ...card(0, h200), ...plainCard(1, { gpm: 1, 'gpm.1': 12 })]);
    for (let round = 0; round < 5; round++) {
      read();
      advance(1000);
    }
    expect(live()).toBe(4);
    fake.write([...driver(1), ...card(0, h200)]);
    read();
    expect(live()).toBe(2);
    reader.close();
    expect(live()).toBe(0);
  });

  it('waits for the driver to refresh its counters', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    const ratio = () => read().gpus[0]?.graphicsEngineActiveRatio;
    fake.write([...driver(1), ...plainCard(0, { gpm: 1, 'gpm.1': 10 })]);
    expect(ratio()).toBeUndefined();
    advance(99);
    expect(ratio()).toBeUndefined();
    advance(1);
    expect(ratio()).toBe(0.1);
    fake.write([...driver(1), ...plainCard(0, { gpm: 1, 'gpm.1': 20 })]);
    advance(50);
    expect(ratio()).toBe(0.1);
    advance(50);
    expect(ratio()).toBe(0.2);
  });

  it.for<[string, number | undefined]>([
    ['nan', undefined],
    ['-1', undefined],
    ['101.5', undefined],
    ['100.4', 1],
    ['!3', undefined],
    ['0', 0],
  ])('takes %s for %s', async ([value, expected], context) => {
    const { fake, read, advance } = await openFakeReader(context);
    fake.write([...driver(1), ...plainCard(0, { gpm: 1, 'gpm.5': value })]);
    read();
    advance(1000);
    expect(read().gpus[0]?.tensorActiveRatio).toBe(expected);
  });
});
