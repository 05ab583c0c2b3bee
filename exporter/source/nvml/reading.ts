/** One round over all GPUs, as the reader gives it, and what a reader must be told and remembers. Plain data: it passes between processes. */

import type { CallErrorCount, GpuIdentity, GpuSample, ReadFailure } from '../../snapshot.ts';
import type { Tally } from './inquiry.ts';

export interface NvmlReader {
  /**
   * Reads every GPU once, initialising the library first where that is needed. Blocks. Never throws for an answer of the driver.
   * `progress` is told what is about to be touched: a UUID, `index:3` while no UUID is known for that index, or undefined for
   * the driver as a whole. GPUs in `skip`, by the same names, are not touched, and appear in neither `gpus` nor `failures`.
   */
  read(progress: Progress, skip: ReadonlySet<string>): NvmlReading;
  /** Gives everything back to the library, `nvmlShutdown` included. */
  close(): void;
}

export type Progress = (gpu: string | undefined, step: string) => void;

export interface ReaderOptions {
  /** Milliseconds; rates are made from its differences. */
  readonly now: () => number;
  /** How many processes to list for each GPU, the largest users of memory first; 0 does not ask for processes. */
  readonly maxProcesses: number;
  readonly system: DriverSystem;
  /** Where failed calls are counted, also those that are made beside the reader. */
  readonly tally: Tally;
  /** Told who a GPU is before anything else is asked of it, at least once in each session. */
  readonly onMet?: ((identity: GpuIdentity) => void) | undefined;
  /** What a reader before this one knew, so that GPUs and the counter epoch outlive the process. */
  readonly memory?: ReaderMemory | undefined;
}

/** What the operating system knows about the driver, without touching it. */
export interface DriverSystem {
  /** Identifies the load of the driver: another one is another load. Undefined where the system does not tell. */
  driverLoad(): string | undefined;
  /** The GPUs the driver is bound to, as one text to be compared. Undefined where the system does not tell. */
  boundGpus(): string | undefined;
  /** Name of the executable of a process, undefined where it cannot be found. */
  processName(pid: number): string | undefined;
}

export interface ReaderMemory {
  /** The last good enumeration. */
  readonly gpus: readonly KnownGpu[];
  /** How often counters were seen to start anew without a new load of the driver. */
  readonly counterRestarts: number;
}

export interface KnownGpu {
  readonly index: number;
  readonly uuid: string;
  readonly energyMillijoules?: number | undefined;
}

export interface NvmlReading {
  readonly driverVersion: string | undefined;
  readonly nvmlVersion: string | undefined;
  readonly gpus: readonly GpuSample[];
  readonly failures: readonly ReadFailure[];
  /** Since this reader was created. */
  readonly callErrors: readonly CallErrorCount[];
  readonly counterEpoch: string | undefined;
  readonly memory: ReaderMemory;
  /** Changes with each initialisation of the library: handles and event sets of an earlier one are dead. 0 while it is not initialised. */
  readonly session: number;
  /** Why the library as a whole cannot be used; then there are no GPUs. */
  readonly unavailable: { readonly reason: string; readonly message: string } | undefined;
  /** The loaded library no longer fits the driver: only a new process can load the one that does. */
  readonly needsNewProcess: boolean;
}
