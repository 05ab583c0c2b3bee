/** MIG: the instances a GPU is cut into. */

import type { MigInstance } from '../../snapshot.ts';
import { count32, mebibytes } from './bounds.ts';
import type { CallValue } from './calls.ts';
import { code } from './codes.ts';
import type { FoundGpu } from './identity.ts';
import type { Inquiry } from './inquiry.ts';
import type { InstanceProfile, Profiler } from './profiling.ts';
import type { Handle } from './slots.ts';

const mibPerGib = 1024;

/** Every MIG device of a GPU in MIG mode. Slots may be empty anywhere: one that is says nothing about those behind it. */
export function readMigInstances(inquiry: Inquiry, gpu: FoundGpu, profiler: Profiler): readonly MigInstance[] {
  const slots = inquiry.value('nvmlDeviceGetMaxMigDeviceCount', gpu.device) ?? 0;
  const profiles = new Map<number, InstanceProfile>();
  const profile = (gpuInstanceId: number): InstanceProfile => {
    const known = profiles.get(gpuInstanceId) ?? profiler.instance(inquiry, gpu, gpuInstanceId);
    profiles.set(gpuInstanceId, known);
    return known;
  };
  return Array.from({ length: slots }, (_, slot) => slot).flatMap((slot) => {
    const instance = inquiry.value('nvmlDeviceGetMigDeviceHandleByIndex', gpu.device, slot);
    return instance === undefined ? [] : readInstance(inquiry, instance, profile);
  });
}

// An instance that cannot say who it is has just been destroyed; it is left out, and not guessed at.
function readInstance(
  inquiry: Inquiry,
  instance: Handle,
  profile: (gpuInstanceId: number) => InstanceProfile,
): readonly MigInstance[] {
  const uuid = inquiry.value('nvmlDeviceGetUUID', instance);
  const gpuInstanceId = inquiry.value('nvmlDeviceGetGpuInstanceId', instance);
  const computeInstanceId = inquiry.value('nvmlDeviceGetComputeInstanceId', instance);
  if (uuid === undefined || gpuInstanceId === undefined || computeInstanceId === undefined) return [];
  const attributes = inquiry.value('nvmlDeviceGetAttributes_v2', instance);
  return [
    {
      uuid,
      gpuInstanceId,
      computeInstanceId,
      profile: profileName(attributes),
      smCount: count32(attributes?.multiprocessorCount),
      ...readMemory(inquiry, instance),
      ...profile(gpuInstanceId),
    },
  ];
}

// 1g.10gb is a whole GPU instance; a compute instance that has only a part of one says so in front: 1c.2g.20gb.
function profileName(attributes: CallValue<'nvmlDeviceGetAttributes_v2'> | undefined): string {
  if (attributes?.memorySizeMB === undefined) return 'unknown';
  const { gpuInstanceSliceCount: slices, computeInstanceSliceCount: computeSlices, memorySizeMB } = attributes;
  const name = `${slices}g.${Math.ceil(memorySizeMB / mibPerGib)}gb`;
  return computeSlices === slices ? name : `${computeSlices}c.${name}`;
}

type Memory = Pick<
  MigInstance,
  'framebufferTotalMib' | 'framebufferFreeMib' | 'framebufferUsedMib' | 'framebufferReservedMib'
>;

function readMemory(inquiry: Inquiry, instance: Handle): Memory {
  const memory = inquiry.ask('nvmlDeviceGetMemoryInfo_v2', instance);
  const { total, free, used } = memory.value ?? readOldMemory(inquiry, instance, memory.code) ?? {};
  return {
    framebufferTotalMib: mebibytes(total),
    framebufferFreeMib: mebibytes(free),
    framebufferUsedMib: mebibytes(used),
    framebufferReservedMib: mebibytes(memory.value?.reserved),
  };
}

function readOldMemory(inquiry: Inquiry, instance: Handle, number: number) {
  return number === code.functionNotFound ? inquiry.value('nvmlDeviceGetMemoryInfo', instance) : undefined;
}
