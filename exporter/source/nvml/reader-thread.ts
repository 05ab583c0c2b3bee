/** Entry of the thread that calls the driver. What it is about to touch has left the process before it does. */

import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../message-of.ts';
import type { GpuIdentity } from '../../snapshot.ts';
import { countingLibrary, createTally, type Tally } from './inquiry.ts';
import type { NvmlLibrary } from './library.ts';
import { openLibrary } from './open-library.ts';
import { idleStep, parseChildOptions, type Report, type Request, reportFd } from './protocol.ts';
import { createReader } from './reader.ts';
import type { NvmlReader, ReaderMemory } from './reading.ts';
import { createLinuxSystem } from './system.ts';
import { awaitSilence, isSilent, type ThreadData, type ThreadMessage, type ThreadOrder } from './thread-talk.ts';
import type { Listening } from './xid.ts';
import { createXidRegistrar, releasingBeforeShutdown, type XidRegistrar } from './xid-registrar.ts';

interface Instruments {
  readonly library: NvmlLibrary;
  readonly reader: NvmlReader;
  readonly registrar: XidRegistrar;
  readonly tally: Tally;
}

const { argument, silenceFlag, recordFile }: ThreadData = workerData;
const options = parseChildOptions(argument);
const now = () => performance.now();
// A GPU that does not say everything is asked who it is in every round.
const introduced = new Map<string, string>();
let instruments: Instruments | undefined;

parentPort?.on('message', (order: ThreadOrder) => {
  if (order.kind === 'renew') return renew(order.code);
  if (order.kind === 'close') return close();
  void answer(order);
});

async function answer(request: Request): Promise<void> {
  const isFirst = instruments === undefined;
  const opened = open(request);
  if (opened === undefined) return;
  if (request.kind === 'read') read(opened, request);
  else await examine(opened, request);
  if (isFirst) keepCompiledCode();
  progress(undefined, idleStep);
}

// Not left to the end, which comes by SIGKILL.
function keepCompiledCode(): void {
  progress(undefined, 'keeping compiled code');
  flushCompileCache();
}

/** Undefined, and answered, when the library cannot be had. */
function open(request: Request): Instruments | undefined {
  try {
    instruments ??= createInstruments(request.kind === 'read' ? request.memory : undefined);
    return instruments;
  } catch (error) {
    const message = messageOf(error);
    const reason = options.library.kind === 'replay' ? 'recording_unusable' : 'library_not_found';
    report({ kind: 'unavailable', id: request.id, reason, message });
    return undefined;
  }
}

function createInstruments(memory: ReaderMemory | undefined): Instruments {
  progress(undefined, 'loading the library');
  const onRecordingEnd = (why: string) => say({ kind: 'recording_ended', why });
  const library = openLibrary(options.library, { recordFile, onRecordingEnd });
  const listener = {
    listen: (events: Listening) => say({ kind: 'listen', events }),
    silence: () => awaitSilence(silenceFlag, () => say({ kind: 'silence' })),
    isSilent: () => isSilent(silenceFlag),
  };
  const tally = createTally();
  const counted = countingLibrary(library, tally);
  const registrar = createXidRegistrar({ library: counted, listener, progress, warn: console.error, now });
  const { maxProcesses } = options;
  const reader = createReader(releasingBeforeShutdown(library, registrar.release), {
    now,
    maxProcesses,
    system: createLinuxSystem(),
    tally,
    onMet: introduce,
    memory,
  });
  return { library, reader, registrar, tally };
}

function introduce(identity: GpuIdentity): void {
  const text = JSON.stringify(identity);
  if (introduced.get(identity.uuid) === text) return;
  introduced.set(identity.uuid, text);
  report({ kind: 'met', identity });
}

// The wait was on the other thread, which counts nothing.
function renew(code: number | undefined): void {
  if (code !== undefined) instruments?.tally.add('nvmlEventSetWait_v2', code);
  instruments?.registrar.renew();
}

// The readings are on their way before the XIDs are looked after: a driver that hangs over those has answered once more.
function read({ reader, registrar }: Instruments, { id, skip }: Request & { kind: 'read' }): void {
  const names = new Set(skip);
  const reading = reader.read(progress, names);
  report({ kind: 'reading', id, reading });
  if (reading.unavailable === undefined) registrar.follow(reading, names);
}

// Only the doctor needs what this loads. It asks once, so that every single call can be named before it is made.
async function examine({ library }: Instruments, { id }: Request): Promise<void> {
  const { inspectSupport } = await import('./support.ts');
  let touched: string | undefined;
  const naming: NvmlLibrary = {
    ...library,
    call: (name, ...args) => {
      progress(touched, name);
      return library.call(name, ...args);
    },
  };
  const touch = (gpu: string | undefined) => {
    touched = gpu;
  };
  report({ kind: 'support', id, support: inspectSupport(naming, touch) });
}

function close(): void {
  instruments?.reader.close();
  say({ kind: 'closed' });
}

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

function progress(gpu: string | undefined, step: string): void {
  report({ kind: 'touching', gpu, step });
}

function report(line: Report): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let written = 0; written < bytes.length; ) written += writeSync(reportFd, bytes, written);
}
