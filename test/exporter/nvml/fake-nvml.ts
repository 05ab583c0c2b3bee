/** The imitation of NVML, compiled for a test, and the scenario it answers from. */

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';

export interface FakeNvml {
  /** The library, a copy of its own: loading it shares nothing with another test. */
  readonly path: string;
  /** Replaces the scenario; the library reads it at its next call. See fake/nvml.c for what a line can say. */
  write(lines: readonly string[]): void;
  /** Every call since the scenario asked for a log, as `nvmlDeviceGetName 0`. */
  calls(): Promise<readonly string[]>;
  /** The line of the scenario that asks for the log. */
  readonly logLine: string;
}

export interface FakeOptions {
  /** Leaves out the symbols that came with later drivers. */
  readonly isOldDriver?: boolean;
}

const run = promisify(execFile);
const inFake = (file: string) => join(import.meta.dirname, 'fake', file);
const sources = ['nvml.c', 'scenario.c', 'layouts.c'].map(inFake);
const headers = ['scenario.h', 'structs.h'].map(inFake);
const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror'];

/** Compiles the library once for each kind of driver and hands out copies. Skips loudly without a C compiler, but fails in CI. */
export async function buildFakeNvml(
  context: TestContext,
  { isOldDriver = false }: FakeOptions = {},
): Promise<FakeNvml> {
  const built = await build(context, isOldDriver);
  const directory = await mkdtemp(join(tmpdir(), 'fake-nvml-'));
  context.onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'libnvidia-ml.so.1');
  const scenario = join(directory, 'scenario');
  const log = join(directory, 'calls.log');
  await copyFile(built, path);
  return {
    path,
    logLine: `log ${log}`,
    write: (lines) => {
      writeFileSync(`${scenario}.new`, `${lines.join('\n')}\n`);
      renameSync(`${scenario}.new`, scenario);
    },
    calls: async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
  };
}

const builds = new Map<boolean, Promise<string>>();

async function build(context: TestContext, isOldDriver: boolean): Promise<string> {
  const compiler = await findCompiler();
  if (compiler === undefined) return refuse(context);
  const pending = builds.get(isOldDriver) ?? compile(compiler, isOldDriver);
  builds.set(isOldDriver, pending);
  return pending;
}

// One file for each text of the sources, kept for later runs; put in place as a whole, since test files run side by side.
async function compile(compiler: string, isOldDriver: boolean): Promise<string> {
  const texts = await Promise.all([...sources, ...headers].map((file) => readFile(file, 'utf8')));
  const version = createHash('sha256')
    .update([compiler, isOldDriver, ...texts].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const output = join(tmpdir(), `fake-nvml-build-${version}.so`);
  if (existsSync(output)) return output;
  const unfinished = `${output}.${randomUUID()}`;
  const flavour = isOldDriver ? ['-DOLD_DRIVER'] : [];
  await run(compiler, [...flags, ...flavour, '-o', unfinished, ...sources, '-lpthread', '-ldl']);
  renameSync(unfinished, output);
  return output;
}

async function findCompiler(): Promise<string | undefined> {
  for (const name of [process.env.CC, 'cc', 'gcc', 'clang']) {
    if (name !== undefined && (await run(name, ['--version']).catch(() => undefined)) !== undefined) return name;
  }
  return undefined;
}

function refuse(context: TestContext): never {
  const sentence = 'A C compiler (cc) is needed for this test: install gcc or clang, or name one in CC.';
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  return context.skip(sentence);
}
