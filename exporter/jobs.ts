/** The jobs on the GPUs, read in the background where a directory with them was named. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createHpcJobReader } from './metrics/dcgm/hpc-job-reader.ts';
import type { JobsByFile } from './metrics/dcgm/hpc-jobs.ts';

export interface Jobs {
  current(): JobsByFile;
  /** Files and directories that could not be read, since the start; undefined where no directory was named. */
  errors(): number | undefined;
  stop(): void;
}

export interface JobsOptions {
  /** Undefined: there are no jobs. */
  readonly directory: string | undefined;
  readonly intervalMs: number;
  readonly log: Pick<Logger, 'warn'>;
}

const readTimeoutMs = 2_000;

const nobodyWorks: Jobs = { current: () => new Map(), errors: () => undefined, stop: () => undefined };

export function startJobs({ directory, intervalMs, log }: JobsOptions): Jobs {
  if (directory === undefined) return nobodyWorks;
  const reader = createHpcJobReader({ directory, timeoutMs: readTimeoutMs });
  const stopping = new AbortController();
  let told = '';

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await reader.refresh();
      tell(reader.current().problems);
      await delay(intervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  // Once per kind of trouble: a directory that is away stays away for many readings.
  function tell(problems: readonly string[]): void {
    const text = problems.join('\n');
    if (text !== told && text !== '') log.warn({ problems }, 'jobs of GPUs could not be read');
    told = text;
  }

  void run();
  return { current: () => reader.current().jobs, errors: () => reader.current().errors, stop: () => stopping.abort() };
}
