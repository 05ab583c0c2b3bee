import { describe, expect, it } from 'vitest';
import { driver, plainCard, uuidOf } from './cards.ts';
import type { FakeNvml } from './fake-nvml.ts';
import { cards, openSource, type SourceUnderTest, soon } from './nvml-source.ts';

/** Listening begins behind the first reading. */
async function openListening(...args: Parameters<typeof openSource>): Promise<SourceUnderTest> {
  const opened = await openSource(...args);
  await opened.read();
  await watching(opened);
  return opened;
}

async function watching({ source, read }: SourceUnderTest): Promise<void> {
  await expect
    .poll(async () => {
      await read();
      return source.status?.().xidWatch;
    }, soon)
    .toBe('watching');
}

/** Two more waits have begun: whatever was raised before has been heard, and passed on. */
async function twoMoreWaits(fake: FakeNvml): Promise<void> {
  const count = async () => (await fake.calls()).filter((call) => call.startsWith('nvmlEventSetWait_v2')).length;
  const before = await count();
  await expect.poll(count, soon).toBeGreaterThan(before + 1);
}

describe('an XID', () => {
  it('comes with the next snapshot, once, and stays the last XID of its GPU', async (context) => {
    const { fake, say, read, advance } = await openListening(context, { gpus: 2 });
    expect((await read()).gpus.map(({ lastXid }) => lastXid)).toEqual([0, 0]);
    advance(500);
    say(fake.logLine, 'event 1 1 8 79');
    await twoMoreWaits(fake);
    const { xids, gpus } = await read();
    expect(xids).toEqual([{ atMs: 1_000_500, uuid: uuidOf(1), code: 79 }]);
    expect(gpus.map(({ lastXid }) => lastXid)).toEqual([0, 79]);
    const next = await read();
    expect(next.xids).toEqual([]);
    expect(next.gpus.map(({ lastXid }) => lastXid)).toEqual([0, 79]);
  });

  it('comes in order with others, of any GPU, known to the driver by name or not', async (context) => {
    const { fake, say, read } = await openListening(context, { gpus: 2 });
    say(fake.logLine, 'event 1 1 8 13', 'event 2 0 8 999', 'event 3 1 8 13');
    await twoMoreWaits(fake);
    expect((await read()).xids?.map(({ uuid, code }) => [uuid, code])).toEqual([
      [uuidOf(1), 13],
      [uuidOf(0), 999],
      [uuidOf(1), 13],
    ]);
  });

  it('is not lost to a reading that fails, nor to the process that is replaced after it', async (context) => {
    const { fake, say, read, advance, processes } = await openListening(context, { gpus: 2 });
    say(fake.logLine, 'event 1 1 8 48');
    await twoMoreWaits(fake);
    say('fail nvmlDeviceGetCount_v2 driver 999', 'fail nvmlInit_v2 driver 999');
    await expect(read()).rejects.toThrow('No GPU can be read');
    say();
    advance(10_000);
    const { xids, gpus } = await read();
    expect(xids).toMatchObject([{ uuid: uuidOf(1), code: 48 }]);
    expect(gpus.map(({ lastXid }) => lastXid)).toEqual([0, 48]);
    expect(processes).toHaveLength(2);
  });

  it('is not lost to a caller that has given up', async (context) => {
    const { source, fake, say, read } = await openListening(context, { gpus: 1 });
    say(fake.logLine, 'event 1 0 8 31');
    await twoMoreWaits(fake);
    const controller = new AbortController();
    const given = source.read(controller.signal);
    controller.abort(new Error('too late'));
    await expect(given).rejects.toThrow('too late');
    expect((await read()).xids).toMatchObject([{ code: 31 }]);
  });

  it('that is raised while a GPU hangs is heard: it says why', async (context) => {
    const { fake, say, read } = await openListening(context, { gpus: 2 });
    say('hang nvmlDeviceGetPowerUsage 1', fake.logLine);
    const reading = read();
    await expect.poll(fake.calls, soon).toContain('nvmlDeviceGetPowerUsage 1');
    say('hang nvmlDeviceGetPowerUsage 1', 'event 1 1 8 119');
    const wedged = await reading;
    expect(wedged.xids).toMatchObject([{ uuid: uuidOf(1), code: 119 }]);
    expect(wedged.health.failures).toMatchObject([{ uuid: uuidOf(1), reason: 'wedged' }]);
  });

  it('is heard by the process that comes after one that was lost, and not a second time', async (context) => {
    const opened = await openListening(context, { gpus: 2 });
    const { fake, say, read, processes } = opened;
    say(fake.logLine, 'event 1 1 8 79');
    await twoMoreWaits(fake);
    processes[0]?.kill('SIGKILL');
    expect((await read()).xids).toMatchObject([{ code: 79 }]);
    await watching(opened);
    say(fake.logLine, 'event 1 1 8 79', 'event 2 0 8 94');
    await twoMoreWaits(fake);
    const { xids, gpus } = await read();
    expect(xids).toMatchObject([{ uuid: uuidOf(0), code: 94 }]);
    expect(gpus.map(({ lastXid }) => lastXid)).toEqual([94, 79]);
  });
});

describe('the watch for XIDs', () => {
  it('takes in a GPU that is plugged in', async (context) => {
    const opened = await openListening(context, { gpus: 1 });
    const { fake, read } = opened;
    fake.write(cards(2));
    await read();
    await expect.poll(async () => (await read()).gpus.map(({ lastXid }) => lastXid), soon).toEqual([0, 0]);
    fake.write([...cards(2), fake.logLine, 'event 1 1 8 79']);
    await twoMoreWaits(fake);
    expect((await read()).xids).toMatchObject([{ uuid: uuidOf(1), code: 79 }]);
  });

  it('goes on after the library was initialised anew, with a set of its own', async (context) => {
    const opened = await openListening(context, { gpus: 1 });
    const { fake, say, read, processes } = opened;
    say(fake.logLine, 'expire 1 2');
    await read();
    await expect
      .poll(async () => (await fake.calls()).filter((call) => call === 'nvmlEventSetCreate driver'), soon)
      .toHaveLength(1);
    say(fake.logLine, 'event 1 0 8 79');
    await twoMoreWaits(fake);
    expect((await read()).xids).toMatchObject([{ uuid: uuidOf(0), code: 79 }]);
    expect(processes).toHaveLength(1);
    const calls = (await fake.calls()).filter((call) => /EventSet(Create|Free)|Shutdown|Init/.test(call));
    expect(calls).toEqual([
      'nvmlEventSetFree driver',
      'nvmlShutdown driver',
      'nvmlInit_v2 driver',
      'nvmlEventSetCreate driver',
    ]);
  });

  it('says that it is down while waiting fails, and comes back', async (context) => {
    const opened = await openListening(context, { gpus: 2 });
    const { source, fake, say, read } = opened;
    say('fail nvmlEventSetWait_v2 driver 15');
    await expect.poll(() => source.status?.().xidWatch, soon).toBe('down');
    say();
    await watching(opened);
    say(fake.logLine, 'event 1 0 8 79');
    await twoMoreWaits(fake);
    expect((await read()).xids).toMatchObject([{ uuid: uuidOf(0), code: 79 }]);
  });

  it('comes back after a wait that was too slow, in the same process', async (context) => {
    const opened = await openListening(context, { gpus: 1 });
    const { source, fake, say, read, processes, logged } = opened;
    say('slow nvmlEventSetWait_v2 driver 3000', fake.logLine);
    await expect.poll(fake.calls, soon).toContain('nvmlEventSetWait_v2 driver');
    // The card is plugged in while the wait goes on, so that the set must be made anew.
    fake.write([...cards(2), fake.logLine]);
    await read();
    await expect.poll(() => source.status?.().xidWatch, soon).toBe('down');
    await watching(opened);
    await expect.poll(async () => (await read()).gpus.map(({ lastXid }) => lastXid), soon).toEqual([0, 0]);
    fake.write([...cards(2), fake.logLine, 'event 1 1 8 79']);
    await twoMoreWaits(fake);
    expect((await read()).xids).toMatchObject([{ uuid: uuidOf(1), code: 79 }]);
    expect(processes).toHaveLength(1);
    expect(logged).toEqual(Array.from({ length: 2 }, () => 'warn: a driver process has printed'));
  });

  it.for([
    ['nvmlEventSetCreate', 'nvmlEventSetCreate driver 999', 'unknown'],
    ['nvmlDeviceRegisterEvents', 'nvmlDeviceRegisterEvents 0 15', 'gpu_is_lost'],
    ['nvmlEventSetWait_v2', 'nvmlEventSetWait_v2 driver 999', 'unknown'],
  ] as const)('counts %s when it fails', async ([call, failing, code], context) => {
    const { say, read } = await openSource(context, { gpus: 2 });
    say(`fail ${failing}`);
    await expect
      .poll(async () => (await read()).health.callErrors, soon)
      .toContainEqual({ call, code, count: expect.any(Number) });
    expect((await read()).health.callErrors).toHaveLength(1);
  });

  it('says where no GPU can report XIDs; there is no last XID then', async (context) => {
    const { source, fake, read } = await openSource(context);
    fake.write([...driver(1), ...plainCard(0)]);
    await read();
    await expect.poll(() => source.status?.().xidWatch, soon).toBe('unsupported');
    expect((await read()).gpus[0]?.lastXid).toBeUndefined();
  });
});
