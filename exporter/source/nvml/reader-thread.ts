/** Entry of the thread that calls the driver. What it is about to touch has left the process before it does. */

import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { NvmlLibrary } from './library.ts';
import { openLibrary } from './open-library.ts';
import { parseChildOptions, type Report, type Request, reportFd } from './protocol.ts';
import { createReader } from './reader.ts';
import type { NvmlReader, ReaderMemory } from './reading.ts';
import { createLinuxSystem } from './system.ts';
import { awaitSilence, type ThreadData, type ThreadMessage, type ThreadOrder } from './thread-talk.ts';
import type { Listening } from './xid.ts';
import { createXidRegistrar, releasingBeforeShutdown, type XidRegistrar } from './xid-registrar.ts';

interface Instruments {
  readonly library: NvmlLibrary;
  readonly reader: NvmlReader;
  readonly registrar: XidRegistrar;
}

const { argument, silenceFlag, recordFile }: ThreadData = workerData;
const options = parseChildOptions(argument);
const now = () => performance.now();
let instruments: Instruments | undefined;

parentPort?.on('message', (order: ThreadOrder) => {
  if (order.kind === 'renew') return instruments?.registrar.renew();
  if (order.kind === 'close') return close();
  void answer(order);
});

async function answer(request: Request): Promise<void> {
  const isFirst = instruments === undefined;
  const opened = open(request);
  if (opened === undefined) return;
  if (request.kind === 'read') read(opened, request);
  else await examine(opened, request);
  progress(undefined, 'idle');
  // Not left to the end, which comes by SIGKILL.
  if (isFirst) flushCompileCache();
}

/** Undefined, and answered, when the library cannot be had. */
function open(request: Request): Instruments | undefined {
  try {
    instruments ??= createInstruments(request.kind === 'read' ? request.memory : undefined);
    return instruments;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = options.library.kind === 'replay' ? 'recording_unusable' : 'library_not_found';
    report({ kind: 'unavailable', id: request.id, reason, message });
    return undefined;
  }
}

function createInstruments(memory: ReaderMemory | undefined): Instruments {
  progress(undefined, 'loading the library');
  const library = openLibrary(options.library, recordFile);
  const listener = {
    listen: (events: Listening) => say({ kind: 'listen', events }),
    silence: () => awaitSilence(silenceFlag, () => say({ kind: 'silence' })),
  };
  const registrar = createXidRegistrar({ library, listener, progress, now });
  const { maxProcesses } = options;
  const reader = createReader(releasingBeforeShutdown(library, registrar.release), {
    now,
    maxProcesses,
    system: createLinuxSystem(),
    memory,
  });
  return { library, reader, registrar };
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
