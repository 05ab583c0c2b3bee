import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { code } from '../../../exporter/source/nvml/codes.ts';
import type { Answer, NvmlLibrary } from '../../../exporter/source/nvml/library.ts';
import type { KnownGpu } from '../../../exporter/source/nvml/reading.ts';
import { registerForXids, waitForXids, type Xid } from '../../../exporter/source/nvml/xid.ts';
import { createXidLedger } from '../../../exporter/source/nvml/xid-ledger.ts';

const ok = <T>(value: T): Answer<T> => ({ code: code.success, value });
const failed = (number: number): Answer<never> => ({ code: number, value: undefined });

const gpus: readonly KnownGpu[] = [
  { index: 0, uuid: 'GPU-a' },
  { index: 1, uuid: 'GPU-b' },
];
const everyEvent = 0xffff;

/** An NVML whose answers come from a table of calls; devices are 0x100 and up, the set is 7. */
function scriptedLibrary(answers: Readonly<Record<string, (...args: readonly never[]) => Answer<unknown>>> = {}) {
  const called: string[] = [];
  const usual: typeof answers = {
    nvmlEventSetCreate: () => ok(7n),
    nvmlEventSetFree: () => ok(true),
    nvmlDeviceGetHandleByIndex_v2: (index: number) => ok(BigInt(0x100 + index)),
    nvmlDeviceGetUUID: (device: bigint) => ok(gpus[Number(device) - 0x100]?.uuid),
    nvmlDeviceGetSupportedEventTypes: () => ok(everyEvent),
    nvmlDeviceRegisterEvents: () => ok(true),
  };
  const call = (name: string, ...args: readonly unknown[]) => {
    called.push(`${name}(${args.join(', ')})`);
    return (answers[name] ?? usual[name])?.(...(args as never[])) ?? failed(code.functionNotFound);
  };
  const library = { path: 'scripted', call, waitForEvent: async () => failed(code.timeout) } as unknown as NvmlLibrary;
  return { library, called };
}

/** An NVML whose waits end when the test says so. */
function manualWaits() {
  const waits: { set: bigint; answer: (answer: Answer<unknown>) => void; fail: (error: Error) => void }[] = [];
  const waitForEvent = (set: bigint) => new Promise((answer, fail) => waits.push({ set, answer, fail }));
  const library = { path: 'scripted', waitForEvent } as unknown as NvmlLibrary;
  const heard: (Xid | 'failure')[] = [];
  const wait = waitForXids(
    library,
    {
      set: 7n,
      gpus: [
        { device: 0x100n, uuid: 'GPU-a' },
        { device: 0x101n, uuid: 'GPU-b' },
      ],
    },
    { onXid: (xid) => heard.push(xid), onFailure: () => heard.push('failure') },
  );
  const answerNext = async (answer: Answer<unknown>) => {
    waits.at(-1)?.answer(answer);
    await nextTurn();
  };
  return { waits, heard, wait, answerNext };
}

const event = (device: bigint, eventData: number | undefined, eventType = 0x8) =>
  ok({ device, eventType, eventData, gpuInstanceId: 0xffffffff, computeInstanceId: 0xffffffff });

describe('registerForXids', () => {
  it('registers every GPU for XIDs and nothing else, and says before which one it touches', () => {
    const { library, called } = scriptedLibrary();
    const touched: (string | undefined)[] = [];
    const registration = registerForXids(library, gpus, (gpu) => touched.push(gpu));
    expect(registration).toEqual({
      events: {
        set: 7n,
        gpus: [
          { device: 0x100n, uuid: 'GPU-a' },
          { device: 0x101n, uuid: 'GPU-b' },
        ],
      },
      isPartial: false,
    });
    expect(called.filter((call) => call.startsWith('nvmlDeviceRegisterEvents'))).toEqual([
      'nvmlDeviceRegisterEvents(256, 8, 7)',
      'nvmlDeviceRegisterEvents(257, 8, 7)',
    ]);
    expect(touched).toEqual([undefined, 'GPU-a', 'GPU-b']);
  });

  it('passes over a GPU that cannot report XIDs', () => {
    const supported = (device: bigint) => ok(device === 0x100n ? 0x3 : everyEvent);
    const { library } = scriptedLibrary({ nvmlDeviceGetSupportedEventTypes: supported });
    expect(registerForXids(library, gpus, () => undefined)).toEqual({
      events: { set: 7n, gpus: [{ device: 0x101n, uuid: 'GPU-b' }] },
      isPartial: false,
    });
  });

  it.each([
    [
      'is lost',
      { nvmlDeviceRegisterEvents: (device: bigint) => (device === 0x100n ? failed(code.gpuIsLost) : ok(true)) },
    ],
    ['does not open', { nvmlDeviceGetHandleByIndex_v2: (index: number) => (index === 0 ? failed(999) : ok(0x101n)) }],
    ['has moved to another index', { nvmlDeviceGetUUID: () => ok('GPU-b') }],
    [
      'does not say what it supports',
      { nvmlDeviceGetSupportedEventTypes: (device: bigint) => (device === 0x100n ? failed(999) : ok(everyEvent)) },
    ],
  ])('goes on without a GPU that %s, to be tried again', (_what, answers) => {
    const { library } = scriptedLibrary(answers);
    expect(registerForXids(library, gpus, () => undefined)).toEqual({
      events: { set: 7n, gpus: [{ device: 0x101n, uuid: 'GPU-b' }] },
      isPartial: true,
    });
  });

  it.each([
    ['no GPU can report XIDs', { nvmlDeviceGetSupportedEventTypes: () => ok(0) }, false],
    ['registering is not supported', { nvmlDeviceRegisterEvents: () => failed(code.notSupported) }, false],
    ['every GPU is lost', { nvmlDeviceRegisterEvents: () => failed(code.gpuIsLost) }, true],
  ])('gives the set back when %s', (_what, answers, isPartial) => {
    const { library, called } = scriptedLibrary(answers);
    expect(registerForXids(library, gpus, () => undefined)).toEqual({ events: undefined, isPartial });
    expect(called.at(-1)).toBe('nvmlEventSetFree(7)');
  });

  it.each([
    ['this driver has no event sets', failed(code.functionNotFound), false],
    ['the set cannot be made now', failed(999), true],
  ])('has no set when %s', (_what, answer, isPartial) => {
    const { library } = scriptedLibrary({ nvmlEventSetCreate: () => answer });
    expect(registerForXids(library, gpus, () => undefined)).toEqual({ events: undefined, isPartial });
  });
});

describe('waitForXids', () => {
  it('names the GPU and the code of each XID, and waits on', async () => {
    const { waits, heard, answerNext } = manualWaits();
    await answerNext(event(0x101n, 79));
    await answerNext(failed(code.timeout));
    await answerNext(event(0x100n, 13));
    expect(heard).toEqual([
      { uuid: 'GPU-b', code: 79 },
      { uuid: 'GPU-a', code: 13 },
    ]);
    expect(waits.map(({ set }) => set)).toEqual([7n, 7n, 7n, 7n]);
  });

  it('keeps an XID of a GPU it does not know, and calls a code that cannot be told unknown', async () => {
    const { heard, answerNext } = manualWaits();
    await answerNext(event(0x999n, 79));
    await answerNext(event(0x100n, undefined));
    expect(heard).toEqual([
      { uuid: undefined, code: 79 },
      { uuid: 'GPU-a', code: 999 },
    ]);
  });

  it('passes over events that are no XIDs', async () => {
    const { heard, waits, answerNext } = manualWaits();
    await answerNext(event(0x100n, 4, 0x10));
    expect({ heard, waits: waits.length }).toEqual({ heard: [], waits: 2 });
  });

  it('stops and says so once when it cannot wait any more', async () => {
    const { heard, waits, answerNext } = manualWaits();
    await answerNext(failed(code.gpuIsLost));
    expect({ heard, waits: waits.length }).toEqual({ heard: ['failure'], waits: 1 });
  });

  it('stops and says so when the wait itself breaks', async () => {
    const { heard, waits } = manualWaits();
    waits[0]?.fail(new Error('no thread is left'));
    await nextTurn();
    expect(heard).toEqual(['failure']);
  });

  it('does not call it a failure when the library goes away behind the one who stops it', async () => {
    const { heard, wait, answerNext } = manualWaits();
    const stopped = wait.stop();
    await answerNext(failed(code.uninitialized));
    await stopped;
    expect(heard).toEqual([]);
  });

  it('is stopped only when the wait under way has ended, and still hears what that one brings', async () => {
    const { waits, heard, wait, answerNext } = manualWaits();
    let isStopped = false;
    const stopped = wait.stop().then(() => {
      isStopped = true;
    });
    await nextTurn();
    expect(isStopped).toBe(false);
    await answerNext(event(0x100n, 48));
    await stopped;
    expect({ heard, waits: waits.length }).toEqual({ heard: [{ uuid: 'GPU-a', code: 48 }], waits: 1 });
  });
});

describe('createXidLedger', () => {
  const xid = (uuid: string | undefined, number: number) => ({ atMs: number, uuid, code: number });
  const sample = (uuid: string) => ({ index: 0, uuid, pciBusId: '', modelName: 'NVIDIA H100' });

  it('gives each event once, in order', () => {
    const ledger = createXidLedger(10);
    ledger.add(xid('GPU-a', 13));
    ledger.add(xid(undefined, 79));
    expect(ledger.take()).toEqual([xid('GPU-a', 13), xid(undefined, 79)]);
    expect(ledger.take()).toEqual([]);
  });

  it('keeps the newest when nobody takes them', () => {
    const ledger = createXidLedger(2);
    for (const number of [13, 31, 43]) ledger.add(xid('GPU-a', number));
    expect(ledger.take()).toEqual([xid('GPU-a', 31), xid('GPU-a', 43)]);
  });

  it('marks a GPU with its last XID, with 0 before the first, and not at all where nobody has listened', () => {
    const ledger = createXidLedger(10);
    ledger.listensTo('GPU-a');
    ledger.listensTo('GPU-b');
    ledger.add(xid('GPU-b', 13));
    ledger.add(xid('GPU-b', 31));
    ledger.listensTo('GPU-b');
    expect(['GPU-a', 'GPU-b', 'GPU-c'].map((uuid) => ledger.mark(sample(uuid)).lastXid)).toEqual([0, 31, undefined]);
  });
});
