/** What a source of GPU readings hands to the exporter. Readings and health are separate: neither is guessed from the other. */

import type { GpuReadings } from './readings.ts';

/** Who a GPU is; constant for as long as the GPU stays in its slot. */
export interface GpuIdentity {
  /** NVML index; `gpu` and `device` labels are made from it. */
  readonly index: number;
  /** `GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
  readonly uuid: string;
  /** Eight-digit domain and upper-case hex, as DCGM writes it: `00000000:07:00.0`. */
  readonly pciBusId: string;
  readonly modelName: string;
  /** Number of the device node: `/dev/nvidia3`. */
  readonly minorNumber?: number | undefined;
  readonly serial?: string | undefined;
  readonly brand?: string | undefined;
  readonly vbiosVersion?: string | undefined;
  readonly inforomImageVersion?: string | undefined;
  readonly oemInforomVersion?: string | undefined;
  readonly eccInforomVersion?: string | undefined;
  readonly powerInforomVersion?: string | undefined;
}

/** One MIG device. Its utilization is not known to NVML; its memory is. */
export interface MigInstance {
  /** `MIG-xxxxxxxx-…`. */
  readonly uuid: string;
  readonly gpuInstanceId: number;
  readonly computeInstanceId: number;
  /** Slices and memory, as nvidia-smi writes it: `1g.10gb`. */
  readonly profile: string;
  readonly framebufferTotalMib?: number | undefined;
  readonly framebufferFreeMib?: number | undefined;
  readonly framebufferUsedMib?: number | undefined;
  readonly framebufferReservedMib?: number | undefined;
  readonly smCount?: number | undefined;
  readonly graphicsEngineActiveRatio?: number | undefined;
  readonly smActiveRatio?: number | undefined;
  readonly smOccupancyRatio?: number | undefined;
  readonly tensorActiveRatio?: number | undefined;
  readonly dramActiveRatio?: number | undefined;
}

/** One process that uses a GPU: each is listed once, with the sum of what it uses, and the largest users of memory come first. */
export interface GpuProcess {
  readonly pid: number;
  /** Name of the executable, without its directory. */
  readonly name: string;
  readonly kind: 'compute' | 'graphics';
  readonly usedMemoryMib?: number | undefined;
}

/** What one NVLink of a GPU says. Counters start at the load of the driver. */
export interface NvlinkReadings {
  readonly link: number;
  readonly isActive: boolean;
  readonly crcFlitErrors?: number | undefined;
  readonly crcDataErrors?: number | undefined;
  readonly replayErrors?: number | undefined;
  readonly recoveryErrors?: number | undefined;
}

export interface GpuSample extends GpuIdentity, GpuReadings {
  /** Empty or absent while MIG is off. */
  readonly migInstances?: readonly MigInstance[] | undefined;
  readonly nvlinks?: readonly NvlinkReadings[] | undefined;
  /** Absent unless processes were asked for. */
  readonly processes?: readonly GpuProcess[] | undefined;
}

/** One XID the driver reported. */
export interface XidEvent {
  readonly atMs: number;
  /** Undefined when the event names no GPU that is known. */
  readonly uuid: string | undefined;
  readonly code: number;
}

/** One thing that could not be read. `uuid` is undefined when the failure belongs to no single GPU. */
export interface ReadFailure {
  readonly uuid: string | undefined;
  /** Short and stable, for counting: `gpu_is_lost`, `wedged`, `crashed`, `reset_required`, `no_gpu`. */
  readonly reason: string;
  /** For people: what is wrong and what it means. */
  readonly message: string;
  /** Which GPU it is, where that is still known though it cannot be read: a GPU that was never seen well is remembered by it. */
  readonly identity?: GpuIdentity | undefined;
}

/** How often one driver call has failed with one code since the exporter started; "not supported" is no failure. */
export interface CallErrorCount {
  /** `nvmlDeviceGetTemperature`. */
  readonly call: string;
  /** In lower case, as failures are named: `gpu_is_lost`, `unknown`. */
  readonly code: string;
  readonly count: number;
}

/** What went wrong beside the readings that did succeed: one lost GPU never costs the others. */
export interface Health {
  readonly failures: readonly ReadFailure[];
  readonly callErrors?: readonly CallErrorCount[] | undefined;
}

export interface Snapshot {
  /** On the clock that was handed to the source, in milliseconds since the epoch. */
  readonly takenAtMs: number;
  readonly driverVersion: string | undefined;
  readonly nvmlVersion?: string | undefined;
  readonly gpus: readonly GpuSample[];
  readonly health: Health;
  /** XIDs since the snapshot before this one; none is delivered twice, none is lost to a failed read. */
  readonly xids?: readonly XidEvent[] | undefined;
  /** Says that counters which live in the driver have started anew: changes with each load of the driver. */
  readonly counterEpoch?: string | undefined;
}

/** The machinery behind a source, for self-metrics. */
export interface SourceStatus {
  /** Replaced driver processes, by reason: `wedged`, `crashed`, `driver_reloaded`. */
  readonly childRestarts: Readonly<Record<string, number>>;
  /** Driver processes that could not even be killed, and are left behind at the moment. */
  readonly abandonedChildren: number;
  /** `unsupported` where no GPU can report XIDs, `down` while nobody listens for them. */
  readonly xidWatch: 'watching' | 'unsupported' | 'down';
}

/** Where readings come from. */
export interface Source {
  /** Reads every GPU once. Rejects when nothing at all could be read; gives up when `signal` aborts. */
  read(signal: AbortSignal): Promise<Snapshot>;
  close(): Promise<void>;
  /** Absent for sources that have no machinery. */
  status?(): SourceStatus;
}
