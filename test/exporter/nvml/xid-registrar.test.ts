import { describe, expect, it } from 'vitest';
import type { NvmlLibrary } from '../../../exporter/source/nvml/library.ts';
import type { NvmlReading } from '../../../exporter/source/nvml/reading.ts';
import { createXidRegistrar, releasingBeforeShutdown } from '../../../exporter/source/nvml/xid-registrar.ts';

const uuids = ['GPU-a', 'GPU-b', 'GPU-c'];

/** A registrar over a driver and a listener that note what is done to them, in order. */
function setUp({ lost = [], isStubborn = false }: { lost?: readonly string[]; isStubborn?: boolean } = {}) {
  let isWaiting = isStubborn;
  const done: string[] = [];
  const warned: string[] = [];
  const touched: string[] = [];
  let sets = 0;
  let nowMs = 0;
  const answers: Readonly<Record<string, (...args: readonly never[]) => unknown>> = {
    nvmlEventSetCreate: () => {
      sets += 1;
      done.push(`create ${sets}`);
      return BigInt(sets);
    },
    nvmlEventSetFree: (set: bigint) => done.push(`free ${set}`),
    nvmlShutdown: () => done.push('shut down'),
    nvmlDeviceGetHandleByIndex_v2: (index: number) => BigInt(index),
    nvmlDeviceGetUUID: (device: bigint) => uuids[Number(device)],
    nvmlDeviceGetSupportedEventTypes: () => 8,
    nvmlDeviceRegisterEvents: (device: bigint) => (lost.includes(uuids[Number(device)] ?? '') ? undefined : true),
  };
  const call = (name: string, ...args: readonly unknown[]) => {
    const value = answers[name]?.(...(args as never[]));
    return { code: value === undefined ? 15 : 0, value };
  };
  const library = { path: 'scripted', call } as unknown as NvmlLibrary;
  const listener = {
    listen: (events: unknown) => {
      const heard =
        typeof events === 'string' ? events : (events as { gpus: { uuid: string }[] }).gpus.map(({ uuid }) => uuid);
      done.push(`listen ${heard}`);
    },
    silence: () => {
      done.push('silence');
      return !isWaiting;
    },
    isSilent: () => !isWaiting,
  };
  const progress = (gpu: string | undefined, step: string) => void (gpu === undefined && touched.push(step));
  const warn = (text: string) => void warned.push(text);
  const registrar = createXidRegistrar({ library, listener, progress, warn, now: () => nowMs });
  const comeBack = () => {
    isWaiting = false;
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const take = () => done.splice(0);
  return { registrar, library, pass, take, comeBack, warned, touched };
}

const readingOf = (names: readonly string[], withMig: readonly string[] = []): NvmlReading => ({
  driverVersion: '570.86.15',
  nvmlVersion: '12.570.86.15',
  gpus: names.map((uuid) => ({
    index: uuids.indexOf(uuid),
    uuid,
    pciBusId: '',
    modelName: 'NVIDIA H100',
    migMode: withMig.includes(uuid) ? 1 : 0,
  })),
  failures: [],
  callErrors: [],
  counterEpoch: undefined,
  memory: { gpus: names.map((uuid) => ({ index: uuids.indexOf(uuid), uuid })), counterRestarts: 0 },
  session: 1,
  unavailable: undefined,
  needsNewProcess: false,
});

const none: ReadonlySet<string> = new Set();

describe('createXidRegistrar', () => {
  it('registers the GPUs of the first reading, and leaves it at that while they stay the same', () => {
    const { registrar, pass, take } = setUp();
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    expect(take()).toEqual(['create 1', 'listen GPU-a,GPU-b']);
    pass(86_400_000);
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    expect(take()).toEqual([]);
  });

  it.each([
    ['a GPU is plugged in', readingOf(['GPU-a', 'GPU-b', 'GPU-c']), none, 'listen GPU-a,GPU-b,GPU-c'],
    ['a GPU is unplugged', readingOf(['GPU-a']), none, 'listen GPU-a'],
    ['a GPU must be left alone', readingOf(['GPU-a', 'GPU-b']), new Set(['GPU-a']), 'listen GPU-b'],
    ['MIG is switched on', readingOf(['GPU-a', 'GPU-b'], ['GPU-b']), none, 'listen GPU-a,GPU-b'],
  ])('makes the set anew when %s, after nobody waits on the old one', (_what, reading, skip, heard) => {
    const { registrar, take } = setUp();
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    take();
    registrar.follow(reading, skip);
    expect(take()).toEqual(['silence', 'free 1', 'create 2', heard]);
  });

  it('frees no set that somebody still waits on, and makes no other beside it', () => {
    const { registrar, take } = setUp({ isStubborn: true });
    registrar.follow(readingOf(['GPU-a']), none);
    take();
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    expect(take()).toEqual(['silence', 'listen down']);
    registrar.follow(readingOf(['GPU-a']), none);
    expect(take()).toEqual([]);
  });

  it('goes on as soon as a wait that was given up has come back, and says both once', () => {
    const { registrar, take, comeBack, warned } = setUp({ isStubborn: true });
    registrar.follow(readingOf(['GPU-a']), none);
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    take();
    expect(warned).toEqual(['No XID is heard: the driver does not come back from waiting for one. Readings go on.']);
    comeBack();
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    expect(take()).toEqual(['free 1', 'create 2', 'listen GPU-a,GPU-b']);
    expect(warned.slice(1)).toEqual(['XIDs are heard again: the driver has come back from waiting for one.']);
  });

  it('frees no set of a session that has ended while somebody waited on it', () => {
    const { registrar, take, comeBack } = setUp({ isStubborn: true });
    registrar.follow(readingOf(['GPU-a']), none);
    registrar.release();
    expect(take()).toEqual(['create 1', 'listen GPU-a', 'silence', 'listen down']);
    comeBack();
    registrar.follow(readingOf(['GPU-a']), none);
    expect(take()).toEqual(['create 2', 'listen GPU-a']);
  });

  it('blames no GPU for the time it waits for silence', () => {
    const { registrar, touched } = setUp();
    registrar.follow(readingOf(['GPU-a']), none);
    touched.length = 0;
    registrar.release();
    expect(touched).toEqual(['xid events']);
  });

  it('tries a GPU that could not be registered again every ten seconds', () => {
    const { registrar, pass, take } = setUp({ lost: ['GPU-b'] });
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    expect(take()).toEqual(['create 1', 'listen GPU-a']);
    pass(9_999);
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    expect(take()).toEqual([]);
    pass(1);
    registrar.follow(readingOf(['GPU-a', 'GPU-b']), none);
    expect(take()).toEqual(['silence', 'free 1', 'create 2', 'listen GPU-a']);
  });

  it('says that nobody listens when no GPU could be registered', () => {
    const { registrar, take } = setUp({ lost: ['GPU-a'] });
    registrar.follow(readingOf(['GPU-a']), none);
    expect(take()).toEqual(['create 1', 'free 1', 'listen down']);
  });

  it('says that there are no XIDs where there is no GPU', () => {
    const { registrar, take } = setUp();
    registrar.follow(readingOf([]), none);
    expect(take()).toEqual(['create 1', 'free 1', 'listen unsupported']);
  });

  it('brings another set a second after the waiting has failed', () => {
    const { registrar, pass, take } = setUp();
    registrar.follow(readingOf(['GPU-a']), none);
    take();
    registrar.renew();
    pass(999);
    registrar.follow(readingOf(['GPU-a']), none);
    expect(take()).toEqual([]);
    pass(1);
    registrar.follow(readingOf(['GPU-a']), none);
    expect(take()).toEqual(['silence', 'free 1', 'create 2', 'listen GPU-a']);
  });
});

describe('releasingBeforeShutdown', () => {
  it('gives the set back before the library is shut down, and makes another in the next session', () => {
    const { registrar, library, take } = setUp();
    const releasing = releasingBeforeShutdown(library, registrar.release);
    registrar.follow(readingOf(['GPU-a']), none);
    take();
    releasing.call('nvmlShutdown');
    expect(take()).toEqual(['silence', 'free 1', 'shut down']);
    registrar.follow(readingOf(['GPU-a']), none);
    expect(take()).toEqual(['create 2', 'listen GPU-a']);
  });
});
