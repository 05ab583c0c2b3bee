/** A reader over the imitation of NVML, with a clock and an operating system that a test can turn. */

import type { TestContext } from 'vitest';
import { createTally } from '../../../exporter/source/nvml/inquiry.ts';
import { type NvmlLibrary, openNvml } from '../../../exporter/source/nvml/library.ts';
import { createReader } from '../../../exporter/source/nvml/reader.ts';
import type { NvmlReader, NvmlReading, ReaderMemory } from '../../../exporter/source/nvml/reading.ts';
import { buildFakeNvml, type FakeNvml, type FakeOptions } from './fake-nvml.ts';

export interface FakeReader {
  readonly fake: FakeNvml;
  readonly library: NvmlLibrary;
  readonly reader: NvmlReader;
  /** One round; `steps` collects what was said to be touched. */
  read(skip?: readonly string[]): NvmlReading;
  readonly steps: string[];
  readonly system: { load: string | undefined; bound: string | undefined; names: Map<number, string> };
  advance(ms: number): void;
}

export interface FakeReaderOptions extends FakeOptions {
  readonly maxProcesses?: number;
  readonly memory?: ReaderMemory;
}

export async function openFakeReader(context: TestContext, options: FakeReaderOptions = {}): Promise<FakeReader> {
  const fake = await buildFakeNvml(context, options);
  const library = openNvml(fake.path);
  return { fake, ...readerOver(context, library, options) };
}

/** The same over any library; the library is shut down with the test. */
export function readerOver(context: TestContext, library: NvmlLibrary, options: FakeReaderOptions = {}) {
  let nowMs = 1_000_000;
  const system = { load: 'boot-1', bound: 'all', names: new Map<number, string>() } as FakeReader['system'];
  const steps: string[] = [];
  const reader = createReader(library, {
    now: () => nowMs,
    maxProcesses: options.maxProcesses ?? 0,
    memory: options.memory,
    tally: createTally(),
    system: {
      driverLoad: () => system.load,
      boundGpus: () => system.bound,
      processName: (pid) => system.names.get(pid),
    },
  });
  context.onTestFinished(reader.close);
  return {
    library,
    reader,
    steps,
    system,
    read: (skip: readonly string[] = []) => reader.read((gpu, step) => steps.push(`${gpu} ${step}`), new Set(skip)),
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}
