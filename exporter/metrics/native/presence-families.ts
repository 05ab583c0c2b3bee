/** Presence as metrics: every GPU ever seen, how long it could be used, and the XIDs it had. */

import type { GpuPresence, Presence } from '../../presence.ts';
import { spentSinceStart } from '../../presence-time.ts';
import type { Family, Labels, Series } from '../exposition.ts';
import { type Definition, familyOf, seconds } from './definition.ts';

const perGpu = ['uuid'];

const up: Definition = {
  name: 'gpu_up',
  type: 'gauge',
  labels: perGpu,
  help: 'Whether the GPU answers; 0 for every GPU that was ever seen and is gone. Absent while the driver as a whole cannot be read.',
};

const lastSeen: Definition = {
  name: 'gpu_last_seen_timestamp_seconds',
  type: 'gauge',
  unit: 'seconds',
  labels: perGpu,
  help: 'When the GPU last gave its readings; of one that never gave any, when it was first listed.',
};

const available: Definition = {
  name: 'gpu_available_seconds_total',
  type: 'counter',
  unit: 'seconds',
  labels: perGpu,
  help: 'Time for which the GPU answered, since the exporter was started.',
};

const unavailable: Definition = {
  name: 'gpu_unavailable_seconds_total',
  type: 'counter',
  unit: 'seconds',
  labels: ['uuid', 'reason'],
  help: 'Time for which the GPU did not answer, by reason, since the exporter was started; missing means that the driver no longer listed it.',
};

const unobserved: Definition = {
  name: 'gpu_unobserved_seconds_total',
  type: 'counter',
  unit: 'seconds',
  labels: perGpu,
  help: 'Time in which nobody could tell, since the exporter was started: the driver as a whole could not be read.',
};

const xidErrors: Definition = {
  name: 'gpu_xid_errors_total',
  type: 'counter',
  labels: ['uuid', 'xid'],
  help: 'XIDs the driver reported, by code. The codes that matter most are there from the start, with 0.',
};

const lastXid: Definition = {
  name: 'gpu_last_xid_timestamp_seconds',
  type: 'gauge',
  unit: 'seconds',
  labels: ['uuid', 'xid'],
  help: 'When the last XID was reported, and which it was; absent before the first.',
};

const expected: Definition = {
  name: 'gpu_expected',
  type: 'gauge',
  labels: [],
  help: 'GPUs this node should have: as configured, else how many are remembered.',
};

const present: Definition = {
  name: 'gpu_present',
  type: 'gauge',
  labels: [],
  help: 'GPUs that answer now. Absent while the driver as a whole cannot be read.',
};

const countersStart: Definition = {
  name: 'gpu_counters_start_timestamp_seconds',
  type: 'gauge',
  unit: 'seconds',
  labels: [],
  help: 'Since when, as far as was seen, the counters kept by the driver run: they start anew each time it is loaded.',
};

export const presenceDefinitions: readonly Definition[] = [
  up,
  lastSeen,
  available,
  unavailable,
  unobserved,
  xidErrors,
  lastXid,
  expected,
  present,
  countersStart,
];

// Counters that exist before their first event let increase() see that event.
const importantXids = [13, 31, 43, 45, 48, 63, 64, 74, 79, 92, 94, 95, 119, 120, 154];

interface PresenceInput {
  readonly presence: Presence;
  /** GPUs that answered in the published snapshot; undefined while there is none. */
  readonly presentGpus: number | undefined;
  /** As configured; undefined leaves it to what is remembered. */
  readonly expectedGpus: number | undefined;
}

export function presenceFamilies({ presence, presentGpus, expectedGpus }: PresenceInput): readonly Family[] {
  const gpus = Object.values(presence.gpus);
  const each = (definition: Definition, seriesOf: (gpu: GpuPresence, labels: Labels) => readonly Series[]) =>
    familyOf(
      definition,
      gpus.flatMap((gpu) => seriesOf(gpu, { uuid: gpu.identity.uuid })),
    );
  return [
    each(up, ({ state }, labels) => (state === 'unobserved' ? [] : [{ labels, value: state === 'available' ? 1 : 0 }])),
    each(lastSeen, ({ lastSeenMs }, labels) => [{ labels, value: seconds(lastSeenMs) }]),
    each(available, (gpu, labels) => [{ labels, value: seconds(spentSinceStart(gpu).availableMs) }]),
    each(unavailable, unavailableSeries),
    each(unobserved, (gpu, labels) => [{ labels, value: seconds(spentSinceStart(gpu).unobservedMs) }]),
    each(xidErrors, xidSeries),
    each(lastXid, ({ lastXid: xid }, { uuid = '' }) =>
      xid === undefined ? [] : [{ labels: { uuid, xid: String(xid.code) }, value: seconds(xid.atMs) }],
    ),
    single(expected, expectedGpus ?? gpus.length),
    single(present, presentGpus),
    single(countersStart, presence.counterEpoch && seconds(presence.counterEpoch.sinceMs)),
  ];
}

function unavailableSeries(gpu: GpuPresence, labels: Labels): readonly Series[] {
  const { unavailableMs } = spentSinceStart(gpu);
  return Object.entries(unavailableMs).map(([reason, ms]) => ({ labels: { ...labels, reason }, value: seconds(ms) }));
}

function xidSeries({ xids }: GpuPresence, labels: Labels): readonly Series[] {
  const codes = new Set([...importantXids, ...Object.keys(xids).map(Number)]);
  return [...codes]
    .toSorted((left, right) => left - right)
    .map((xid) => ({ labels: { ...labels, xid: String(xid) }, value: xids[xid] ?? 0 }));
}

function single(definition: Definition, value: number | undefined): Family {
  return familyOf(definition, value === undefined ? [] : [{ labels: {}, value }]);
}
