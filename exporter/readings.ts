/** One reading of every sensor and counter of a GPU. An absent field means the card cannot say, which is not the same as 0. */

type Reading = number | undefined;

export interface GpuReadings
  extends ClockReadings,
    ThermalReadings,
    PowerReadings,
    UtilizationReadings,
    MemoryReadings,
    LinkReadings,
    ErrorReadings,
    ProfilingReadings,
    StateReadings {}

interface ClockReadings {
  readonly smClockMhz?: Reading;
  readonly memoryClockMhz?: Reading;
  readonly graphicsClockMhz?: Reading;
  readonly videoClockMhz?: Reading;
  readonly maxSmClockMhz?: Reading;
  readonly maxMemoryClockMhz?: Reading;
  /** NVML's clocks-event bit mask: 0x1 idle, 0x4 software power cap, 0x8 and 0x40 hardware (thermal) slowdown. */
  readonly clocksEventReasons?: Reading;
  /** Time for which each reason held the clocks down, since the driver was loaded. */
  readonly softwarePowerCapNanoseconds?: Reading;
  readonly syncBoostNanoseconds?: Reading;
  readonly softwareThermalNanoseconds?: Reading;
  readonly hardwareThermalNanoseconds?: Reading;
  readonly hardwarePowerBrakeNanoseconds?: Reading;
  /** NVML's performance-policy violations: time lost to each policy since the driver was loaded. */
  readonly powerViolationNanoseconds?: Reading;
  readonly thermalViolationNanoseconds?: Reading;
  readonly syncBoostViolationNanoseconds?: Reading;
  readonly boardLimitViolationNanoseconds?: Reading;
  readonly lowUtilizationViolationNanoseconds?: Reading;
  readonly reliabilityViolationNanoseconds?: Reading;
}

interface ThermalReadings {
  readonly gpuTemperatureCelsius?: Reading;
  readonly memoryTemperatureCelsius?: Reading;
  /** Thresholds of the board. */
  readonly slowdownTemperatureCelsius?: Reading;
  readonly shutdownTemperatureCelsius?: Reading;
  readonly maxGpuTemperatureCelsius?: Reading;
  readonly maxMemoryTemperatureCelsius?: Reading;
  readonly fanSpeedPercent?: Reading;
}

interface PowerReadings {
  /** Averaged by the driver over a second where the card does so. */
  readonly powerWatts?: Reading;
  readonly instantPowerWatts?: Reading;
  /** The limit that was set. */
  readonly powerLimitWatts?: Reading;
  /** The limit in force, the lowest of all that apply. */
  readonly enforcedPowerLimitWatts?: Reading;
  readonly defaultPowerLimitWatts?: Reading;
  readonly minPowerLimitWatts?: Reading;
  readonly maxPowerLimitWatts?: Reading;
  /** Since the driver was loaded; never falls before the next load. */
  readonly energyMillijoules?: Reading;
}

interface UtilizationReadings {
  readonly gpuUtilPercent?: Reading;
  readonly memoryCopyUtilPercent?: Reading;
  readonly encoderUtilPercent?: Reading;
  readonly decoderUtilPercent?: Reading;
}

interface MemoryReadings {
  readonly framebufferTotalMib?: Reading;
  readonly framebufferFreeMib?: Reading;
  readonly framebufferUsedMib?: Reading;
  readonly framebufferReservedMib?: Reading;
  readonly bar1TotalMib?: Reading;
  readonly bar1UsedMib?: Reading;
  readonly bar1FreeMib?: Reading;
}

interface LinkReadings {
  readonly pcieReplays?: Reading;
  readonly pcieLinkGeneration?: Reading;
  readonly pcieLinkWidth?: Reading;
  readonly maxPcieLinkGeneration?: Reading;
  readonly maxPcieLinkWidth?: Reading;
  readonly pcieTransmitBytesPerSecond?: Reading;
  readonly pcieReceiveBytesPerSecond?: Reading;
  /** Both directions over all links. */
  readonly nvlinkMegabytesPerSecond?: Reading;
  /** Totals over all links since the driver was loaded. */
  readonly nvlinkTransmitKib?: Reading;
  readonly nvlinkReceiveKib?: Reading;
  readonly nvlinkCrcFlitErrors?: Reading;
  readonly nvlinkCrcDataErrors?: Reading;
  readonly nvlinkReplayErrors?: Reading;
  readonly nvlinkRecoveryErrors?: Reading;
}

interface ErrorReadings {
  /** The last XID seen, 0 before the first. Absent where nobody can listen for XIDs. */
  readonly lastXid?: Reading;
  /** Correctable (single-bit) errors since the driver was loaded. */
  readonly eccSbeVolatile?: Reading;
  /** Uncorrectable (double-bit) errors since the driver was loaded. */
  readonly eccDbeVolatile?: Reading;
  /** Correctable errors over the life of the card. */
  readonly eccSbeAggregate?: Reading;
  /** Uncorrectable errors over the life of the card. */
  readonly eccDbeAggregate?: Reading;
  readonly uncorrectableRemappedRows?: Reading;
  readonly correctableRemappedRows?: Reading;
  /** 1 when remapping a row has failed, else 0. */
  readonly rowRemapFailure?: Reading;
  /** 1 while a remapping waits for a reset, else 0. */
  readonly rowRemapPending?: Reading;
  readonly retiredPagesSbe?: Reading;
  readonly retiredPagesDbe?: Reading;
  /** 1 while a retirement waits for a reboot, else 0. */
  readonly retiredPagesPending?: Reading;
}

/** Ratios from 0 to 1, of Hopper and later. */
interface ProfilingReadings {
  readonly graphicsEngineActiveRatio?: Reading;
  readonly smActiveRatio?: Reading;
  readonly smOccupancyRatio?: Reading;
  readonly tensorActiveRatio?: Reading;
  readonly dramActiveRatio?: Reading;
  readonly fp64ActiveRatio?: Reading;
  readonly fp32ActiveRatio?: Reading;
  readonly fp16ActiveRatio?: Reading;
  readonly nvlinkTransmitBytesPerSecond?: Reading;
  readonly nvlinkReceiveBytesPerSecond?: Reading;
}

interface StateReadings {
  /** 0 is the fastest, 15 the slowest. */
  readonly performanceState?: Reading;
  /** 1 when on, else 0; the same for the next two. */
  readonly persistenceMode?: Reading;
  readonly eccMode?: Reading;
  readonly migMode?: Reading;
  /** 0 default, 1 exclusive thread, 2 prohibited, 3 exclusive process. */
  readonly computeMode?: Reading;
  readonly vgpuLicenseStatus?: Reading;
  /** What the driver asks for: 0 nothing, 1 reset, 2 reboot, 3 drain P2P, 4 drain and reset, 5 recover IMEX. */
  readonly recoveryAction?: Reading;
  /** 0 not supported, 1 not started, 2 in progress, 3 completed. */
  readonly fabricState?: Reading;
  /** NVML return code of the fabric's last registration; 0 is success. */
  readonly fabricStatus?: Reading;
}
