/** Every symbol of NVML that is used: one row is one symbol. A name with a version is bound as such; the plain name is the old ABI. */

import { layouts } from './layouts.ts';
import { eventWait, fieldValues, gpmMetrics, licences, processList } from './lists.ts';
import {
  action,
  type CallRow,
  getter,
  handle,
  numbersGetter,
  required,
  struct,
  structWith,
  text,
  u32,
  u64,
} from './slots.ts';

const device = 'pointer';

export const calls = {
  nvmlInit_v2: required(action()),
  nvmlShutdown: required(action()),
  nvmlSystemGetDriverVersion: getter([], text(80)),
  nvmlSystemGetNVMLVersion: getter([], text(80)),
  nvmlDeviceGetCount_v2: required(getter([], u32)),
  nvmlDeviceGetHandleByIndex_v2: required(getter(['uint'], handle)),

  nvmlDeviceGetUUID: required(getter([device], text(96))),
  nvmlDeviceGetName: getter([device], text(96)),
  nvmlDeviceGetPciInfo_v3: getter([device], struct(layouts.nvmlPciInfo_t)),
  nvmlDeviceGetMinorNumber: getter([device], u32),
  nvmlDeviceGetSerial: getter([device], text(30)),
  nvmlDeviceGetBrand: getter([device], u32),
  nvmlDeviceGetVbiosVersion: getter([device], text(32)),
  nvmlDeviceGetInforomImageVersion: getter([device], text(16)),
  nvmlDeviceGetInforomVersion: getter([device, 'uint'], text(16)),

  nvmlDeviceGetClockInfo: getter([device, 'uint'], u32),
  nvmlDeviceGetMaxClockInfo: getter([device, 'uint'], u32),
  nvmlDeviceGetCurrentClocksEventReasons: getter([device], u64),
  nvmlDeviceGetCurrentClocksThrottleReasons: getter([device], u64),

  nvmlDeviceGetTemperatureV: getter([device], structWith(layouts.nvmlTemperature_v1_t, 'sensorType', 0)),
  nvmlDeviceGetTemperature: getter([device, 'uint'], u32),
  nvmlDeviceGetTemperatureThreshold: getter([device, 'uint'], u32),
  nvmlDeviceGetFanSpeed: getter([device], u32),

  nvmlDeviceGetPowerUsage: getter([device], u32),
  nvmlDeviceGetPowerManagementLimit: getter([device], u32),
  nvmlDeviceGetEnforcedPowerLimit: getter([device], u32),
  nvmlDeviceGetPowerManagementDefaultLimit: getter([device], u32),
  nvmlDeviceGetPowerManagementLimitConstraints: numbersGetter([device], ['minimum', 'maximum']),
  nvmlDeviceGetTotalEnergyConsumption: getter([device], u64),

  nvmlDeviceGetUtilizationRates: getter([device], struct(layouts.nvmlUtilization_t)),
  nvmlDeviceGetEncoderUtilization: numbersGetter([device], ['utilization', 'samplingPeriodUs']),
  nvmlDeviceGetDecoderUtilization: numbersGetter([device], ['utilization', 'samplingPeriodUs']),
  nvmlDeviceGetMemoryInfo_v2: getter([device], struct(layouts.nvmlMemory_v2_t)),
  nvmlDeviceGetMemoryInfo: getter([device], struct(layouts.nvmlMemory_t)),
  nvmlDeviceGetBAR1MemoryInfo: getter([device], struct(layouts.nvmlBAR1Memory_t)),

  nvmlDeviceGetPcieReplayCounter: getter([device], u32),
  nvmlDeviceGetCurrPcieLinkGeneration: getter([device], u32),
  nvmlDeviceGetCurrPcieLinkWidth: getter([device], u32),
  nvmlDeviceGetMaxPcieLinkGeneration: getter([device], u32),
  nvmlDeviceGetMaxPcieLinkWidth: getter([device], u32),
  nvmlDeviceGetNvLinkState: getter([device, 'uint'], u32),
  nvmlDeviceGetNvLinkErrorCounter: getter([device, 'uint', 'uint'], u64),

  nvmlDeviceGetFieldValues: fieldValues,
  nvmlDeviceGetRemappedRows: numbersGetter([device], ['correctable', 'uncorrectable', 'isPending', 'hasFailed']),
  nvmlDeviceGetPerformanceState: getter([device], u32),
  nvmlDeviceGetPersistenceMode: getter([device], u32),
  nvmlDeviceGetEccMode: numbersGetter([device], ['current', 'pending']),
  nvmlDeviceGetComputeMode: getter([device], u32),
  nvmlDeviceGetGridLicensableFeatures_v4: licences,
  nvmlDeviceGetGpuFabricInfoV: getter([device], struct(layouts.nvmlGpuFabricInfo_v2_t)),
  nvmlDeviceGetGpuFabricInfo: getter([device], struct(layouts.nvmlGpuFabricInfo_t)),

  nvmlDeviceGetMigMode: numbersGetter([device], ['current', 'pending']),
  nvmlDeviceGetMaxMigDeviceCount: getter([device], u32),
  nvmlDeviceGetMigDeviceHandleByIndex: getter([device, 'uint'], handle),
  nvmlDeviceGetGpuInstanceId: getter([device], u32),
  nvmlDeviceGetComputeInstanceId: getter([device], u32),
  nvmlDeviceGetAttributes_v2: getter([device], struct(layouts.nvmlDeviceAttributes_t)),

  nvmlDeviceGetComputeRunningProcesses_v3: processList,
  nvmlDeviceGetGraphicsRunningProcesses_v3: processList,
  nvmlDeviceGetMPSComputeRunningProcesses_v3: processList,

  nvmlGpmQueryDeviceSupport: getter([device], struct(layouts.nvmlGpmSupport_t)),
  nvmlGpmSampleAlloc: getter([], handle),
  nvmlGpmSampleFree: action('pointer'),
  nvmlGpmSampleGet: action(device, 'pointer'),
  nvmlGpmMigSampleGet: action(device, 'uint', 'pointer'),
  nvmlGpmMetricsGet: gpmMetrics,

  nvmlEventSetCreate: getter([], handle),
  nvmlEventSetFree: action('pointer'),
  nvmlDeviceGetSupportedEventTypes: getter([device], u64),
  nvmlDeviceRegisterEvents: action(device, 'uint64', 'pointer'),
  nvmlEventSetWait_v2: eventWait,
} satisfies Readonly<Record<string, CallRow<readonly never[], unknown>>>;

type Calls = typeof calls;
export type CallName = keyof Calls;
export type CallArguments<Name extends CallName> = Parameters<Calls[Name]['pack']>;
export type CallValue<Name extends CallName> = ReturnType<ReturnType<Calls[Name]['pack']>['read']>;
