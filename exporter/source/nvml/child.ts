/**
 * Entry of the driver process. Its reading thread calls the driver and may hang there for good; this one waits for XIDs, so that
 * the XID which explains the hang is still heard, and ends the process when the exporter is gone, hung or not.
 */

import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { NvmlLibrary } from './library.ts';
import { openLibrary } from './open-library.ts';
import { type ChildEvent, type LibraryChoice, parseChildOptions, parseRequest } from './protocol.ts';
import { openRecordFile } from './record-writer.ts';
import {
  confirmSilence,
  createSilenceFlag,
  type ThreadData,
  type ThreadMessage,
  type ThreadOrder,
} from './thread-talk.ts';
import { type EventSet, type Listening, waitForXids, type XidWait } from './xid.ts';

const closeMs = 500;
const [, , argument] = process.argv;
const options = parseChildOptions(argument);
const silenceFlag = createSilenceFlag();
let hasRecordingEnded = false;
const recordFile = toRecord(options.library);
let library: NvmlLibrary | undefined;
let wait: XidWait | undefined;

const thread = new Worker(fileURLToPath(new URL('./reader-thread.ts', import.meta.url)), {
  workerData: { argument, silenceFlag, recordFile } satisfies ThreadData,
});
thread.on('message', (message: ThreadMessage) => {
  if (message.kind === 'closed') end();
  else if (message.kind === 'listen') listen(message.events);
  else if (message.kind === 'recording_ended') endRecording(message.why);
  else void stopListening().then(() => confirmSilence(silenceFlag));
});
process.on('message', (message) => order(parseRequest(message)));
process.once('disconnect', leave);
// Both reach every process of the terminal or the unit, and when to end is for the exporter to say.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

function listen(events: Listening): void {
  if (typeof events === 'string') tell({ kind: 'watch', state: events, uuids: [] });
  else watch(events);
}

function watch(events: EventSet): void {
  library ??= openLibrary(options.library, { recordFile, onRecordingEnd: endRecording });
  wait = waitForXids(library, events, { onXid: (xid) => tell({ kind: 'xid', ...xid }), onFailure: goDeaf });
  tell({ kind: 'watch', state: 'watching', uuids: events.gpus.map(({ uuid }) => uuid) });
}

function goDeaf(code: number | undefined): void {
  tell({ kind: 'watch', state: 'down', uuids: [] });
  order({ kind: 'renew', code });
}

async function stopListening(): Promise<void> {
  await wait?.stop();
  wait = undefined;
}

// A thread that hangs in the driver gives nothing back; then the kernel does, as far as it can.
function leave(): void {
  setTimeout(end, closeMs);
  order({ kind: 'close' });
}

// Any gentler way of ending waits for the threads, one of which may never return.
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function toRecord(choice: LibraryChoice): number | undefined {
  if (choice.kind !== 'library' || choice.record === undefined) return undefined;
  return openRecordFile(choice.record, endRecording);
}

// Both threads write to the one file, and each finds out for itself.
function endRecording(why: string): void {
  if (!hasRecordingEnded) tell({ kind: 'recording_ended', why });
  hasRecordingEnded = true;
}

function order(message: ThreadOrder): void {
  thread.postMessage(message);
}

function tell(event: ChildEvent): void {
  if (process.connected) process.send?.(event, () => undefined);
}
