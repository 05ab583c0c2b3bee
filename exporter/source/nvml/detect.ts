/**
 * What GPU_SOURCE=auto comes to. A machine that has an NVIDIA GPU is never simulated, whether its driver answers or not: made-up
 * figures on a GPU node would be a lie. Only where no GPU can be seen is the driver asked, for machines that hide their hardware.
 */

import type { Launch } from './driver-process.ts';
import { inspectEnvironment } from './environment.ts';
import { askOnce } from './one-question.ts';
import type { LibraryChoice } from './protocol.ts';
import type { Outcome, TimeLimits } from './question-watch.ts';

export interface DetectOptions {
  readonly library: LibraryChoice;
  /** `/` but in tests. */
  readonly root?: string | undefined;
  readonly limits?: TimeLimits | undefined;
  readonly launch?: Launch | undefined;
}

export interface Detection {
  readonly source: 'nvml' | 'mock';
  /** A sentence for the log. */
  readonly reason: string;
}

const instead = 'GPU_SOURCE=mock simulates GPUs all the same.';
const standardDetectLimits: TimeLimits = { gpuMs: 1_500, driverMs: 5_000, endMs: 500 };

/** Never rejects, and comes back within the limits. */
export async function detectSource(options: DetectOptions): Promise<Detection> {
  if (options.library.kind === 'replay') return { source: 'nvml', reason: 'A recording is replayed.' };
  const hardware = findHardware(options.root);
  if (hardware !== undefined)
    return { source: 'nvml', reason: `${hardware}: NVML is read, and waited for. ${instead}` };
  return probe(options);
}

/** What shows that there is an NVIDIA GPU, as the beginning of a sentence; undefined when nothing does. */
function findHardware(root: string | undefined): string | undefined {
  const { busGpus = [], kernelDriver } = inspectEnvironment({ library: undefined, root });
  if (busGpus.length > 0) return `The PCI device ${busGpus[0]} is an NVIDIA GPU`;
  return kernelDriver && `The NVIDIA kernel driver ${kernelDriver} is loaded`;
}

async function probe({ library, limits = standardDetectLimits, launch }: DetectOptions): Promise<Detection> {
  const child = { library, maxProcesses: 0 };
  const outcome = await askOnce({ child, limits, launch }, { kind: 'read', skip: [] });
  const gpus = gpusIn(outcome);
  if (gpus > 0) return { source: 'nvml', reason: `NVML answers with ${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'}.` };
  if (outcome.kind === 'wedged') return { source: 'nvml', reason: `${outcome.message} NVML is waited for. ${instead}` };
  return { source: 'mock', reason: `No NVIDIA GPU can be seen, so GPUs are simulated. ${whyNone(outcome)}` };
}

// One that cannot be read is there all the same.
function gpusIn(outcome: Outcome): number {
  if (outcome.kind !== 'answered' || outcome.answer.kind !== 'reading') return 0;
  const { gpus, failures } = outcome.answer.reading;
  return gpus.length + failures.filter(({ uuid }) => uuid !== undefined).length;
}

function whyNone(outcome: Outcome): string {
  if (outcome.kind !== 'answered') return outcome.message;
  if (outcome.answer.kind === 'unavailable') return outcome.answer.message;
  const unavailable = outcome.answer.kind === 'reading' ? outcome.answer.reading.unavailable : undefined;
  return unavailable?.message ?? 'NVML answers, but lists none.';
}
