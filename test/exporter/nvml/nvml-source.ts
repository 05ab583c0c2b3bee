/** The NVML source with real driver processes over the imitation of NVML, on a clock and with limits that suit a test. */

import type { ChildProcess } from 'node:child_process';
import type { TestContext } from 'vitest';
import type { Snapshot, Source } from '../../../exporter/snapshot.ts';
import { type Launch, launchChild } from '../../../exporter/source/nvml/driver-process.ts';
import type { TimeLimits } from '../../../exporter/source/nvml/question-watch.ts';
import { createNvmlSource, standardPolicy } from '../../../exporter/source/nvml/source.ts';
import { driver, plainCard } from './cards.ts';
import { buildFakeNvml, type FakeNvml } from './fake-nvml.ts';

export interface SourceUnderTest {
  readonly source: Source;
  readonly fake: FakeNvml;
  /** Every driver process that was started, the first one first. */
  readonly processes: readonly ChildProcess[];
  /** What was logged: level and message. */
  readonly logged: readonly string[];
  /** What it was logged with, line for line. */
  readonly loggedFields: readonly unknown[];
  /** Replaces what the cards say, with `lines` behind the usual ones. */
  say(...lines: readonly string[]): void;
  read(): Promise<Snapshot>;
  /** Only back-off and forgiveness are on this clock; driver calls take the time they take. */
  advance(ms: number): void;
}

export interface SourceTestOptions {
  readonly gpus?: number;
  readonly limits?: Partial<TimeLimits>;
  readonly launch?: Launch;
  /** Of the library, from that of the imitation. */
  readonly pathOf?: (path: string) => string;
}

/** For `expect.poll`: long enough for a busy machine to start a process. */
export const soon = { timeout: 10_000 };

/** Long enough for a busy machine, short enough for a test that waits for one of them to pass. */
const testLimits: TimeLimits = { gpuMs: 2_000, driverMs: 10_000, endMs: 2_000 };

export async function openSource(context: TestContext, options: SourceTestOptions = {}): Promise<SourceUnderTest> {
  const { gpus = 8, limits = {}, launch = launchChild, pathOf = (path) => path } = options;
  const fake = await buildFakeNvml(context);
  const processes: ChildProcess[] = [];
  const logged: string[] = [];
  let nowMs = 1_000_000;
  const loggedFields: unknown[] = [];
  const log = (level: string) => (fields: unknown, message?: string) => {
    logged.push(`${level}: ${message}`);
    loggedFields.push(fields);
  };
  const source = createNvmlSource(
    {
      library: { kind: 'library', path: pathOf(fake.path) },
      maxProcesses: 0,
      limits: { ...testLimits, ...limits },
      policy: standardPolicy,
    },
    {
      now: () => nowMs,
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      launch: (child) => {
        const process = launch(child);
        processes.push(process);
        return process;
      },
    },
  );
  context.onTestFinished(async () => {
    await source.close();
    for (const { pid } of processes) if (pid !== undefined) killIfThere(pid);
  });
  const say = (...lines: readonly string[]) => fake.write([...cards(gpus), ...lines]);
  say();
  return {
    source,
    fake,
    processes,
    logged,
    loggedFields,
    say,
    read: () => source.read(new AbortController().signal),
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** The lines of a machine whose cards can report XIDs. */
export function cards(gpus: number): readonly string[] {
  const each = Array.from({ length: gpus }, (_, index) => plainCard(index, { events: '0x1f' }));
  return [...driver(gpus), ...each.flat()];
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended, as it should.
  }
}
