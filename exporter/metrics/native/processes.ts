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

// With MIG a process can be listed once for each instance: it is one process, and its memory is the sum.
function seriesOfGpu({ uuid, processes = [] }: GpuSample): readonly Series[] {
  const byProcess = Map.groupBy(processes, ({ pid, name, kind }) => JSON.stringify([pid, name, kind]));
  return [...byProcess.values()].flatMap((entries) => {
    const [process] = entries;
    const used = entries.flatMap(({ usedMemoryMib }) => plausible(usedMemoryMib, mebibytes) ?? []);
    if (process === undefined || used.length === 0) return [];
    const value = used.reduce((sum, mib) => sum + mib, 0) * mebibytes.scale;
    return [{ labels: { uuid, ...processLabels(process) }, value }];
  });
}

function processLabels({ pid, name, kind }: GpuProcess): Readonly<Record<string, string>> {
  return { pid: String(pid), name, kind };
}
