/** The verdict of a real promtool on many expressions at once, and the release whose verdict it is. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPromql, versionLimits } from '../../../engine/promql/promql.ts';

/** Whether `promtool check rules` takes each expression as that of a recording rule. All go into one file, one run. */
export function promtoolAccepts(promtool: string, expressions: readonly string[]): readonly boolean[] {
  const directory = mkdtempSync(join(tmpdir(), 'promql-'));
  try {
    const file = join(directory, 'rules.yml');
    // A run of spaces keeps an empty expression from being a missing one.
    const rules = expressions.map((expr, index) => ({ record: `rule:${index}`, expr: expr === '' ? ' ' : expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'all', rules }] }));
    const run = spawnSync(promtool, ['check', 'rules', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
    const report = `${run.stdout}${run.stderr}`;
    const refused = new Set(
      [...report.matchAll(/group "all", rule (\d+), "rule:\d+"/g)].map(([, rule]) => Number(rule)),
    );
    if (refused.size === 0 && run.status !== 0) throw new Error(`promtool says nothing of the rules: ${report}`);
    return expressions.map((_, index) => !refused.has(index + 1));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** `[major, minor]` of the installed promtool. */
export function promtoolRelease(promtool: string): readonly [number, number] {
  const text = execFileSync(promtool, ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(text) ?? [];
  if (major === undefined || minor === undefined) throw new Error(`no version in ${text}`);
  return [Number(major), Number(minor)];
}

/** Whether the check says that this release accepts the expression. */
export function isAcceptedBy(release: readonly [number, number], expr: string): boolean {
  return (
    checkPromql(expr).length === 0 &&
    versionLimits(expr).every(
      ({ since, until }) =>
        (since === undefined || !isOlder(release, since)) && (until === undefined || isOlder(release, until)),
    )
  );
}

/** Whether the release came before `version`, written `3.14`. */
export function isOlder([major, minor]: readonly [number, number], version: string): boolean {
  const [otherMajor = 0, otherMinor = 0] = version.split('.').map(Number);
  return major === otherMajor ? minor < otherMinor : major < otherMajor;
}
