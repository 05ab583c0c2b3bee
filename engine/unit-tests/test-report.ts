/** Results of unit tests, for a terminal and as JUnit XML. */
import { escapeMarkup } from '../text/markup.ts';
import type { TestRun } from './run-tests.ts';
import type { Failure } from './verdict.ts';

export function hasPassed({ failures, error }: TestRun): boolean {
  return failures.length === 0 && error === undefined;
}

/** One line when it passed; otherwise what was expected and what came, with the line of the file. */
export function renderRun(file: string, run: TestRun): string {
  const head = `${hasPassed(run) ? 'ok  ' : 'FAIL'} ${run.name} (${(run.durationMs / 1000).toFixed(1)} s)`;
  return [head, ...problemsOf(file, run).map(indent)].join('\n');
}

function problemsOf(file: string, { failures, error, line }: TestRun): readonly string[] {
  const failed = failures.map((failure) => renderFailure(file, failure));
  return error === undefined ? failed : [...failed, `${file}:${line}: the test ends here: ${error}`];
}

function renderFailure(file: string, { line, what, expected, got }: Failure): string {
  return [`${file}:${line}: ${what}`, ...difference(expected, got)].join('\n');
}

/** Lines that both have are given once, so that what differs stands out. */
function difference(expected: readonly string[], got: readonly string[]): readonly string[] {
  const lines = [
    ...without(expected, got).map((line) => `  expected  ${line}`),
    ...without(got, expected).map((line) => `  got       ${line}`),
    ...without(expected, without(expected, got)).map((line) => `  both      ${line}`),
  ];
  return lines.length > 0 ? lines : ['  nothing expected, nothing came'];
}

/** `lines` without those of `others`, each as often as it occurs. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

export interface FileRun {
  readonly file: string;
  /** Why none of its tests could run; undefined when they could. */
  readonly refusal: string | undefined;
  readonly runs: readonly TestRun[];
}

/** JUnit XML with one suite per file. */
export function junitReport(files: readonly FileRun[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${files.map(suiteElement).join('')}</testsuites>\n`;
}

/** A file that could not run is one case, for readers of JUnit take an empty suite for a good one. */
function suiteElement({ file, refusal, runs }: FileRun): string {
  const cases = [
    ...runs.map((run) => caseElement(file, run)),
    ...(refusal === undefined ? [] : [refused(file, refusal)]),
  ];
  const failed = runs.filter((run) => !hasPassed(run)).length;
  const errors = refusal === undefined ? 0 : 1;
  const counts = `tests="${cases.length}" failures="${failed}" errors="${errors}" skipped="0"`;
  return `  <testsuite name="${escapeXml(file)}" ${counts} time="${seconds(runs)}">\n${cases.join('')}  </testsuite>\n`;
}

function refused(file: string, refusal: string): string {
  const error = `<error message="${escapeXml(firstLine(refusal))}">${escapeXml(refusal)}</error>`;
  return `    <testcase classname="${escapeXml(file)}" name="can be run" time="0.000">\n      ${error}\n    </testcase>\n`;
}

function caseElement(file: string, run: TestRun): string {
  const head = `    <testcase classname="${escapeXml(file)}" name="${escapeXml(run.name)}" time="${seconds([run])}"`;
  const problems = problemsOf(file, run);
  if (problems.length === 0) return `${head}/>\n`;
  const failures = problems.map(
    (problem) => `      <failure message="${escapeXml(firstLine(problem))}">${escapeXml(problem)}</failure>\n`,
  );
  return `${head}>\n${failures.join('')}    </testcase>\n`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function seconds(runs: readonly TestRun[]): string {
  return (runs.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(3);
}

/** XML 1.0 has no way at all to write most control characters. */
function escapeXml(text: string): string {
  return escapeMarkup(text).replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}
