/** Processes that use a GPU. */

import type { GpuProcess } from '../../snapshot.ts';
import { mebibytes } from './bounds.ts';
import { code } from './codes.ts';
import type { Inquiry } from './inquiry.ts';
import type { ProcessInfo } from './lists.ts';
import type { Handle } from './slots.ts';

const lists = [
  { call: 'nvmlDeviceGetComputeRunningProcesses_v3', kind: 'compute' },
  { call: 'nvmlDeviceGetMPSComputeRunningProcesses_v3', kind: 'compute' },
  { call: 'nvmlDeviceGetGraphicsRunningProcesses_v3', kind: 'graphics' },
] as const;

type ListCall = (typeof lists)[number]['call'];

const firstCapacity = 64;
const maxCapacity = 4096;

export interface ProcessQuestion {
  readonly device: Handle;
  readonly max: number;
  readonly nameOf: (pid: number) => string | undefined;
}

/** The largest users of memory, at most `max`. A process that computes and draws is listed once, as one that computes. */
export function readProcesses(inquiry: Inquiry, { device, max, nameOf }: ProcessQuestion): readonly GpuProcess[] {
  const byPid = new Map<number, Omit<GpuProcess, 'name'>>();
  for (const { call, kind } of lists) {
    for (const [pid, bytes] of bytesByPid(askAll(inquiry, call, device))) {
      if (!byPid.has(pid)) byPid.set(pid, { pid, kind, usedMemoryMib: mebibytes(bytes) });
    }
  }
  const largest = [...byPid.values()].sort(byMemory).slice(0, max);
  return largest.map((process) => ({ name: nameOf(process.pid) ?? 'unknown', ...process }));
}

function askAll(inquiry: Inquiry, call: ListCall, device: Handle): readonly ProcessInfo[] {
  for (let capacity = firstCapacity; capacity <= maxCapacity; capacity *= 4) {
    const answer = inquiry.ask(call, device, capacity);
    if (answer.code !== code.insufficientSize) return answer.value ?? [];
  }
  return [];
}

// A process in several MIG instances has a row for each of them.
function bytesByPid(rows: readonly ProcessInfo[]): ReadonlyMap<number, number | undefined> {
  const bytes = new Map<number, number | undefined>();
  for (const { pid, usedGpuMemory } of rows) {
    const before = bytes.get(pid);
    bytes.set(pid, before === undefined ? usedGpuMemory : before + (usedGpuMemory ?? 0));
  }
  return bytes;
}

function byMemory(a: Omit<GpuProcess, 'name'>, b: Omit<GpuProcess, 'name'>): number {
  return (b.usedMemoryMib ?? -1) - (a.usedMemoryMib ?? -1) || a.pid - b.pid;
}
