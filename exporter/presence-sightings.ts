/** What one reading says about each GPU: there, there but not well, or no longer listed. */

import type { GpuPresence, Presence, UnavailableReason } from './presence.ts';
import type { GpuIdentity, GpuSample, Health, Snapshot } from './snapshot.ts';

/** Every GPU that was known or is in the snapshot, judged by it; their time and XIDs are as they were. */
export function findGpus(known: Presence['gpus'], snapshot: Snapshot, atMs: number): readonly GpuPresence[] {
  const samples = new Map(snapshot.gpus.map((sample) => [sample.uuid, sample]));
  const failures = failureReasons(snapshot.health);
  const judge = (gpu: GpuPresence): GpuPresence => {
    const sample = samples.get(gpu.identity.uuid);
    const reason = failures.get(gpu.identity.uuid) ?? (sample === undefined ? 'missing' : undefined);
    return judged(sample === undefined ? gpu : seen(gpu, sample, snapshot.takenAtMs), reason, atMs);
  };
  const added = [...samples.values()].filter(({ uuid }) => known[uuid] === undefined);
  return [...Object.values(known), ...added.map((sample) => newcomer(sample, snapshot.takenAtMs))].map(judge);
}

/** The gravest first. */
const unavailableReasons: readonly UnavailableReason[] = [
  'missing',
  'gpu_is_lost',
  'reset_required',
  'wedged',
  'error',
];

const noTime: Readonly<Record<UnavailableReason, number>> = {
  missing: 0,
  gpu_is_lost: 0,
  reset_required: 0,
  wedged: 0,
  error: 0,
};

// Of several failures of one GPU the gravest counts, in whatever order they are listed.
function failureReasons({ failures }: Health): ReadonlyMap<string, UnavailableReason> {
  const named = failures.flatMap(({ uuid, reason }) =>
    uuid === undefined ? [] : [{ uuid, reason: reasonOf(reason) }],
  );
  const gravestLast = named.toSorted((left, right) => gravity(left.reason) - gravity(right.reason));
  return new Map(gravestLast.map(({ uuid, reason }) => [uuid, reason]));
}

function reasonOf(reason: string): UnavailableReason {
  return isUnavailableReason(reason) ? reason : 'error';
}

function isUnavailableReason(reason: string): reason is UnavailableReason {
  return Object.hasOwn(noTime, reason);
}

function gravity(reason: UnavailableReason): number {
  return -unavailableReasons.indexOf(reason);
}

function judged(gpu: GpuPresence, reason: UnavailableReason | undefined, atMs: number): GpuPresence {
  if (reason === undefined) return { ...gpu, state: 'available', reason, lostSinceMs: undefined };
  return { ...gpu, state: 'unavailable', reason, lostSinceMs: gpu.lostSinceMs ?? atMs };
}

function newcomer(sample: GpuSample, takenAtMs: number): GpuPresence {
  return {
    identity: identityOf(sample),
    state: 'available',
    reason: undefined,
    firstSeenMs: takenAtMs,
    lastSeenMs: takenAtMs,
    availableMs: 0,
    unavailableMs: noTime,
    unobservedMs: 0,
    xids: {},
    lastXid: undefined,
  };
}

// Indices shift when a card drops out, and firmware is updated: the identity is that of the last sighting.
function seen(gpu: GpuPresence, sample: GpuSample, takenAtMs: number): GpuPresence {
  const isSame = identityFields.every((field) => sample[field] === gpu.identity[field]);
  return { ...gpu, identity: isSame ? gpu.identity : identityOf(sample), lastSeenMs: takenAtMs };
}

const identityFields = [
  'index',
  'uuid',
  'pciBusId',
  'modelName',
  'minorNumber',
  'serial',
  'brand',
  'vbiosVersion',
  'inforomImageVersion',
  'oemInforomVersion',
  'eccInforomVersion',
  'powerInforomVersion',
] as const satisfies readonly (keyof GpuIdentity)[];

function identityOf(sample: GpuSample): GpuIdentity {
  const { index, uuid, pciBusId, modelName } = sample;
  const told = identityFields.filter((field) => sample[field] !== undefined).map((field) => [field, sample[field]]);
  return { index, uuid, pciBusId, modelName, ...Object.fromEntries(told) };
}
