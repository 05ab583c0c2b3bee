/** The NVML source: readings, XIDs and health from a driver that may hang, crash, be reloaded, or not be there yet. */

import type { ReadFailure, Snapshot, Source } from '../../snapshot.ts';
import { createDriver, type Driver } from './driver.ts';
import type { Launch } from './driver-process.ts';
import { createMetGpus, type MetGpus } from './met-gpus.ts';
import type { Log } from './output-log.ts';
import type { HeardEvent, LibraryChoice, WatchState } from './protocol.ts';
import { gpuName, type TimeLimits } from './question-watch.ts';
import type { NvmlReading, ReaderMemory } from './reading.ts';
import {
  abandonedProcesses,
  type SupervisionPolicy,
  type SupervisionState,
  type Suspect,
  suspectsLeftOut,
} from './supervision.ts';
import { createXidLedger, type XidLedger } from './xid-ledger.ts';

export interface NvmlSourceOptions {
  readonly library: LibraryChoice;
  /** How many processes to list for each GPU, the largest users of memory first; 0 does not ask for them. */
  readonly maxProcesses: number;
  readonly limits: TimeLimits;
  readonly policy?: SupervisionPolicy | undefined;
}

export interface NvmlSurroundings {
  /** Milliseconds since the epoch, never going back. */
  readonly now: () => number;
  readonly log: Log;
  readonly launch?: Launch | undefined;
}

/** How long a GPU may take is a setting. */
export const standardLimits: Omit<TimeLimits, 'gpuMs'> = { driverMs: 30_000, endMs: 5_000 };

export const standardPolicy: SupervisionPolicy = {
  firstRetryMs: 5_000,
  longestRetryMs: 300_000,
  forgiveMs: 600_000,
  firstRestartMs: 500,
  longestRestartMs: 10_000,
  longestStuckRestartMs: 300_000,
  // As many as most nodes have GPUs: each card can hold one process.
  maxEnding: 8,
};

// An application that raises XIDs in a loop must not fill the memory while no reading succeeds.
const maxPendingXids = 10_000;

/** Starts nothing: the first reading does. */
export function createNvmlSource(options: NvmlSourceOptions, { now, log, launch }: NvmlSurroundings): Source {
  const { library, maxProcesses, limits, policy = standardPolicy } = options;
  const ears = createEars(now);
  const met = createMetGpus();
  const child = { library, maxProcesses };
  const handlers = { onEvent: ears.hear, onMet: met.meet, onLoss: ears.close };
  const driver = createDriver({ child, limits, policy, now, log, launch, ...handlers });
  const round = createRound(driver, now);
  return {
    read: async (signal) => {
      const { reading, takenAtMs } = await round.join(signal);
      return snapshotOf({ reading, takenAtMs, driver, met, xids: ears.xids });
    },
    close: driver.close,
    status: () => {
      const state = driver.supervision();
      return {
        childRestarts: state.restarts,
        abandonedChildren: abandonedProcesses(state),
        xidWatch: ears.state(),
      };
    },
  };
}

/** What the driver processes hear between the readings. */
function createEars(now: () => number) {
  const xids = createXidLedger(maxPendingXids);
  let state: WatchState = 'down';
  return {
    xids,
    state: () => state,
    hear: (event: HeardEvent) => {
      if (event.kind === 'xid') return xids.add({ atMs: now(), uuid: event.uuid, code: event.code });
      state = event.state;
      for (const uuid of event.uuids) xids.listensTo(uuid);
    },
    close: () => {
      state = 'down';
    },
  };
}

// Not a failure of the source: the GPUs that this node had are missing, and somebody must hear that.
const noGpu: ReadFailure = {
  uuid: undefined,
  reason: 'no_gpu',
  message: 'The driver answers, but it lists no GPU: look into dmesg for messages of the driver (NVRM) at its start.',
};

interface Taken {
  readonly reading: NvmlReading;
  readonly takenAtMs: number;
}

// A caller that gives up does not end the round: it may be what tells which GPU hangs. The next caller joins it.
function createRound(driver: Driver, now: () => number) {
  let underWay: Promise<Taken> | undefined;
  const begin = async (): Promise<Taken> => {
    try {
      const reading = await driver.read();
      return { reading, takenAtMs: now() };
    } finally {
      underWay = undefined;
    }
  };
  return {
    join: async (signal: AbortSignal): Promise<Taken> => {
      signal.throwIfAborted();
      underWay ??= begin();
      const taken = await unlessAborted(underWay, signal);
      signal.throwIfAborted();
      return taken;
    },
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

interface Findings extends Taken {
  readonly driver: Driver;
  readonly met: MetGpus;
  readonly xids: XidLedger;
}

function snapshotOf({ reading, takenAtMs, driver, met, xids }: Findings): Snapshot {
  return {
    takenAtMs,
    driverVersion: reading.driverVersion,
    nvmlVersion: reading.nvmlVersion,
    gpus: reading.gpus.map(xids.mark),
    health: {
      failures: failuresOf(reading, driver.supervision()).map((failure) => identified(failure, reading, met)),
      callErrors: driver.callErrors(),
    },
    xids: xids.take(),
    counterEpoch: reading.counterEpoch,
  };
}

function failuresOf({ gpus, failures, memory }: NvmlReading, state: SupervisionState): readonly ReadFailure[] {
  const suspects = suspectsLeftOut(state).map(([gpu, suspect]) => failureOf(gpu, suspect, memory));
  const all = [...failures, ...suspects];
  return gpus.length === 0 && all.length === 0 ? [noGpu] : all;
}

function identified(failure: ReadFailure, { memory }: NvmlReading, met: MetGpus): ReadFailure {
  const identity = failure.uuid === undefined ? undefined : met.identityOf(failure.uuid, memory.gpus);
  return identity === undefined ? failure : { ...failure, identity };
}

function failureOf(gpu: string, { how, step }: Suspect, memory: ReaderMemory): ReadFailure {
  const known = memory.gpus.find(({ uuid }) => uuid === gpu);
  const name = known === undefined ? gpuName(gpu) : `GPU ${known.index} (${gpu})`;
  const what = how === 'crashed' ? 'a driver call crashed' : 'a driver call did not come back';
  const message = `${name}: ${what} (${step}). It is left out, and tried again alone after pauses that grow.`;
  return { uuid: isUuid(gpu) ? gpu : undefined, reason: how, message };
}

// The reader names a GPU by its index until it has been told the UUID.
function isUuid(name: string): boolean {
  return !name.startsWith('index:');
}
