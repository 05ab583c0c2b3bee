/** What a check of the GPUs asks, and the answer as the exporter's own readings give it. */

import type { Snapshot } from '../snapshot.ts';
import type { Finding } from './span.ts';

/** What is known about the GPUs of this machine at one instant. */
export interface GpuTruth {
  readonly available: boolean;
  /** How many GPUs answer. */
  readonly gpus: number;
  /** How many should; undefined leaves it to the agent, which then expects the most it has ever seen. */
  readonly expected: number | undefined;
  /** Why they are not available, for people. */
  readonly reason: string | undefined;
}

/**
 * Answers at once, from what was read in the background, and never throws. Undefined while the first reading is still
 * under way: nobody knows yet, so no check is made and the time counts as a gap.
 */
export type GpuCheck = () => GpuTruth | undefined;

export interface GpuReading {
  /** The last snapshot, however old. */
  readonly snapshot: Snapshot | undefined;
  /** Why the last attempt to read failed; undefined when it did not. */
  readonly failure: { readonly message: string } | undefined;
  readonly atMs: number;
  /** A snapshot older than this says nothing about now. */
  readonly maxAgeMs: number;
  readonly expectedGpus: number | undefined;
}

/** Available means: read a moment ago, without a single failure, and every expected GPU was there. */
export function judgeGpus(reading: GpuReading): GpuTruth | undefined {
  const { snapshot, failure, expectedGpus } = reading;
  if (snapshot === undefined && failure === undefined) return undefined;
  const gpus = snapshot === undefined ? 0 : answeringGpus(snapshot);
  const reason = readingProblem(reading);
  if (reason !== undefined) return { available: false, gpus: 0, expected: expectedGpus, reason };
  const trouble = snapshot === undefined ? undefined : (gpuTrouble(snapshot) ?? countProblem(gpus, expectedGpus ?? 1));
  return { available: trouble === undefined, gpus, expected: expectedGpus, reason: trouble };
}

function readingProblem({ snapshot, failure, atMs, maxAgeMs }: GpuReading): string | undefined {
  if (failure !== undefined) return `the GPUs cannot be read: ${failure.message}`;
  const isOld = snapshot !== undefined && atMs - snapshot.takenAtMs > maxAgeMs;
  return isOld ? `the last reading is more than ${maxAgeMs / 1000} s old` : undefined;
}

function answeringGpus({ gpus, health }: Snapshot): number {
  const failing = new Set(health.failures.map(({ uuid }) => uuid));
  return gpus.filter(({ uuid }) => !failing.has(uuid)).length;
}

function gpuTrouble({ health: { failures } }: Snapshot): string | undefined {
  const [first, ...more] = failures;
  if (first === undefined) return undefined;
  return more.length === 0 ? first.message : `${first.message} (and ${more.length} more)`;
}

/** What the agent makes of the truth. */
export interface CurrentFinding extends Finding {
  readonly expected: number;
}

/** Where no number of GPUs was given, every GPU that ever answered is expected. */
export function findingOf(truth: GpuTruth, mostGpus: number): CurrentFinding {
  const { gpus } = truth;
  const expected = truth.expected ?? Math.max(1, mostGpus, gpus);
  const available = truth.available && gpus >= expected;
  const reason = truth.reason ?? countProblem(gpus, expected) ?? 'no reason is known';
  return { available, gpus, expected, reason: available ? undefined : reason };
}

function countProblem(gpus: number, expected: number): string | undefined {
  if (gpus >= expected) return undefined;
  return gpus === 0 ? `no GPU answers, ${expected} expected` : `${gpus} of ${expected} GPUs answer`;
}
