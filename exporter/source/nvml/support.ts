/** What each GPU can say, call by call: the data of `gpu-uptime doctor`. Plain data: it passes between processes. */

import type { GpuReadings } from '../../readings.ts';
import type { CallName } from './calls.ts';
import { code, codeName } from './codes.ts';
import { driverFailure, gpuFailure } from './failures.ts';
import { askFields, fields } from './fields.ts';
import { traits } from './identity.ts';
import { createInquiry, createTally, type Inquiry } from './inquiry.ts';
import type { Answer, NvmlLibrary } from './library.ts';
import { gpuMetrics } from './profiling.ts';
import type { Progress } from './reading.ts';
import { readingsOf, sensors } from './sensors.ts';
import type { Handle } from './slots.ts';
import { xidEvent } from './xid.ts';

export interface SupportReport {
  /** The library, as it was asked for. */
  readonly library: string;
  readonly driverVersion: string | undefined;
  readonly nvmlVersion: string | undefined;
  /** Why nothing could be asked at all; undefined when something could. */
  readonly unavailable: Unavailable | undefined;
  readonly gpus: readonly GpuSupport[];
}

export interface GpuSupport {
  readonly index: number;
  readonly uuid: string | undefined;
  /** Why it cannot be asked, or stopped to answer; undefined when all is well. */
  readonly unavailable: Unavailable | undefined;
  readonly calls: readonly CallSupport[];
}

export interface Unavailable {
  readonly reason: string;
  readonly message: string;
}

/** One question to one GPU. */
export interface CallSupport {
  /** With what it asks for, where one call answers several questions: `nvmlDeviceGetClockInfo(1)`. */
  readonly call: string;
  /** `success`, `not_supported`, `no_permission` … */
  readonly code: string;
  /** What it is for: names of readings, and of what else a sample holds. */
  readonly feeds: readonly string[];
  /** What came out of it. Empty although it succeeded: it said what no working sensor says. */
  readonly values: Readonly<Record<string, number | string>>;
}

/** Asks every question of every GPU once. Blocks; never throws for an answer of the driver. */
export function inspectSupport(library: NvmlLibrary, progress: Progress): SupportReport {
  progress(undefined, 'nvmlInit_v2');
  const inquiry = createInquiry(library, createTally());
  const init = inquiry.ask('nvmlInit_v2');
  if (init.code !== 0) return refused(library, init.code);
  const report = inspectDriver(library, inquiry, progress);
  library.call('nvmlShutdown');
  return report;
}

function inspectDriver(library: NvmlLibrary, inquiry: Inquiry, progress: Progress): SupportReport {
  const driverVersion = inquiry.value('nvmlSystemGetDriverVersion');
  const nvmlVersion = inquiry.value('nvmlSystemGetNVMLVersion');
  const count = inquiry.ask('nvmlDeviceGetCount_v2');
  const gpus = Array.from({ length: count.value ?? 0 }, (_, index) => inspectGpu(library, index, progress));
  const unavailable = count.value === undefined ? driverFailure(count.code) : undefined;
  return { library: library.path, driverVersion, nvmlVersion, unavailable, gpus };
}

function refused(library: NvmlLibrary, number: number): SupportReport {
  const unavailable = driverFailure(number);
  return { library: library.path, driverVersion: undefined, nvmlVersion: undefined, unavailable, gpus: [] };
}

function inspectGpu(library: NvmlLibrary, index: number, progress: Progress): GpuSupport {
  progress(`index:${index}`, 'enumeration');
  const inquiry = createInquiry(library, createTally());
  const device = inquiry.ask('nvmlDeviceGetHandleByIndex_v2', index);
  if (device.value === undefined) return closed({ index, uuid: undefined, code: device.code });
  const { value: uuid } = inquiry.ask('nvmlDeviceGetUUID', device.value);
  progress(uuid ?? `index:${index}`, 'support');
  const calls = [...inspectPlain(inquiry, device.value), ...inspectLists(inquiry, device.value)];
  const failure = inquiry.failure();
  const unavailable = failure === undefined ? undefined : closed({ index, uuid, code: failure }).unavailable;
  return { index, uuid, unavailable, calls };
}

function closed(gpu: { readonly index: number; readonly uuid: string | undefined; readonly code: number }): GpuSupport {
  const { reason, message } = gpuFailure(gpu);
  return { index: gpu.index, uuid: gpu.uuid, unavailable: { reason, message }, calls: [] };
}

function inspectPlain(inquiry: Inquiry, device: Handle): readonly CallSupport[] {
  const identity = traits.map(({ call, argument, feeds, ask }) => {
    const { code, value } = ask(inquiry, device);
    const values = value === undefined ? {} : { [feeds]: value };
    return { call: callText(call, argument), code: codeName(code), feeds: [feeds], values };
  });
  const readings = sensors.map(({ call, argument, feeds, ask }) => {
    const { code, value } = ask(inquiry, device);
    return { call: callText(call, argument), code: codeName(code), feeds, values: present(value) };
  });
  return [...identity, ...readings, ...inspectFields(inquiry, device)];
}

function inspectFields(inquiry: Inquiry, device: Handle): readonly CallSupport[] {
  return askFields(inquiry, device).map(({ code, value }, index) => {
    const { fieldId, feeds } = fields[index] ?? { fieldId: -1, feeds: {} };
    const values = present(readingsOf(feeds, value));
    const call = callText('nvmlDeviceGetFieldValues', fieldId);
    return { call, code: codeName(code), feeds: Object.keys(feeds), values };
  });
}

const processCalls = [
  'nvmlDeviceGetComputeRunningProcesses_v3',
  'nvmlDeviceGetMPSComputeRunningProcesses_v3',
  'nvmlDeviceGetGraphicsRunningProcesses_v3',
] as const;

const manyProcesses = 1024;

function inspectLists(inquiry: Inquiry, device: Handle): readonly CallSupport[] {
  const link = inquiry.ask('nvmlDeviceGetNvLinkState', device, 0);
  const instances = inquiry.ask('nvmlDeviceGetMaxMigDeviceCount', device);
  const events = inquiry.ask('nvmlDeviceGetSupportedEventTypes', device);
  const processes = processCalls.map((call) => {
    const answer = inquiry.ask(call, device, manyProcesses);
    return supportOf(call, 'processes', answer, (rows) => rows.length);
  });
  return [
    supportOf(callText('nvmlDeviceGetNvLinkState', 0), 'nvlinks', link, (isActive) => isActive),
    supportOf('nvmlDeviceGetMaxMigDeviceCount', 'migInstances', instances, (slots) => slots || undefined),
    ...processes,
    supportOf('nvmlDeviceGetSupportedEventTypes', 'lastXid', events, (types) => (types ?? 0) & xidEvent || undefined),
    inspectProfiling(inquiry, device),
  ];
}

// Support is what the card has; that a sample can be taken is what this user may do.
function inspectProfiling(inquiry: Inquiry, device: Handle): CallSupport {
  const number = askForSample(inquiry, device);
  const feeds = gpuMetrics.map(({ reading }) => reading);
  return { call: 'nvmlGpmSampleGet', code: codeName(number), feeds, values: number === 0 ? { profiling: 1 } : {} };
}

function askForSample(inquiry: Inquiry, device: Handle): number {
  const support = inquiry.ask('nvmlGpmQueryDeviceSupport', device);
  if (support.value === undefined) return support.code;
  if (support.value.isSupportedDevice === 0) return code.notSupported;
  const sample = inquiry.ask('nvmlGpmSampleAlloc');
  if (sample.value === undefined) return sample.code;
  const taken = inquiry.ask('nvmlGpmSampleGet', device, sample.value);
  inquiry.ask('nvmlGpmSampleFree', sample.value);
  return taken.code;
}

function supportOf<T>(
  call: string,
  feeds: string,
  { code, value }: Answer<T>,
  take: (value: T) => number | undefined,
): CallSupport {
  const taken = value === undefined ? undefined : take(value);
  return { call, code: codeName(code), feeds: [feeds], values: taken === undefined ? {} : { [feeds]: taken } };
}

function present(readings: GpuReadings | undefined): Readonly<Record<string, number>> {
  const entries = Object.entries(readings ?? {});
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function callText(call: CallName, argument: number | undefined): string {
  return argument === undefined ? call : `${call}(${argument})`;
}
