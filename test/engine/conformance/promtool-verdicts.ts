/** The verdicts of the real promtool on files of unit tests, in one run of the program. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestFiles {
  readonly name: string;
  readonly rules: string;
  readonly test: string;
}

/** What promtool says of each test in turn: `SUCCESS`, or its complaints. */
export function judgeTests(promtool: string, directory: string, files: readonly TestFiles[]): readonly string[] {
  for (const { name, rules, test } of files) {
    writeFileSync(join(directory, `${name}.rules.yml`), rules);
    writeFileSync(join(directory, `${name}.yml`), test);
  }
  const names = files.map(({ name }) => `${name}.yml`);
  const verdicts = runInto(join(directory, 'promtool.log'), promtool, ['test', 'rules', ...names], directory)
    .split(/^(?= {2}(?:SUCCESS|FAILED:)$)/m)
    // The first part may be a heading.
    .filter((part) => /^ {2}(SUCCESS|FAILED:)$/m.test(part))
    .map((verdict) => verdict.trim());
  if (verdicts.length !== files.length) throw new Error(`promtool judged ${verdicts.length} of ${files.length} files`);
  return verdicts.map((verdict) => (verdict.startsWith('SUCCESS') ? 'SUCCESS' : verdict));
}

/** Both streams in one file, because promtool praises on one and complains on the other. */
function runInto(log: string, program: string, args: readonly string[], cwd: string): string {
  const output = openSync(log, 'w');
  const { error } = spawnSync(program, args, { cwd, stdio: ['ignore', output, output] });
  closeSync(output);
  if (error !== undefined) throw error;
  return readFileSync(log, 'utf8');
}
