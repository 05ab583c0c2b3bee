/** What one reading says about each GPU: there, there but not well, or no longer listed. */

import type { GpuPresence, Presence, UnavailableReason } from './presence.ts';
import { gravity, reasonOf } from './presence-reasons.ts';
import { noTime } from './presence-time.ts';
import type { GpuIdentity, GpuSample, Health, Snapshot } from './snapshot.ts';

/** Every GPU that was known or that the snapshot names, judged by it; their time and XIDs are as they were. */
export function findGpus(known: Presence['gpus'], snapshot: Snapshot, atMs: number): readonly GpuPresence[] {
  const samples = new Map(snapshot.gpus.map((sample) => [sample.uuid, sample]));
  const failures = failureReasons(snapshot.health);
  const judge = (gpu: GpuPresence): GpuPresence => {
    const sample = samples.get(gpu.identity.uuid);
    const reason = failures.get(gpu.identity.uuid) ?? (sample === undefined ? 'missing' : undefined);
    return judged(sample === undefined ? gpu : seen(gpu, sample, snapshot.takenAtMs), reason, atMs);
  };
  const added = identitiesIn(snapshot).filter(({ uuid }) => known[uuid] === undefined);
  return [...Object.values(known), ...added.map((identity) => newcomer(identity, snapshot.takenAtMs))].map(judge);
}

// What a GPU says of itself counts before what a failure says of it.
function identitiesIn({ gpus, health }: Snapshot): readonly GpuIdentity[] {
  const dead = health.failures.flatMap(({ identity }) => identity ?? []);
  return [...new Map([...dead, ...gpus].map((identity) => [identity.uuid, identity])).values()];
}

// Of several failures of one GPU the gravest counts, in whatever order they are listed.
function failureReasons({ failures }: Health): ReadonlyMap<string, UnavailableReason> {
  const named = failures.flatMap(({ uuid, reason }) =>
    uuid === undefined ? [] : [{ uuid, reason: reasonOf(reason) }],
  );
  const gravestLast = named.toSorted((left, right) => gravity(left.reason) - gravity(right.reason));
  return new Map(gravestLast.map(({ uuid, reason }) => [uuid, reason]));
}

function judged(gpu: GpuPresence, reason: UnavailableReason | undefined, atMs: number): GpuPresence {
  if (reason === undefined) return { ...gpu, state: 'available', reason, lostSinceMs: undefined };
  return { ...gpu, state: 'unavailable', reason, lostSinceMs: gpu.lostSinceMs ?? atMs };
}

function newcomer(identity: GpuIdentity, takenAtMs: number): GpuPresence {
  return {
    identity: identityOf(identity),
    state: 'available',
    reason: undefined,
    firstSeenMs: takenAtMs,
    lastSeenMs: takenAtMs,
    ...noTime,
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

// A sample is also an identity, with readings beside it.
function identityOf(source: GpuIdentity): GpuIdentity {
  const { index, uuid, pciBusId, modelName } = source;
  const told = identityFields.filter((field) => source[field] !== undefined).map((field) => [field, source[field]]);
  return { index, uuid, pciBusId, modelName, ...Object.fromEntries(told) };
}
