/** One GPU, read from top to bottom: readings, links, instances, profile and processes. */

import type { GpuReadings } from '../../readings.ts';
import type { GpuIdentity, GpuSample } from '../../snapshot.ts';
import { readFields } from './fields.ts';
import type { FoundGpu } from './identity.ts';
import type { Inquiry } from './inquiry.ts';
import { readMigInstances } from './mig.ts';
import { readNvlinks, sumLinkErrors, type TrafficMeter } from './nvlink.ts';
import { readProcesses } from './processes.ts';
import type { Profiler } from './profiling.ts';
import type { Progress, ReaderOptions } from './reading.ts';
import { readSensors } from './sensors.ts';

/** What lasts from one round to the next. */
export interface GpuInstruments {
  readonly options: ReaderOptions;
  readonly profiler: Profiler;
  readonly meter: TrafficMeter;
}

export interface GpuQuestion {
  readonly gpu: FoundGpu;
  readonly identity: GpuIdentity;
  readonly inquiry: Inquiry;
  readonly progress: Progress;
}

export type GpuOutcome =
  | { readonly kind: 'read'; readonly sample: GpuSample }
  /** The GPU is out of order; the little it said is worth nothing. */
  | { readonly kind: 'failed'; readonly code: number };

// What has to be measured now; limits and modes are remembered by the driver long after the card is gone.
const signsOfLife = ['gpuTemperatureCelsius', 'powerWatts', 'smClockMhz', 'framebufferUsedMib'] as const;

/** Everything the GPU says. */
export function readGpu(instruments: GpuInstruments, question: GpuQuestion): GpuOutcome {
  const { gpu, identity, inquiry } = question;
  const readings = readReadings(instruments, question);
  const sample = {
    ...identity,
    index: gpu.index,
    ...readings.own,
    nvlinks: readings.nvlinks,
    migInstances: readings.migInstances,
    processes: readings.processes,
  };
  // A GPU without a sign of life, but with errors, is as dead as one that says so.
  const isMute = signsOfLife.every((name) => readings.own[name] === undefined);
  const code = inquiry.failure() ?? (isMute ? inquiry.trouble() : undefined);
  return code === undefined ? { kind: 'read', sample } : { kind: 'failed', code };
}

type Readings = Pick<GpuSample, 'nvlinks' | 'migInstances' | 'processes'> & { readonly own: GpuReadings };

function readReadings({ options, profiler, meter }: GpuInstruments, question: GpuQuestion): Readings {
  const { gpu, inquiry, progress } = question;
  const { device, uuid } = gpu;
  progress(uuid, 'sensors');
  const sensors = readSensors(inquiry, device);
  progress(uuid, 'field values');
  const { readings: fields, linkTrafficAtUs = options.now() * 1000 } = readFields(inquiry, device);
  progress(uuid, 'nvlink');
  const nvlinks = readNvlinks(inquiry, device);
  progress(uuid, 'mig');
  const migInstances = sensors.migMode === 1 ? readMigInstances(inquiry, gpu, profiler) : undefined;
  progress(uuid, 'profiling');
  const profile = profiler.gpu(inquiry, gpu);
  const traffic = { uuid, transmitKib: fields.nvlinkTransmitKib, receiveKib: fields.nvlinkReceiveKib };
  const rate = meter.rate({ ...traffic, atUs: linkTrafficAtUs });
  const own = {
    ...sumLinkErrors(nvlinks ?? []),
    ...sensors,
    ...fields,
    ...profile,
    ...(rate === undefined ? {} : { nvlinkMegabytesPerSecond: rate }),
  };
  if (options.maxProcesses === 0) return { own, nvlinks, migInstances, processes: undefined };
  progress(uuid, 'processes');
  const nameOf = options.system.processName;
  const processes = readProcesses(inquiry, { device, max: options.maxProcesses, nameOf });
  return { own, nvlinks, migInstances, processes };
}
