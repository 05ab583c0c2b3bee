/** What each call of one device says: one row is one question, and the readings that come out of its answer. */

import { fabricCompleted } from '../../fabric-state.ts';
import type { GpuReadings } from '../../readings.ts';
import { celsius, count, count32, fanPercent, flag, mebibytes, megahertz, percent, upTo, watts } from './bounds.ts';
import type { CallArguments, CallName, CallValue } from './calls.ts';
import type { Inquiry } from './inquiry.ts';
import type { Answer } from './library.ts';
import type { Licences } from './lists.ts';
import type { Handle } from './slots.ts';

export type ReadingName = keyof GpuReadings;

/** How readings come out of the answer to one question. */
type Takes<Value> = { readonly [Name in ReadingName]?: (value: Value) => number | undefined };

export interface Sensor {
  readonly call: CallName;
  /** What is asked for beside the device, for people; undefined where the call takes nothing else. */
  readonly argument: number | undefined;
  readonly feeds: readonly ReadingName[];
  readonly ask: (inquiry: Inquiry, device: Handle) => Answer<GpuReadings>;
}

type DeviceCall = { [Name in CallName]: CallArguments<Name> extends [Handle, ...number[]] ? Name : never }[CallName];
type MoreArguments<Name extends DeviceCall> = CallArguments<Name> extends [Handle, ...infer Rest] ? Rest : never;

function sensor<Name extends DeviceCall>(call: Name, args: MoreArguments<Name>, takes: Takes<CallValue<Name>>): Sensor {
  const feeds = Object.keys(takes) as readonly ReadingName[];
  const [argument] = args as readonly number[];
  return {
    call,
    argument,
    feeds,
    ask: (inquiry, device) => {
      const { code, value } = inquiry.ask(call, ...([device, ...args] as unknown as CallArguments<Name>));
      return { code, value: value === undefined ? undefined : readingsOf(takes, value) };
    },
  };
}

/** The readings that are there, each by its name. */
export function readingsOf<Value>(takes: Takes<Value>, value: Value): GpuReadings {
  const entries = Object.entries(takes).map(([name, take]) => [name, take(value)] as const);
  return Object.fromEntries(entries.filter(([, reading]) => reading !== undefined));
}

const clock = { graphics: 0, sm: 1, memory: 2, video: 3 };
const threshold = { shutdown: 0, slowdown: 1, maxMemory: 2, maxGpu: 3 };
const gpuSensor = 0;
const vgpuFeature = 1;

/** In order of preference: a row whose readings are all there already is not asked. */
export const sensors: readonly Sensor[] = [
  sensor('nvmlDeviceGetTemperatureV', [], { gpuTemperatureCelsius: ({ temperature }) => celsius(temperature) }),
  sensor('nvmlDeviceGetTemperature', [gpuSensor], { gpuTemperatureCelsius: celsius }),
  sensor('nvmlDeviceGetTemperatureThreshold', [threshold.slowdown], { slowdownTemperatureCelsius: celsius }),
  sensor('nvmlDeviceGetTemperatureThreshold', [threshold.shutdown], { shutdownTemperatureCelsius: celsius }),
  sensor('nvmlDeviceGetTemperatureThreshold', [threshold.maxGpu], { maxGpuTemperatureCelsius: celsius }),
  sensor('nvmlDeviceGetTemperatureThreshold', [threshold.maxMemory], { maxMemoryTemperatureCelsius: celsius }),
  sensor('nvmlDeviceGetFanSpeed', [], { fanSpeedPercent: fanPercent }),

  sensor('nvmlDeviceGetClockInfo', [clock.sm], { smClockMhz: megahertz }),
  sensor('nvmlDeviceGetClockInfo', [clock.memory], { memoryClockMhz: megahertz }),
  sensor('nvmlDeviceGetClockInfo', [clock.graphics], { graphicsClockMhz: megahertz }),
  sensor('nvmlDeviceGetClockInfo', [clock.video], { videoClockMhz: megahertz }),
  sensor('nvmlDeviceGetMaxClockInfo', [clock.sm], { maxSmClockMhz: megahertz }),
  sensor('nvmlDeviceGetMaxClockInfo', [clock.memory], { maxMemoryClockMhz: megahertz }),
  sensor('nvmlDeviceGetCurrentClocksEventReasons', [], { clocksEventReasons: count32 }),
  sensor('nvmlDeviceGetCurrentClocksThrottleReasons', [], { clocksEventReasons: count32 }),

  sensor('nvmlDeviceGetPowerUsage', [], { powerWatts: watts }),
  sensor('nvmlDeviceGetPowerManagementLimit', [], { powerLimitWatts: watts }),
  sensor('nvmlDeviceGetEnforcedPowerLimit', [], { enforcedPowerLimitWatts: watts }),
  sensor('nvmlDeviceGetPowerManagementDefaultLimit', [], { defaultPowerLimitWatts: watts }),
  sensor('nvmlDeviceGetPowerManagementLimitConstraints', [], {
    minPowerLimitWatts: ({ minimum }) => watts(minimum),
    maxPowerLimitWatts: ({ maximum }) => watts(maximum),
  }),
  sensor('nvmlDeviceGetTotalEnergyConsumption', [], { energyMillijoules: count }),

  sensor('nvmlDeviceGetUtilizationRates', [], {
    gpuUtilPercent: ({ gpu }) => percent(gpu),
    memoryCopyUtilPercent: ({ memory }) => percent(memory),
  }),
  sensor('nvmlDeviceGetEncoderUtilization', [], { encoderUtilPercent: ({ utilization }) => percent(utilization) }),
  sensor('nvmlDeviceGetDecoderUtilization', [], { decoderUtilPercent: ({ utilization }) => percent(utilization) }),

  sensor('nvmlDeviceGetMemoryInfo_v2', [], {
    framebufferTotalMib: ({ total }) => mebibytes(total),
    framebufferFreeMib: ({ free }) => mebibytes(free),
    framebufferUsedMib: ({ used }) => mebibytes(used),
    framebufferReservedMib: ({ reserved }) => mebibytes(reserved),
  }),
  sensor('nvmlDeviceGetMemoryInfo', [], {
    framebufferTotalMib: ({ total }) => mebibytes(total),
    framebufferFreeMib: ({ free }) => mebibytes(free),
    framebufferUsedMib: ({ used }) => mebibytes(used),
  }),
  sensor('nvmlDeviceGetBAR1MemoryInfo', [], {
    bar1TotalMib: ({ bar1Total }) => mebibytes(bar1Total),
    bar1FreeMib: ({ bar1Free }) => mebibytes(bar1Free),
    bar1UsedMib: ({ bar1Used }) => mebibytes(bar1Used),
  }),

  sensor('nvmlDeviceGetPcieReplayCounter', [], { pcieReplays: count32 }),
  sensor('nvmlDeviceGetCurrPcieLinkGeneration', [], { pcieLinkGeneration: upTo(16) }),
  sensor('nvmlDeviceGetCurrPcieLinkWidth', [], { pcieLinkWidth: upTo(64) }),
  sensor('nvmlDeviceGetMaxPcieLinkGeneration', [], { maxPcieLinkGeneration: upTo(16) }),
  sensor('nvmlDeviceGetMaxPcieLinkWidth', [], { maxPcieLinkWidth: upTo(64) }),

  sensor('nvmlDeviceGetRemappedRows', [], {
    correctableRemappedRows: ({ correctable }) => count32(correctable),
    uncorrectableRemappedRows: ({ uncorrectable }) => count32(uncorrectable),
    rowRemapPending: ({ isPending }) => flag(isPending),
    rowRemapFailure: ({ hasFailed }) => flag(hasFailed),
  }),

  sensor('nvmlDeviceGetPerformanceState', [], { performanceState: upTo(15) }),
  sensor('nvmlDeviceGetPersistenceMode', [], { persistenceMode: flag }),
  sensor('nvmlDeviceGetEccMode', [], { eccMode: ({ current }) => flag(current) }),
  sensor('nvmlDeviceGetMigMode', [], { migMode: ({ current }) => flag(current) }),
  sensor('nvmlDeviceGetComputeMode', [], { computeMode: upTo(3) }),
  sensor('nvmlDeviceGetGridLicensableFeatures_v4', [], { vgpuLicenseStatus: licenceStatus }),
  sensor('nvmlDeviceGetGpuFabricInfoV', [], { fabricState: ({ state }) => upTo(3)(state), fabricStatus }),
  sensor('nvmlDeviceGetGpuFabricInfo', [], { fabricState: ({ state }) => upTo(3)(state), fabricStatus }),
];

/** Every reading the plain calls of a device can give, each question asked once. */
export function readSensors(inquiry: Inquiry, device: Handle): GpuReadings {
  let readings: GpuReadings = {};
  for (const { feeds, ask } of sensors) {
    if (feeds.some((name) => readings[name] === undefined)) {
      readings = { ...ask(inquiry, device).value, ...readings };
    }
  }
  return readings;
}

// The status says nothing before the registration with the fabric has come to an end.
function fabricStatus({ state, status }: { readonly state: number; readonly status: number }): number | undefined {
  return state === fabricCompleted ? status : undefined;
}

// A card that needs no licence has the status 0, as DCGM reports it.
function licenceStatus({ isSupported, features }: Licences): number | undefined {
  if (!isSupported) return 0;
  const vgpu = features.find(({ featureCode }) => featureCode === vgpuFeature);
  return vgpu === undefined ? undefined : Number(vgpu.featureState > 0);
}
