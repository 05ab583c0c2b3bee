/** What a source of GPU readings hands to the exporter. Readings and health are separate: neither is guessed from the other. */

/** Who a GPU is; constant for as long as the GPU stays in its slot. */
export interface GpuIdentity {
  /** NVML index; `gpu` and `device` labels are made from it. */
  readonly index: number;
  /** `GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
  readonly uuid: string;
  /** Eight-digit domain and upper-case hex, as DCGM writes it: `00000000:07:00.0`. */
  readonly pciBusId: string;
  readonly modelName: string;
}

/** One reading of every sensor and counter. `undefined` means the card cannot say, which is not the same as 0. */
export interface GpuReadings {
  readonly smClockMhz: number | undefined;
  readonly memoryClockMhz: number | undefined;
  readonly gpuTemperatureCelsius: number | undefined;
  readonly memoryTemperatureCelsius: number | undefined;
  readonly powerWatts: number | undefined;
  /** Since the driver was loaded; never falls before the next load. */
  readonly energyMillijoules: number | undefined;
  readonly pcieReplays: number | undefined;
  readonly gpuUtilPercent: number | undefined;
  readonly memoryCopyUtilPercent: number | undefined;
  readonly encoderUtilPercent: number | undefined;
  readonly decoderUtilPercent: number | undefined;
  /** The last XID seen, 0 before the first. */
  readonly lastXid: number | undefined;
  readonly framebufferFreeMib: number | undefined;
  readonly framebufferUsedMib: number | undefined;
  readonly framebufferReservedMib: number | undefined;
  readonly nvlinkMegabytesPerSecond: number | undefined;
  readonly vgpuLicenseStatus: number | undefined;
  readonly uncorrectableRemappedRows: number | undefined;
  readonly correctableRemappedRows: number | undefined;
  /** 1 when remapping a row has failed, else 0. */
  readonly rowRemapFailure: number | undefined;
  readonly graphicsEngineActiveRatio: number | undefined;
  readonly tensorActiveRatio: number | undefined;
  readonly dramActiveRatio: number | undefined;
  readonly pcieTransmitBytesPerSecond: number | undefined;
  readonly pcieReceiveBytesPerSecond: number | undefined;
  /** Correctable (single-bit) errors since the driver was loaded. */
  readonly eccSbeVolatile: number | undefined;
  /** Uncorrectable (double-bit) errors since the driver was loaded. */
  readonly eccDbeVolatile: number | undefined;
  /** Correctable errors over the life of the card. */
  readonly eccSbeAggregate: number | undefined;
  /** Uncorrectable errors over the life of the card. */
  readonly eccDbeAggregate: number | undefined;
  /** NVML's clocks-event bit mask: 0x1 idle, 0x4 software power cap, 0x8 and 0x40 hardware (thermal) slowdown. */
  readonly clocksEventReasons: number | undefined;
}

export interface GpuSample extends GpuIdentity, GpuReadings {}

/** One thing that could not be read. `uuid` is undefined when the failure belongs to no single GPU. */
export interface ReadFailure {
  readonly uuid: string | undefined;
  /** Short and stable, for counting: `gpu_is_lost`. */
  readonly reason: string;
  /** For people: what is wrong and what it means. */
  readonly message: string;
}

/** What went wrong beside the readings that did succeed: one lost GPU never costs the others. */
export interface Health {
  readonly failures: readonly ReadFailure[];
}

export interface Snapshot {
  /** On the clock that was handed to the source, in milliseconds since the epoch. */
  readonly takenAtMs: number;
  readonly driverVersion: string | undefined;
  readonly gpus: readonly GpuSample[];
  readonly health: Health;
}

/** Where readings come from. */
export interface Source {
  /** Reads every GPU once. Rejects when nothing at all could be read; gives up when `signal` aborts. */
  read(signal: AbortSignal): Promise<Snapshot>;
  close(): Promise<void>;
}
