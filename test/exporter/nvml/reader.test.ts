import { describe, expect, it } from 'vitest';
import { card, driver, h200, h200Sample, plainCard, uuidOf, withoutProfile } from './cards.ts';
import { openFakeReader } from './fake-reader.ts';

const three = [...driver(3), ...[0, 1, 2].flatMap((index) => plainCard(index))];

describe('a lost GPU', () => {
  it('is a failure by its UUID, and costs the others nothing', async (context) => {
    const { fake, read } = await openFakeReader(context);
    const cards = [...driver(2), ...card(0, h200), ...plainCard(1)];
    fake.write(cards);
    read();
    fake.write([...cards, 'fail nvmlDeviceGetHandleByIndex_v2 1 15']);
    const { gpus, failures, callErrors, memory } = read();
    expect(gpus).toEqual([withoutProfile(h200Sample)]);
    expect(failures).toEqual([
      {
        uuid: uuidOf(1),
        reason: 'gpu_is_lost',
        message: `GPU 1 (${uuidOf(1)}) cannot be read: the driver says that the GPU has fallen off the bus, or cannot be reached any more. Move work away from this node, then reboot it; if the GPU is lost again, have the card looked at.`,
      },
    ]);
    expect(callErrors).toEqual([{ call: 'nvmlDeviceGetHandleByIndex_v2', code: 'gpu_is_lost', count: 1 }]);
    expect(memory.gpus.map(({ uuid }) => uuid)).toEqual([uuidOf(0), uuidOf(1)]);
  });

  it('has no UUID when it never said one', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...three, 'fail * 1 15']);
    const { gpus, failures } = read();
    expect(gpus.map(({ index }) => index)).toEqual([0, 2]);
    expect(failures).toMatchObject([{ uuid: undefined, reason: 'gpu_is_lost' }]);
  });

  it('has the UUID that a reader before this one knew', async (context) => {
    const memory = { gpus: [{ index: 1, uuid: uuidOf(1) }], counterRestarts: 0 };
    const { fake, read } = await openFakeReader(context, { memory });
    fake.write([...three, 'fail * 1 15']);
    expect(read().failures).toMatchObject([{ uuid: uuidOf(1), reason: 'gpu_is_lost' }]);
  });

  it.for([
    [15, 'gpu_is_lost'],
    [16, 'reset_required'],
    [28, 'gpu_not_found'],
  ] as const)('that says %i halfway loses its readings and is left alone', async ([number, reason], context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...three, fake.logLine, `fail nvmlDeviceGetPowerUsage 1 ${number}`]);
    const { gpus, failures, callErrors } = read();
    expect(gpus.map(({ uuid }) => uuid)).toEqual([uuidOf(0), uuidOf(2)]);
    expect(failures).toMatchObject([{ uuid: uuidOf(1), reason }]);
    expect(callErrors).toEqual([{ call: 'nvmlDeviceGetPowerUsage', code: reason, count: 1 }]);
    const asked = (await fake.calls()).filter((call) => call.endsWith(' 1'));
    expect(asked.at(-1)).toBe('nvmlDeviceGetPowerUsage 1');
  });

  it('is looked for with a new session, once a minute', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    fake.write([...three, 'fail nvmlDeviceGetPowerUsage 1 15']);
    const sessions = [0, 30_000, 29_999, 1, 1000].map((ms) => {
      advance(ms);
      return read().session;
    });
    expect(sessions).toEqual([1, 1, 1, 2, 2]);
    fake.write(three);
    expect(read().gpus.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('waits where a new session would cost the others their state', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    fake.write([...three, 'set * persistence 0', 'fail nvmlDeviceGetPowerUsage 1 15']);
    read();
    advance(3_600_000);
    expect(read().session).toBe(1);
  });
});

describe('an answer that is no reading', () => {
  it('is counted by call and code, and costs that reading alone', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([
      ...three,
      'fail nvmlDeviceGetPowerUsage 1 999',
      'fail nvmlDeviceGetSerial 2 4',
      'set 2 field.230 !999',
    ]);
    read();
    const { gpus, failures, callErrors } = read();
    expect(gpus.map(({ gpuTemperatureCelsius }) => gpuTemperatureCelsius)).toEqual([40, 41, 42]);
    expect(failures).toEqual([]);
    expect(callErrors).toEqual([
      { call: 'nvmlDeviceGetPowerUsage', code: 'unknown', count: 2 },
      { call: 'nvmlDeviceGetSerial', code: 'no_permission', count: 2 },
      { call: 'nvmlDeviceGetFieldValues', code: 'unknown', count: 2 },
    ]);
  });

  it('to everything that is measured is a failure of the GPU', async (context) => {
    const { fake, read } = await openFakeReader(context);
    // The driver remembers limits and modes also of a card that is gone.
    fake.write([...three, ...sensorsFail(1, 999), 'set 1 powerLimit 700000', 'set 1 persistence 1']);
    const { gpus, failures } = read();
    expect(gpus.map(({ index }) => index)).toEqual([0, 2]);
    expect(failures).toMatchObject([{ uuid: uuidOf(1), reason: 'unknown' }]);
  });

  it('of a GPU that belongs to somebody else is counted, and no failure', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...three, 'fail nvmlDeviceGetHandleByIndex_v2 1 4']);
    const { gpus, failures, callErrors } = read();
    expect(gpus.map(({ index }) => index)).toEqual([0, 2]);
    expect(failures).toEqual([]);
    expect(callErrors).toEqual([{ call: 'nvmlDeviceGetHandleByIndex_v2', code: 'no_permission', count: 1 }]);
  });
});

describe('a driver that is lost', () => {
  it('is initialised anew within the round', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write(three);
    const before = read();
    fake.write([...three, 'expire 1 2']);
    const after = read();
    expect(after.gpus).toEqual(before.gpus);
    expect([before.session, after.session]).toEqual([1, 2]);
    expect(after.callErrors).toEqual([
      { call: 'nvmlDeviceGetCount_v2', code: 'uninitialized', count: 1 },
      { call: 'nvmlShutdown', code: 'uninitialized', count: 1 },
    ]);
  });

  it('and does not come back is the answer, until it does', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write(three);
    read();
    fake.write([...three, 'fail nvmlDeviceGetPowerUsage 1 9']);
    const { gpus, session, unavailable } = read();
    expect({ gpus, session, unavailable }).toEqual({
      gpus: [],
      session: 0,
      unavailable: {
        reason: 'driver_not_loaded',
        message:
          'No GPU can be read: the driver says that the kernel driver is not loaded. Load it with modprobe nvidia, and look into dmesg if that fails.',
      },
    });
    fake.write(three);
    expect(read().gpus.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('that is not there at the start is waited for', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...three, 'fail nvmlInit_v2 driver 9']);
    expect(read()).toMatchObject({ gpus: [], session: 0, unavailable: { reason: 'driver_not_loaded' } });
    expect(read().callErrors).toEqual([{ call: 'nvmlInit_v2', code: 'driver_not_loaded', count: 2 }]);
    fake.write(three);
    expect(read()).toMatchObject({ session: 1, unavailable: undefined, gpus: [{}, {}, {}] });
  });

  it('of another version needs a new process', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...three, 'fail nvmlInit_v2 driver 18']);
    expect(read()).toMatchObject({ needsNewProcess: true, unavailable: { reason: 'lib_rm_version_mismatch' } });
  });

  it('without a GPU is a valid answer', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write(driver(0));
    expect(read()).toMatchObject({ gpus: [], failures: [], unavailable: undefined, session: 1 });
  });
});

describe('a session that cannot be ended', () => {
  it('is counted', async (context) => {
    const { fake, read, system } = await openFakeReader(context);
    fake.write(three);
    read();
    fake.write([...three, 'fail nvmlShutdown driver 999']);
    system.load = 'boot-2';
    expect(read()).toMatchObject({
      session: 2,
      callErrors: [{ call: 'nvmlShutdown', code: 'unknown', count: 1 }],
    });
  });
});

describe('plugging', () => {
  it('shows in the next round', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write(three);
    read();
    // Card 1 is gone: card 2 moves to its index, and no GPU has failed.
    fake.write([...three, ...driver(2), 'set driver slot.1 2'].filter((line) => line !== 'set driver gpus 3'));
    const { gpus, failures } = read();
    expect(gpus.map(({ index, uuid }) => [index, uuid])).toEqual([
      [0, uuidOf(0)],
      [1, uuidOf(2)],
    ]);
    expect(failures).toEqual([]);
  });

  it('that only a new session sees is seen when the system binds other GPUs', async (context) => {
    const { fake, read, system } = await openFakeReader(context);
    const frozen = (gpus: number) => [
      ...driver(gpus, { frozen: 1 }),
      ...[0, 1, 2].flatMap((index) => plainCard(index)),
    ];
    fake.write(frozen(2));
    expect(read().gpus).toHaveLength(2);
    fake.write(frozen(3));
    expect(read().gpus).toHaveLength(2);
    system.bound = 'all and one more';
    expect(read()).toMatchObject({ session: 2, gpus: [{}, {}, {}] });
  });

  it('does not mistake the GPU that moved for the one that died', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write(three);
    read();
    // Card 0 is dead and has moved behind the others.
    fake.write([...three, 'set driver slot.0 1', 'set driver slot.1 2', 'set driver slot.2 0', 'fail * 0 15']);
    const { gpus, failures } = read();
    expect(gpus.map(({ uuid }) => uuid)).toEqual([uuidOf(1), uuidOf(2)]);
    expect(failures).toMatchObject([{ uuid: uuidOf(0), reason: 'gpu_is_lost' }]);
  });
});

describe('skip', () => {
  it('leaves a GPU untouched, and keeps it in mind', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write(three);
    const { memory } = read();
    fake.write([...three, fake.logLine]);
    const skipped = read([uuidOf(1)]);
    expect(skipped.gpus.map(({ index }) => index)).toEqual([0, 2]);
    expect(skipped.failures).toEqual([]);
    expect(skipped.memory).toEqual(memory);
    expect((await fake.calls()).filter((call) => call.endsWith(' 1'))).toEqual([]);
  });

  it('knows a GPU by its index while it has no UUID', async (context) => {
    const { fake, read } = await openFakeReader(context);
    fake.write([...three, fake.logLine]);
    expect(read(['index:1']).gpus.map(({ index }) => index)).toEqual([0, 2]);
    expect((await fake.calls()).filter((call) => call.endsWith(' 1'))).toEqual([]);
  });

  it('keeps the profiling samples of a GPU that is left out for a round', async (context) => {
    const { fake, read, advance } = await openFakeReader(context);
    fake.write([...driver(1), ...card(0, h200)]);
    read();
    read([uuidOf(0)]);
    advance(1000);
    expect(read().gpus).toEqual([h200Sample]);
  });
});

describe('progress', () => {
  it('names what is touched before it is touched', async (context) => {
    const { fake, read, steps } = await openFakeReader(context, { maxProcesses: 3 });
    fake.write([...driver(1), ...plainCard(0)]);
    read();
    const gpuSteps = ['sensors', 'field values', 'nvlink', 'mig', 'profiling', 'processes'].map(
      (step) => `${uuidOf(0)} ${step}`,
    );
    const firstSteps = ['undefined nvmlInit_v2', 'undefined versions', 'undefined count', 'index:0 enumeration'];
    expect(steps).toEqual([...firstSteps, `${uuidOf(0)} identity`, ...gpuSteps]);
    steps.length = 0;
    read();
    expect(steps).toEqual(['undefined count', `${uuidOf(0)} enumeration`, ...gpuSteps]);
    steps.length = 0;
    fake.write([...driver(1), ...plainCard(0), 'expire 1 2']);
    read();
    expect(steps.slice(0, 4)).toEqual(['undefined count', 'undefined nvmlShutdown', ...firstSteps.slice(0, 2)]);
  });
});

describe('the counter epoch', () => {
  const withEnergy = (energy: number) => [...driver(1), ...plainCard(0, { energy })];

  it('changes when energy falls', async (context) => {
    const { fake, read } = await openFakeReader(context);
    const epochs = [100, 200, 50, 60].map((energy) => {
      fake.write(withEnergy(energy));
      return read().counterEpoch;
    });
    expect(epochs).toEqual(['boot-1/570.86.15/0', 'boot-1/570.86.15/0', 'boot-1/570.86.15/1', 'boot-1/570.86.15/1']);
  });

  it('changes with the load of the driver', async (context) => {
    const { fake, read, system } = await openFakeReader(context);
    fake.write(withEnergy(100));
    read();
    system.load = 'boot-2';
    expect(read()).toMatchObject({ counterEpoch: 'boot-2/570.86.15/0', session: 2 });
  });

  it('changes when the driver was lost, where the system does not tell its load', async (context) => {
    const { fake, read, system } = await openFakeReader(context);
    system.load = undefined;
    fake.write(withEnergy(100));
    expect(read().counterEpoch).toBe('load-unknown/570.86.15/0');
    fake.write([...withEnergy(100), 'expire 9 2']);
    expect(read().counterEpoch).toBe('load-unknown/570.86.15/1');
  });

  it('outlives the reader', async (context) => {
    const memory = { gpus: [{ index: 0, uuid: uuidOf(0), energyMillijoules: 500 }], counterRestarts: 3 };
    const { fake, read } = await openFakeReader(context, { memory });
    fake.write(withEnergy(600));
    expect(read().counterEpoch).toBe('boot-1/570.86.15/3');
    fake.write(withEnergy(400));
    expect(read().counterEpoch).toBe('boot-1/570.86.15/4');
  });
});

function sensorsFail(index: number, number: number): readonly string[] {
  const calls = ['TemperatureV', 'Temperature', 'PowerUsage', 'FieldValues', 'UtilizationRates', 'MemoryInfo_v2'];
  return calls.map((name) => `fail nvmlDeviceGet${name} ${index} ${number}`);
}
