/**
 * GPM, the profiling counters of Hopper and later: ratios over the time between two samples. The samples are kept from round to
 * round, so that a reading costs one new sample and never waits.
 */

import type { GpuReadings } from '../../readings.ts';
import { bytesPerSecond, ratio } from './bounds.ts';
import { isOrdinary } from './codes.ts';
import type { Inquiry } from './inquiry.ts';
import type { NvmlLibrary } from './library.ts';
import type { GpmSamples } from './lists.ts';
import type { Handle } from './slots.ts';

// The driver refreshes its counters ten times a second: metrics between closer samples say nothing.
const minIntervalMs = 100;

interface Metric {
  readonly id: number;
  readonly reading: keyof GpuReadings;
  readonly take: (value: number) => number | undefined;
}

const instanceMetrics = [
  { id: 1, reading: 'graphicsEngineActiveRatio', take: ratio },
  { id: 2, reading: 'smActiveRatio', take: ratio },
  { id: 3, reading: 'smOccupancyRatio', take: ratio },
  { id: 5, reading: 'tensorActiveRatio', take: ratio },
  { id: 10, reading: 'dramActiveRatio', take: ratio },
] as const satisfies readonly Metric[];

export const gpuMetrics: readonly Metric[] = [
  ...instanceMetrics,
  { id: 11, reading: 'fp64ActiveRatio', take: ratio },
  { id: 12, reading: 'fp32ActiveRatio', take: ratio },
  { id: 13, reading: 'fp16ActiveRatio', take: ratio },
  { id: 20, reading: 'pcieTransmitBytesPerSecond', take: bytesPerSecond },
  { id: 21, reading: 'pcieReceiveBytesPerSecond', take: bytesPerSecond },
  { id: 60, reading: 'nvlinkReceiveBytesPerSecond', take: bytesPerSecond },
  { id: 61, reading: 'nvlinkTransmitBytesPerSecond', take: bytesPerSecond },
];

/** What GPM says about one GPU instance of MIG. */
export type InstanceProfile = Pick<GpuReadings, (typeof instanceMetrics)[number]['reading']>;

export interface Profiler {
  /** The readings of a whole GPU since the last round; empty at the first, and where the card has no GPM. */
  gpu(inquiry: Inquiry, gpu: Profiled): GpuReadings;
  /** The same for one GPU instance of MIG. */
  instance(inquiry: Inquiry, gpu: Profiled, gpuInstanceId: number): InstanceProfile;
  /** Ends a round: frees what was not read in it, but for the GPUs that were left out. */
  sweep(leftOut: ReadonlySet<string>): void;
  /** Frees everything. */
  close(): void;
}

interface Profiled {
  readonly device: Handle;
  readonly uuid: string;
}

interface Profile {
  readonly uuid: string;
  /** Two samples that take turns: `earlier` is filled once there was a first round. */
  readonly samples: GpmSamples;
  /** When `earlier` was taken; undefined before the first round. */
  readonly takenAtMs: number | undefined;
  readonly readings: GpuReadings;
}

interface Measurement {
  readonly uuid: string;
  readonly key: string;
  readonly metrics: readonly Metric[];
  readonly take: (sample: Handle) => boolean;
}

export function createProfiler(library: NvmlLibrary, now: () => number): Profiler {
  const profiles = new Map<string, Profile>();
  const supported = new Map<string, boolean>();
  const usedKeys = new Set<string>();

  function isSupported(inquiry: Inquiry, { device, uuid }: Profiled): boolean {
    const known = supported.get(uuid);
    if (known !== undefined) return known;
    const { code, value } = inquiry.ask('nvmlGpmQueryDeviceSupport', device);
    const answer = value !== undefined && value.isSupportedDevice !== 0;
    if (isOrdinary('nvmlGpmQueryDeviceSupport', code)) supported.set(uuid, answer);
    return answer;
  }

  function measure(inquiry: Inquiry, { uuid, key, metrics, take }: Measurement): GpuReadings {
    usedKeys.add(key);
    const profile = profiles.get(key) ?? newProfile(inquiry, uuid);
    if (profile === undefined) return {};
    const next = advance(inquiry, { profile, metrics, take, atMs: now() });
    profiles.set(key, next);
    return next.readings;
  }

  function free(key: string, { samples }: Profile): void {
    profiles.delete(key);
    library.call('nvmlGpmSampleFree', samples.earlier);
    library.call('nvmlGpmSampleFree', samples.later);
  }

  return {
    gpu: (inquiry, { device, uuid }) => {
      if (!isSupported(inquiry, { device, uuid })) return {};
      const take = (sample: Handle) => inquiry.ask('nvmlGpmSampleGet', device, sample).code === 0;
      return measure(inquiry, { uuid, key: uuid, metrics: gpuMetrics, take });
    },
    instance: (inquiry, { device, uuid }, id) => {
      if (!isSupported(inquiry, { device, uuid })) return {};
      const take = (sample: Handle) => inquiry.ask('nvmlGpmMigSampleGet', device, id, sample).code === 0;
      return measure(inquiry, { uuid, key: `${uuid}/${id}`, metrics: instanceMetrics, take });
    },
    sweep: (leftOut) => {
      for (const [key, profile] of profiles) {
        if (!usedKeys.has(key) && !leftOut.has(profile.uuid)) free(key, profile);
      }
      usedKeys.clear();
    },
    close: () => {
      for (const [key, profile] of profiles) free(key, profile);
      supported.clear();
    },
  };
}

function newProfile(inquiry: Inquiry, uuid: string): Profile | undefined {
  const earlier = inquiry.value('nvmlGpmSampleAlloc');
  const later = inquiry.value('nvmlGpmSampleAlloc');
  if (earlier === undefined || later === undefined) return undefined;
  return { uuid, samples: { earlier, later }, takenAtMs: undefined, readings: {} };
}

type Step = Pick<Measurement, 'metrics' | 'take'> & { readonly profile: Profile; readonly atMs: number };

function advance(inquiry: Inquiry, { profile, metrics, take, atMs }: Step): Profile {
  const { samples, takenAtMs } = profile;
  const { earlier, later } = samples;
  if (takenAtMs === undefined) return take(earlier) ? { ...profile, takenAtMs: atMs } : profile;
  if (atMs - takenAtMs < minIntervalMs) return profile;
  if (!take(later)) return { ...profile, readings: {} };
  const readings = readMetrics(inquiry, samples, metrics);
  return { ...profile, samples: { earlier: later, later: earlier }, takenAtMs: atMs, readings };
}

function readMetrics(inquiry: Inquiry, samples: GpmSamples, metrics: readonly Metric[]): GpuReadings {
  const ids = metrics.map(({ id }) => id);
  const answers = inquiry.value('nvmlGpmMetricsGet', samples, ids) ?? [];
  const entries = metrics.map(({ reading, take }, index) => {
    const { nvmlReturn = 0, value = Number.NaN } = answers[index] ?? {};
    inquiry.note('nvmlGpmMetricsGet', nvmlReturn);
    return [reading, nvmlReturn === 0 ? take(value) : undefined] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
