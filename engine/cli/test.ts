/** `gpu-uptime test`: unit tests of rules and policy, in promtool's format and beyond it. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findTool, ToolMissing } from '../stack/binaries.ts';
import type { InstalledTool } from '../stack/inspection.ts';
import { readStackSettings } from '../stack/stack-settings.ts';
import { messageOf } from '../text/message-of.ts';
import { runTests, type TestRun } from '../unit-tests/run-tests.ts';
import { type PreparedFile, prepareFile } from '../unit-tests/test-inputs.ts';
import { type FileRun, hasPassed, junitReport, renderRun } from '../unit-tests/test-report.ts';
import type { Command, CommandIo } from './command.ts';

export const test: Command = {
  name: 'test',
  summary: 'run unit tests of alert rules and policy',
  usage: `gpu-uptime test FILE… [--run REGEX] [--junit FILE]

Runs unit tests in the format of promtool test rules, each over a real Prometheus of its own. Beyond promtool's alerts and
expressions, a test may expect pending and resolved alerts, messages, and decisions of the policy; rules/README.md says how.

  --run    only tests whose name matches
  --junit  write the results as JUnit XML, too`,
  run,
};

const OPTIONS = { run: { type: 'string', default: '' }, junit: { type: 'string' } } as const;

/** 0 when every test passed, 1 when one failed or a file is wrong, 2 for a wrong command line. */
async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { positionals, values } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const wanted = readPattern(values.run);
  if (positionals.length === 0 || wanted === undefined) {
    io.err(
      positionals.length === 0
        ? 'gpu-uptime test: name a file of tests'
        : `gpu-uptime test: --run ${values.run} is no regular expression`,
    );
    return 2;
  }
  const runs = await runFiles(positionals, { io, isWanted: (name) => wanted.test(name) });
  const isWritten = values.junit === undefined || (await writeReport(values.junit, runs, io));
  io.out(summary(runs));
  const hasRun = values.run === '' || runs.some((one) => one.runs.length > 0);
  if (!hasRun) io.err(`gpu-uptime test: no test has a name that matches --run ${values.run}`);
  const hasSucceeded = runs.every((one) => one.refusal === undefined && one.runs.every(hasPassed));
  return hasSucceeded && hasRun && isWritten ? 0 : 1;
}

async function writeReport(file: string, runs: readonly FileRun[], { cwd, err }: CommandIo): Promise<boolean> {
  try {
    await writeFile(resolve(cwd, file), junitReport(runs));
    return true;
  } catch (error) {
    err(`gpu-uptime test: --junit ${file} cannot be written: ${messageOf(error)}`);
    return false;
  }
}

function readPattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

interface Running {
  readonly io: CommandIo;
  isWanted(name: string): boolean;
}

async function runFiles(files: readonly string[], running: Running): Promise<readonly FileRun[]> {
  const { io } = running;
  const prepared = await Promise.all(files.map(async (file) => ({ file, outcome: await prepareFile(file, io) })));
  const prometheus = await findPrometheus(io);
  const runs: FileRun[] = [];
  for (const { file, outcome } of prepared) {
    if (!outcome.ok) runs.push(refused(file, outcome.text, io));
    else if (typeof prometheus === 'string') runs.push(refused(file, prometheus, io));
    else runs.push(await runFile(outcome, prometheus, running));
  }
  return runs;
}

function refused(file: string, refusal: string, { err }: CommandIo): FileRun {
  err(refusal);
  return { file, refusal, runs: [] };
}

/** Why there is none, where there is none. */
async function findPrometheus({ env, cwd, err }: CommandIo): Promise<InstalledTool | string> {
  try {
    return await findTool('prometheus', { ...readStackSettings(env, cwd), onProgress: err });
  } catch (error) {
    if (error instanceof ToolMissing) return error.message;
    throw error;
  }
}

async function runFile(
  prepared: Extract<PreparedFile, { readonly ok: true }>,
  prometheus: InstalledTool,
  { io, isWanted }: Running,
): Promise<FileRun> {
  const { file } = prepared.tests;
  if (prepared.warnings !== '') io.err(prepared.warnings);
  io.out(file);
  const runs: TestRun[] = [];
  const signal = new AbortController().signal;
  for await (const one of runTests({ ...prepared, prometheus, isWanted, signal })) {
    runs.push(one);
    io.out(`  ${renderRun(file, one).replaceAll('\n', '\n  ')}`);
  }
  return { file, refusal: undefined, runs };
}

function summary(files: readonly FileRun[]): string {
  const runs = files.flatMap((file) => file.runs);
  const passed = runs.filter(hasPassed).length;
  return `${passed} of ${runs.length} tests passed`;
}
