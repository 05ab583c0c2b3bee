/** Keeps the event set fitting to the GPUs: made anew when they change, when MIG is switched, and with each session of the library. */

import type { NvmlLibrary } from './library.ts';
import type { KnownGpu, NvmlReading, Progress } from './reading.ts';
import type { Handle } from './slots.ts';
import { type EventSet, type Listening, registerForXids } from './xid.ts';

/** Whoever waits for the events of the set, on another thread. */
interface Listener {
  /** The set to wait on, or why there is none. */
  listen(events: Listening): void;
  /** Ends the waiting, and blocks until it has ended; false when it does not. */
  silence(): boolean;
  /** Whether the waiting that was to end has ended since. Does not block. */
  isSilent(): boolean;
}

export interface XidRegistrar {
  /** Registers the GPUs of the reading where that is needed. */
  follow(reading: NvmlReading, skip: ReadonlySet<string>): void;
  /** The set is of no use any more: a later reading brings another. */
  renew(): void;
  /** Gives the set back, as must happen before the library is shut down. */
  release(): void;
}

export interface RegistrarOptions {
  readonly library: NvmlLibrary;
  readonly listener: Listener;
  readonly progress: Progress;
  /** One line for the log. */
  readonly warn: (text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
}

// A GPU that is lost makes every wait fail at once: without a pause nothing else would be done.
const renewMs = 1_000;
const retryMs = 10_000;

const stuckMessage = 'No XID is heard: the driver does not come back from waiting for one. Readings go on.';
const backMessage = 'XIDs are heard again: the driver has come back from waiting for one.';

/** Its calls block while the driver does. */
export function createXidRegistrar(options: RegistrarOptions): XidRegistrar {
  const { library, listener, progress, warn, now } = options;
  let current: { readonly key: string; readonly events: EventSet | undefined } | undefined;
  let renewAtMs = Number.POSITIVE_INFINITY;
  // A wait that does not come back holds its set: nothing may be freed under it, and no second one begun beside it.
  let stuck: { readonly set: Handle | undefined } | undefined;

  function giveBack(): void {
    const set = current?.events?.set;
    current = undefined;
    if (set === undefined) return;
    progress(undefined, 'xid events');
    if (listener.silence()) return void library.call('nvmlEventSetFree', set);
    stuck = { set };
    listener.listen('down');
    warn(stuckMessage);
  }

  // A new process would not help: the kernel ends none that the driver holds, and the readings would have to wait for it.
  function isHeld(): boolean {
    if (stuck === undefined) return false;
    if (!listener.isSilent()) return true;
    progress(undefined, 'xid events');
    if (stuck.set !== undefined) library.call('nvmlEventSetFree', stuck.set);
    stuck = undefined;
    warn(backMessage);
    return false;
  }

  function follow(reading: NvmlReading, skip: ReadonlySet<string>): void {
    if (isHeld()) return;
    const gpus = reading.memory.gpus.filter(({ uuid }) => !skip.has(uuid));
    const key = keyOf(reading, gpus);
    if (current?.key === key && now() < renewAtMs) return;
    giveBack();
    if (stuck !== undefined) return;
    const { events, isPartial } = registerForXids(library, gpus, progress);
    current = { key, events };
    renewAtMs = isPartial ? now() + retryMs : Number.POSITIVE_INFINITY;
    listener.listen(events ?? (isPartial ? 'down' : 'unsupported'));
  }

  function renew(): void {
    renewAtMs = Math.min(renewAtMs, now() + renewMs);
  }

  function release(): void {
    giveBack();
    // The set dies with its session, whoever holds it.
    if (stuck !== undefined) stuck = { set: undefined };
  }

  return { follow, renew, release };
}

/** The library as the reader gets it: no event set outlives the session it belongs to. */
export function releasingBeforeShutdown(library: NvmlLibrary, release: () => void): NvmlLibrary {
  return {
    ...library,
    call: (name, ...args) => {
      if (name === 'nvmlShutdown') release();
      return library.call(name, ...args);
    },
  };
}

function keyOf({ gpus }: NvmlReading, listened: readonly KnownGpu[]): string {
  const withMig = gpus.filter(({ migMode }) => migMode === 1).map(({ uuid }) => uuid);
  return JSON.stringify([listened.map(({ index, uuid }) => [index, uuid]), withMig]);
}
