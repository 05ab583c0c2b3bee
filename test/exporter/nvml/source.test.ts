import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import { launchChild } from '../../../exporter/source/nvml/driver-process.ts';
import type { ChildOptions } from '../../../exporter/source/nvml/protocol.ts';
import { isAlive } from '../../servers/process-alive.ts';
import { uuidOf } from './cards.ts';
import { openSource, soon } from './nvml-source.ts';

const indices = ({ gpus }: Snapshot) => gpus.map(({ index }) => index);
const reasons = ({ health }: Snapshot) => health.failures.map(({ uuid, reason }) => [uuid, reason]);

describe('createNvmlSource', () => {
  it('reads every GPU, on the clock it was given', async (context) => {
    const { read, advance } = await openSource(context, { gpus: 2 });
    const first = await read();
    expect(first).toMatchObject({
      takenAtMs: 1_000_000,
      driverVersion: '570.86.15',
      nvmlVersion: '12.570.86.15',
      gpus: [
        { index: 0, uuid: uuidOf(0), modelName: 'NVIDIA L4', gpuTemperatureCelsius: 40 },
        { index: 1, uuid: uuidOf(1), modelName: 'NVIDIA L4', gpuTemperatureCelsius: 41 },
      ],
      health: { failures: [], callErrors: [] },
      xids: [],
    });
    advance(1_000);
    expect((await read()).takenAtMs).toBe(1_001_000);
  });

  it('starts nothing before it is read, and one process for all that follows', async (context) => {
    const { read, processes } = await openSource(context);
    expect(processes).toEqual([]);
    for (let round = 0; round < 5; round += 1) await read();
    expect(processes).toHaveLength(1);
  });

  it('leaves no process when it is closed, and is not read any more', async (context) => {
    const { source, read, processes } = await openSource(context);
    await read();
    await source.close();
    expect(processes.map(({ pid }) => isAlive(pid ?? 0))).toEqual([false]);
    await expect(read()).rejects.toThrow('The source of GPU readings is closed.');
  });

  it('gives the library back when it is closed', async (context) => {
    const { source, fake, say, read } = await openSource(context, { gpus: 1 });
    say(fake.logLine);
    await read();
    await source.close();
    expect((await fake.calls()).slice(-2)).toEqual(['nvmlEventSetFree driver', 'nvmlShutdown driver']);
  });

  it('gives up when the signal aborts, and lets the next caller have what the reading brings', async (context) => {
    const { source, say, read, processes } = await openSource(context, { gpus: 1 });
    say('slow nvmlInit_v2 driver 1000');
    const impatient = AbortSignal.timeout(100);
    await expect(source.read(impatient)).rejects.toThrow('The operation was aborted due to timeout');
    expect(indices(await read())).toEqual([0]);
    expect(processes).toHaveLength(1);
  });
});

describe('a GPU that hangs', () => {
  it('costs its own readings and nothing else', async (context) => {
    const { source, say, read, processes, logged } = await openSource(context);
    expect(indices(await read())).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    say('hang nvmlDeviceGetPowerUsage 5');
    const wedged = await read();
    expect(indices(wedged)).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(wedged.health.failures).toEqual([
      {
        uuid: uuidOf(5),
        reason: 'wedged',
        identity: { index: 5, uuid: uuidOf(5), pciBusId: '00000000:05:00.0', modelName: 'NVIDIA L4' },
        message: `GPU 5 (${uuidOf(5)}): a driver call did not come back (sensors). It is left out, and tried again alone after pauses that grow.`,
      },
    ]);
    expect(indices(await read())).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(source.status?.()).toMatchObject({
      childRestarts: { wedged: 1, crashed: 0, driver_reloaded: 0 },
      abandonedChildren: 0,
    });
    expect(processes.map(({ pid }) => isAlive(pid ?? 0))).toEqual([false, true]);
    expect(logged).toEqual([`warn: ${uuidOf(5)} did not answer within 2 s (sensors).`]);
  });

  it('is tried again, behind the readings of the others, after pauses that grow', async (context) => {
    const { say, read, advance, processes, logged } = await openSource(context, { gpus: 3 });
    await read();
    say('hang nvmlDeviceGetPowerUsage 1');
    await read();
    advance(5_000);
    expect(indices(await read())).toEqual([0, 2]);
    expect(indices(await read())).toEqual([0, 2]);
    expect(processes).toHaveLength(3);
    say();
    advance(9_999);
    await read();
    expect(indices(await read())).toEqual([0, 2]);
    advance(1);
    await read();
    const recovered = await read();
    expect([indices(recovered), reasons(recovered)]).toEqual([[0, 1, 2], []]);
    expect(processes).toHaveLength(3);
    expect(logged.at(-1)).toBe('info: the GPU answers again');
  });

  it('is tried alone', async (context) => {
    const { fake, say, read, advance } = await openSource(context, { gpus: 3 });
    await read();
    say('hang nvmlDeviceGetPowerUsage 1');
    await read();
    say(fake.logLine);
    advance(5_000);
    const touched = async () => (await fake.calls()).filter((call) => call.startsWith('nvmlDeviceGetPowerUsage'));
    await read();
    const powerOf = (...gpus: readonly number[]) => gpus.map((gpu) => `nvmlDeviceGetPowerUsage ${gpu}`);
    await expect.poll(touched, soon).toEqual(powerOf(0, 2, 1));
    await read();
    expect(await touched()).toEqual(powerOf(0, 2, 1, 0, 1, 2));
  });

  it('is told from others that hang at the same time', async (context) => {
    const { say, read, processes } = await openSource(context);
    await read();
    say('hang nvmlDeviceGetPowerUsage 2', 'hang nvmlDeviceGetPowerUsage 6');
    const wedged = await read();
    expect(indices(wedged)).toEqual([0, 1, 3, 4, 5, 7]);
    expect(reasons(wedged)).toEqual([
      [uuidOf(2), 'wedged'],
      [uuidOf(6), 'wedged'],
    ]);
    expect(processes).toHaveLength(3);
  });

  it('is known by its index when it has never said who it is', async (context) => {
    const { say, read } = await openSource(context, { gpus: 3 });
    say('hang nvmlDeviceGetHandleByIndex_v2 1');
    const wedged = await read();
    expect(indices(wedged)).toEqual([0, 2]);
    expect(wedged.health.failures).toMatchObject([
      {
        uuid: undefined,
        reason: 'wedged',
        message: expect.stringMatching(/^GPU 1: a driver call did not come back/),
      },
    ]);
  });

  it('does not hold up the closing', async (context) => {
    const { source, say, read, processes } = await openSource(context, { limits: { gpuMs: 60_000 } });
    await read();
    say('hang nvmlDeviceGetPowerUsage 5');
    const hanging = read().catch((error: Error) => error.message);
    const startedMs = performance.now();
    await source.close();
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(await hanging).toBe('The source of GPU readings is closed.');
    expect(processes.map(({ pid }) => isAlive(pid ?? 0))).toEqual([false]);
  });
});

describe('a GPU that is lost', () => {
  it('is told by the driver, and costs no process', async (context) => {
    const { source, say, read, processes } = await openSource(context);
    await read();
    say('fail * 3 15');
    const lost = await read();
    expect(indices(lost)).toEqual([0, 1, 2, 4, 5, 6, 7]);
    expect(reasons(lost)).toEqual([[uuidOf(3), 'gpu_is_lost']]);
    say();
    const returned = await read();
    expect([indices(returned), reasons(returned)]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], []]);
    expect(processes).toHaveLength(1);
    expect(source.status?.().childRestarts).toEqual({ wedged: 0, crashed: 0, driver_reloaded: 0 });
  });
});

describe('a driver that hangs as a whole', () => {
  it('fails the source, is asked again after a pause, and is read again once it answers', async (context) => {
    const { say, read, advance, processes, logged } = await openSource(context, { limits: { driverMs: 3_000 } });
    say('hang nvmlInit_v2 driver');
    await expect(read()).rejects.toThrow('The driver did not answer within 3 s (nvmlInit_v2).');
    await expect(read()).rejects.toThrow('The driver did not answer within 3 s (nvmlInit_v2).');
    expect(processes).toHaveLength(1);
    advance(500);
    await expect(read()).rejects.toThrow('The driver did not answer within 3 s (nvmlInit_v2).');
    expect(processes).toHaveLength(2);
    say();
    advance(1_000);
    expect(indices(await read())).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(logged).toEqual(['warn: The driver did not answer within 3 s (nvmlInit_v2).']);
  });
});

describe('a driver process that ends', () => {
  it('by a crash counts against the GPU that was touched; the others go on', async (context) => {
    const { source, fake, say, read, processes } = await openSource(context, { limits: { gpuMs: 60_000 } });
    await read();
    say('hang nvmlDeviceGetPowerUsage 5', fake.logLine);
    const reading = read();
    await expect.poll(fake.calls, soon).toContain('nvmlDeviceGetPowerUsage 5');
    processes[0]?.kill('SIGSEGV');
    const crashed = await reading;
    expect(indices(crashed)).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(crashed.health.failures).toMatchObject([
      { uuid: uuidOf(5), reason: 'crashed', message: expect.stringContaining('a driver call crashed (sensors)') },
    ]);
    expect(source.status?.().childRestarts).toEqual({ wedged: 0, crashed: 1, driver_reloaded: 0 });
  });

  it('by somebody else is replaced at once, and blames no GPU', async (context) => {
    const { source, read, processes, logged } = await openSource(context);
    await read();
    processes[0]?.kill('SIGKILL');
    const after = await read();
    expect([indices(after), reasons(after)]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], []]);
    expect(source.status?.().childRestarts).toEqual({ wedged: 0, crashed: 1, driver_reloaded: 0 });
    expect(logged).toEqual([
      expect.stringMatching(/^warn: The driver process was ended by SIGKILL\. It was busy with: /),
    ]);
  });

  it('or is stopped while it waits is replaced at once, and blames neither a GPU nor the driver', async (context) => {
    const { source, read, processes, logged, loggedFields } = await openSource(context, { limits: { gpuMs: 2_000 } });
    await read();
    await read();
    processes[0]?.kill('SIGSTOP');
    const after = await read();
    expect([indices(after), reasons(after)]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], []]);
    expect(logged).toEqual(['warn: The driver process did not take up the question within 4 s.']);
    expect(loggedFields).toEqual([{ driverPid: processes[0]?.pid, gpu: undefined, step: 'idle' }]);
    expect(source.status?.().childRestarts).toEqual({ wedged: 1, crashed: 0, driver_reloaded: 0 });
    await expect.poll(() => processes.map(({ pid }) => isAlive(pid ?? 0)), soon).toEqual([false, true]);
  });

  it('again and again, as soon as it is started, is started ever more rarely and logged once', async (context) => {
    const launch = () => spawn(process.execPath, ['-e', 'process.exit(7)'], { stdio });
    const { read, advance, processes, logged } = await openSource(context, { launch });
    for (let second = 0; second < 100; second += 1) {
      await expect(read()).rejects.toThrow('The driver process has ended with exit code 7.');
      advance(1_000);
    }
    // After 0, 1, 2, 4, 8 and 16 seconds, then every ten.
    expect(processes.length).toBe(14);
    expect(logged).toEqual(['warn: The driver process has ended with exit code 7. It was busy with: starting.']);
  });

  it('before it began, for want of its program, fails the source', async (context) => {
    const { read } = await openSource(context, { launch: () => spawn('/nowhere/node', [], { stdio }) });
    await expect(read()).rejects.toThrow('The driver process could not be started: spawn /nowhere/node ENOENT.');
  });

  it('after it has printed without end leaves a few lines in the log', async (context) => {
    const babble = "process.stdout.write('x'.repeat(1e6)); for (let i = 0; i < 1e4; i += 1) console.error('oh no');";
    const launch = () => spawn(process.execPath, ['-e', babble], { stdio });
    const { read, logged } = await openSource(context, { launch });
    await expect(read()).rejects.toThrow('The driver process has ended with exit code 0.');
    expect(logged.filter((line) => line === 'warn: a driver process has printed')).toHaveLength(20);
    expect(logged.filter((line) => line === 'warn: driver processes print more than is logged')).toHaveLength(1);
  });
});

describe('a driver process that cannot be killed', () => {
  it('is left behind and counted; its GPU is not tried again before it has ended', async (context) => {
    const { source, say, read, advance, processes, logged, loggedFields } = await openSource(context, {
      limits: { endMs: 100 },
      launch: unkillable,
    });
    await read();
    say('hang nvmlDeviceGetPowerUsage 5');
    expect(indices(await read())).toEqual([0, 1, 2, 3, 4, 6, 7]);
    await expect.poll(() => source.status?.().abandonedChildren, soon).toBe(1);
    expect(logged.at(-1)).toBe('error: a driver process cannot be killed and is left behind: the driver holds it');
    expect(loggedFields.at(-1)).toEqual({ driverPid: processes[0]?.pid });
    advance(3_600_000);
    expect(indices(await read())).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(indices(await read())).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(processes).toHaveLength(2);
    say();
    process.kill(processes[0]?.pid ?? 0, 'SIGKILL');
    await expect.poll(async () => indices(await read()), soon).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(source.status?.().abandonedChildren).toBe(0);
  });

  it('is not waited for when the source is closed', async (context) => {
    const { source, say, read } = await openSource(context, { launch: unkillable });
    await read();
    say('hang nvmlDeviceGetPowerUsage 5');
    await read();
    const startedMs = performance.now();
    await source.close();
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

const stdio = ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'] as const satisfies StdioOptions;

/** The kernel does not end a process that a driver call holds; nothing but the kernel can do that, so SIGKILL gets lost here. */
function unkillable(options: ChildOptions): ChildProcess {
  return Object.assign(launchChild(options), { kill: () => true });
}
