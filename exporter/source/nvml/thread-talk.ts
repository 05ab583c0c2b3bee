/** Between the two threads of the driver process: one calls the driver and may hang, the other waits for XIDs and never does. */

import type { Request } from './protocol.ts';
import type { Listening } from './xid.ts';

/** What the reading thread is started with. */
export interface ThreadData {
  /** The argument of the process. */
  readonly argument: string | undefined;
  /** Holds 1 when nobody waits for XIDs any more. */
  readonly silenceFlag: Int32Array<SharedArrayBuffer>;
  /** The open file that answers are recorded to. */
  readonly recordFile: number | undefined;
}

/** What the reading thread says. */
export type ThreadMessage =
  | { readonly kind: 'listen'; readonly events: Listening }
  | { readonly kind: 'silence' | 'closed' }
  | { readonly kind: 'recording_ended'; readonly why: string };

/** What it is told. */
export type ThreadOrder =
  | Request
  /** Waiting is not possible any more; the code is that of the wait, if it came back with one. */
  | { readonly kind: 'renew'; readonly code: number | undefined }
  | { readonly kind: 'close' };

// Four times as long as one wait for an event.
const silenceMs = 1_000;

export function createSilenceFlag(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Asks for silence and blocks until it is there; false when it does not come. */
export function awaitSilence(flag: Int32Array<SharedArrayBuffer>, ask: () => void): boolean {
  Atomics.store(flag, 0, 0);
  ask();
  return Atomics.wait(flag, 0, 0, silenceMs) !== 'timed-out';
}

/** Whether the silence that was asked for last has come, however late. */
export function isSilent(flag: Int32Array<SharedArrayBuffer>): boolean {
  return Atomics.load(flag, 0) === 1;
}

export function confirmSilence(flag: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
}
