/**
 * Jobs on GPUs, as a batch system writes them down for dcgm-exporter: a directory with one file per GPU, named for its index, or
 * per MIG instance, `2.1` for instance 1 of GPU 2; one job per line. Each job gives every series of its GPU once.
 */

import type { Labels } from '../exposition.ts';
import type { DcgmEntity } from './labels.ts';

/** Jobs by the name of their file. */
export type JobsByFile = ReadonlyMap<string, readonly string[]>;

// Each job is a copy of every series of its GPU; a GPU that is shared more often than this is a mistake in the file.
const maxJobs = 100;

/** Whether a file of the directory belongs to a GPU or an instance. */
export function isJobFile(name: string): boolean {
  return /^\d{1,9}(\.\d{1,9})?$/.test(name);
}

/** The jobs of a file, each once, at most a hundred; empty lines are none. Lines may end in \r\n. */
export function parseJobs(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  return [...new Set(lines.filter((line) => line !== ''))].slice(0, maxJobs);
}

/** The attributes that the jobs of a GPU or instance add: one set per job, none where no job runs. */
export function jobAttributes(jobs: JobsByFile, { gpu, instance }: DcgmEntity): readonly Labels[] {
  const file = instance === undefined ? String(gpu.index) : `${gpu.index}.${instance.gpuInstanceId}`;
  return (jobs.get(file) ?? []).map((job) => ({ hpc_job: job }));
}
