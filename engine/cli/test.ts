/** `gpu-uptime test`: unit tests of rules and policy, in promtool's format and beyond it. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findTool } from '../stack/binaries.ts';
import type { InstalledTool } from '../stack/inspection.ts';
import { readStackSettings } from '../stack/stack-settings.ts';
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
  const files = await Promise.all(positionals.map((file) => prepareFile(file, io)));
  for (const file of files) if (!file.ok) io.err(file.text);
  const prometheus = await findTool('prometheus', { ...readStackSettings(io.env, io.cwd), onProgress: io.err });
  const runs: FileRun[] = [];
  for (const file of files)
    if (file.ok) runs.push(await runFile(file, prometheus, { io, isWanted: (name) => wanted.test(name) }));
  if (values.junit !== undefined) await writeFile(resolve(io.cwd, values.junit), junitReport(runs));
  io.out(summary(runs));
  return files.every(({ ok }) => ok) && runs.every((one) => one.runs.every(hasPassed)) ? 0 : 1;
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
  return { file, runs };
}

function summary(files: readonly FileRun[]): string {
  const runs = files.flatMap((file) => file.runs);
  const passed = runs.filter(hasPassed).length;
  return `${passed} of ${runs.length} tests passed`;
}
