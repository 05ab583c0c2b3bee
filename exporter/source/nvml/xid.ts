/** XIDs: an event set over every GPU that can report them, and the wait for what it brings. */

import type { CallName } from './calls.ts';
import { code, isOrdinary } from './codes.ts';
import type { Answer, NvmlLibrary } from './library.ts';
import type { KnownGpu, Progress } from './reading.ts';
import type { Handle } from './slots.ts';

/** GPUs whose XIDs come out of one event set. Plain data: it passes between threads. */
export interface EventSet {
  readonly set: Handle;
  readonly gpus: readonly ListenedGpu[];
}

interface ListenedGpu {
  readonly device: Handle;
  readonly uuid: string;
}

/** A set to wait on, or why there is none. */
export type Listening = EventSet | 'unsupported' | 'down';

export interface Registration {
  /** Undefined when no GPU could be registered. */
  readonly events: EventSet | undefined;
  /** Whether a GPU that may well report XIDs could not be registered now: try again later. */
  readonly isPartial: boolean;
}

export interface Xid {
  /** Undefined when the event names no GPU of the set. */
  readonly uuid: string | undefined;
  readonly code: number;
}

/** Bit of NVML's event types. */
export const xidEvent = 0x8;
// NVML's own word for an XID it cannot name.
const unknownXid = 999;
// Nothing can end a wait early: the process ends no faster than this.
const waitMs = 250;

/** Registers every GPU that can report XIDs. Blocks; `progress` is told which GPU is about to be touched. */
export function registerForXids(library: NvmlLibrary, gpus: readonly KnownGpu[], progress: Progress): Registration {
  progress(undefined, 'xid events');
  const created = library.call('nvmlEventSetCreate');
  if (created.value === undefined) return { events: undefined, isPartial: mayRecover('nvmlEventSetCreate', created) };
  const set = created.value;
  const outcomes = gpus.map((gpu) => {
    progress(gpu.uuid, 'xid events');
    return register(library, gpu, set);
  });
  const listened = outcomes.filter((outcome) => typeof outcome === 'object');
  const isPartial = outcomes.includes('failed');
  if (listened.length > 0) return { events: { set, gpus: listened }, isPartial };
  library.call('nvmlEventSetFree', set);
  return { events: undefined, isPartial };
}

function register(
  library: NvmlLibrary,
  { index, uuid }: KnownGpu,
  set: Handle,
): ListenedGpu | 'failed' | 'unsupported' {
  const device = library.call('nvmlDeviceGetHandleByIndex_v2', index).value;
  // The index of a GPU moves when one before it disappears.
  if (device === undefined || library.call('nvmlDeviceGetUUID', device).value !== uuid) return 'failed';
  const supported = library.call('nvmlDeviceGetSupportedEventTypes', device);
  if (supported.code !== code.success) return outcomeOf('nvmlDeviceGetSupportedEventTypes', supported);
  if (((supported.value ?? 0) & xidEvent) === 0) return 'unsupported';
  const registered = library.call('nvmlDeviceRegisterEvents', device, xidEvent, set);
  return registered.code === code.success ? { device, uuid } : outcomeOf('nvmlDeviceRegisterEvents', registered);
}

function outcomeOf(call: CallName, answer: Answer<unknown>): 'failed' | 'unsupported' {
  return mayRecover(call, answer) ? 'failed' : 'unsupported';
}

function mayRecover(call: CallName, answer: Answer<unknown>): boolean {
  return !isOrdinary(call, answer.code);
}

export interface XidWait {
  /** Resolves when no wait is under way any more: the event set may be freed then. */
  stop(): Promise<void>;
}

/**
 * Waits for XIDs until it is stopped, without blocking. `onFailure` is told once when waiting is not possible any more, as after
 * the loss of a GPU of the set, and the code if there is one: then the GPUs must be registered anew.
 */
export function waitForXids(
  library: NvmlLibrary,
  events: EventSet,
  { onXid, onFailure }: { readonly onXid: (xid: Xid) => void; readonly onFailure: (code: number | undefined) => void },
): XidWait {
  let isStopped = false;
  const uuids = new Map(events.gpus.map(({ device, uuid }) => [device, uuid]));

  async function listen(): Promise<void> {
    while (!isStopped) {
      const { code: number, value } = await library.waitForEvent(events.set, waitMs);
      if (value?.eventType === xidEvent) onXid({ uuid: uuids.get(value.device), code: value.eventData ?? unknownXid });
      else if (number !== code.success && number !== code.timeout) return fail(number);
    }
  }

  // Whoever stops the wait may take the library away with it.
  function fail(number?: number): void {
    if (!isStopped) onFailure(number);
  }

  const done = listen().catch(() => fail());
  return {
    stop: () => {
      isStopped = true;
      return done;
    },
  };
}
