/** Processes on a GPU; absent unless the source was asked for them. */

import type { GpuProcess, GpuSample } from '../../snapshot.ts';
import { mebibytes } from '../catalog/kind.ts';
import type { Family, Series } from '../exposition.ts';
import { plausible } from '../metric.ts';
import { type Definition, familyOf } from './definition.ts';

export const processDefinition: Definition = {
  name: 'gpu_process_memory_bytes',
  type: 'gauge',
  unit: 'bytes',
  labels: ['uuid', 'pid', 'name', 'kind'],
  help: 'Memory a process uses on the GPU; published only when processes are asked for.',
};

export function processFamily(gpus: readonly GpuSample[]): Family {
  return familyOf(processDefinition, gpus.flatMap(seriesOfGpu));
}

function seriesOfGpu({ uuid, processes = [] }: GpuSample): readonly Series[] {
  return processes.flatMap((process) => {
    const used = plausible(process.usedMemoryMib, mebibytes);
    if (used === undefined) return [];
    return [{ labels: { uuid, ...processLabels(process) }, value: used * mebibytes.scale }];
  });
}

function processLabels({ pid, name, kind }: GpuProcess): Readonly<Record<string, string>> {
  return { pid: String(pid), name, kind };
}
