/** What a scheduler wants to know of a GPU, as one of a few words. */

import type { GpuPresence, Presence } from '../../presence.ts';
import type { GpuSample } from '../../snapshot.ts';
import type { Family, Labels } from '../exposition.ts';
import { type Definition, familyOf } from './definition.ts';

const gpuStates = ['available', 'allocated', 'unhealthy', 'unknown'] as const;
type GpuState = (typeof gpuStates)[number];

export const stateHelp =
  'One series per state, 1 for the one the GPU is in: available (idle), allocated (in use), unhealthy (gone, or the driver asks for a repair), unknown (nobody can tell).';

export const stateDefinition: Definition = {
  name: 'gpu_state',
  type: 'gauge',
  labels: ['uuid', 'state'],
  help: stateHelp,
};

interface StateInput {
  readonly gpus: readonly GpuSample[];
  readonly presence: Presence;
  readonly definition: Definition;
  readonly labelsOf: (gpu: GpuPresence) => Labels;
}

/** The state of every GPU that was ever seen. */
export function stateFamily({ gpus, presence, definition, labelsOf }: StateInput): Family {
  const samples = new Map(gpus.map((gpu) => [gpu.uuid, gpu]));
  const series = Object.values(presence.gpus).flatMap((gpu) => {
    const current = stateOf(gpu, samples.get(gpu.identity.uuid));
    const labels = labelsOf(gpu);
    return gpuStates.map((state) => ({ labels: { ...labels, state }, value: state === current ? 1 : 0 }));
  });
  return familyOf(definition, series);
}

/** `sample` is undefined for a GPU that gave no readings. */
export function stateOf(presence: GpuPresence, sample: GpuSample | undefined): GpuState {
  if (presence.state === 'unavailable') return 'unhealthy';
  if (presence.state === 'unobserved' || sample === undefined) return 'unknown';
  if (needsRepair(sample)) return 'unhealthy';
  return isInUse(sample) ? 'allocated' : 'available';
}

function needsRepair({ recoveryAction = 0, rowRemapFailure = 0 }: GpuSample): boolean {
  return recoveryAction > 0 || rowRemapFailure > 0;
}

// A job that waits for data keeps its memory; a driver alone holds less than this share of it.
const idleMemoryShare = 0.02;

function isInUse(gpu: GpuSample): boolean {
  const { framebufferUsedMib: used = 0, framebufferTotalMib: total = 0 } = gpu;
  const busy = [gpu.gpuUtilPercent, gpu.graphicsEngineActiveRatio];
  return (gpu.processes ?? []).length > 0 || busy.some((share = 0) => share > 0) || used > idleMemoryShare * total;
}
