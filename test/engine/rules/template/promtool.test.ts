/** The installed promtool as judge: what it loads, and whether the texts of its alerts are ours. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../../../engine/prometheus/query.ts';
import { compileTemplate } from '../../../../engine/rules/template/template.ts';
import { programOf, requireTool } from '../../../servers/require-tool.ts';
import { temporaryDirectory } from '../../../servers/temporary-directory.ts';

interface Case {
  readonly template: string;
  readonly value: string;
}

const LABELS = { instance: 'gpu-1.example.com:9400', gpu: '3', watts: '1500', odd: '<a href="x">&\'é' };
const EXTERNAL = { externalLabels: { region: 'eu' }, externalUrl: 'http://prometheus.example:9090/sub' };

// Texts that Go or Prometheus changed since 2.42.
const SINCE_3 =
  /\btitle\b|parseDuration "(?!1h30m|90s)|(?:Zone|Date|Clock|ISOWeek) |else with|range (?:\$i := )?[03] |%05s/;
/** Functions that came with some release of Prometheus 3; promtool is asked whether it has them. */
const YOUNG_FUNCTIONS = ['now', 'toDuration', 'urlQueryEscape'];
// promtool has no external URL for these two functions, and YAML no way to expect bytes that are no UTF-8.
const UNKNOWN_TO_PROMTOOL = /\{\{ externalURL |\\x[c-f][0-9a-f]|slice "hé" 0 2/;
/** promtool's cost grows with the square of the rules in one file. */
const BATCH = 30;

const OWN_QUERIES: readonly Case[] = [
  { template: '{{ query "case{n=\\"0\\"}" | first | value | humanize }}', value: '1' },
  { template: '{{ range query "case < 0" | sortByLabel "n" }}{{ .Labels.n }}={{ .Value }};{{ end }}', value: '1' },
  { template: '{{ with query "nothing" }}x{{ else }}nothing{{ end }}', value: '1' },
];

function recorded(...names: readonly string[]): readonly Case[] {
  const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, 'golden', `${name}.json`), 'utf8'));
  return names.flatMap((name) => (read(name) as { cases: Case[] }).cases);
}

/** Whether the release of this promtool is young enough for the template. */
function isOfRelease(promtool: string): (found: Case) => boolean {
  const version = execFileSync(promtool, ['--version'], { encoding: 'utf8' });
  const isNew = !/version [0-2]\./.test(version);
  const probes = YOUNG_FUNCTIONS.map((name) => ({ template: `{{ $x := "5" | ${name} }}`, value: '0' }));
  const missing = YOUNG_FUNCTIONS.filter((_, index) => refusedBy(promtool, probes).has(index));
  // Negative durations came in the same release as the last of these functions.
  const absent = missing.length === 0 ? [] : [...missing.map((name) => `\\b${name}\\b`), 'parseDuration "-'];
  return ({ template }) => {
    return (isNew || !SINCE_3.test(template)) && !absent.some((pattern) => new RegExp(pattern).test(template));
  };
}

function rulesOf(cases: readonly Case[], first = 0): string {
  const rules = cases.map(({ template }, at) => {
    const index = first + at;
    return { alert: `A${index}`, expr: `case{n="${index}"}`, annotations: { text: template } };
  });
  return JSON.stringify({ groups: [{ name: 'all', rules }] });
}

/** The numbers of the rules that `promtool check rules` refuses. */
function refusedBy(promtool: string, cases: readonly Case[]): ReadonlySet<number> {
  const file = join(temporaryDirectory(), 'rules.yml');
  writeFileSync(file, rulesOf(cases));
  const { stdout, stderr } = spawnSync(promtool, ['check', 'rules', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return new Set([...`${stdout}${stderr}`.matchAll(/rule (\d+), "A\d+"/g)].map(([, rule]) => Number(rule) - 1));
}

function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

/** The instant vector of the few queries above, over the series of `cases`. */
function answer(expr: string, cases: readonly Case[]): readonly Sample[] {
  const all = cases.map(({ value }, index) => ({ labels: seriesLabels(index), value: numberOf(value) }));
  if (expr === 'case{n="0"}') return all.slice(0, 1);
  return expr === 'case < 0' ? all.slice(0, BATCH).filter(({ value }) => value < 0) : [];
}

function seriesLabels(index: number): Readonly<Record<string, string>> {
  return { __name__: 'case', n: String(index), ...LABELS };
}

async function textsOf(cases: readonly Case[]): Promise<readonly string[]> {
  const world = { atMs: 0, query: async (expr: string) => answer(expr, cases) };
  const texts = cases.map(({ template, value }, index) => {
    const result = compileTemplate(template, { name: `A${index}` });
    if (!result.ok) throw new Error(`${template}: ${JSON.stringify(result.problems)}`);
    return result.template.expand({ ...EXTERNAL, labels: seriesLabels(index), value: numberOf(value) }, world);
  });
  return Promise.all(texts);
}

/** What `promtool test rules` says when every alert should carry the text given for it. */
function verdict(promtool: string, cases: readonly Case[], texts: readonly string[]): { ok: boolean; output: string } {
  const directory = temporaryDirectory();
  const run = spawnSync(promtool, ['test', 'rules', ...writeTests(directory, cases, texts)], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const report = `${run.stdout}${run.stderr}`;
  return { ok: run.status === 0, output: report.slice(Math.max(0, report.indexOf('FAILED'))).slice(0, 4000) };
}

function writeTests(directory: string, cases: readonly Case[], texts: readonly string[]): readonly string[] {
  return Array.from({ length: Math.ceil(cases.length / BATCH) }, (_, batch) => {
    const first = batch * BATCH;
    const end = first + BATCH;
    const rules = `rules-${batch}.yml`;
    const file = join(directory, `test-${batch}.yml`);
    writeFileSync(join(directory, rules), rulesOf(cases.slice(first, end), first));
    // The queries of the first batch look at its own series only.
    const tests = [unitTest(cases.slice(first, end), texts.slice(first, end), first)];
    writeFileSync(file, JSON.stringify({ rule_files: [rules], tests }));
    return file;
  });
}

function unitTest(cases: readonly Case[], texts: readonly string[], first: number): object {
  const labelsAt = (index: number) => ({ n: String(first + index), ...LABELS });
  const input_series = cases.map(({ value }, index) => {
    const labels = Object.entries(labelsAt(index)).map(([name, text]) => `${name}=${JSON.stringify(text)}`);
    return { series: `case{${labels.join(',')}}`, values: value };
  });
  const alert_rule_test = texts.map((text, index) => {
    const alerts = [{ exp_labels: labelsAt(index), exp_annotations: { text } }];
    return { eval_time: '0m', alertname: `A${first + index}`, exp_alerts: alerts };
  });
  const { externalLabels: external_labels, externalUrl: external_url } = EXTERNAL;
  return { interval: '1m', external_labels, external_url, input_series, alert_rule_test };
}

describe('templates under the real promtool', () => {
  it('refuses what promtool check rules refuses, and nothing else', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const cases = recorded('parse', 'language', 'rules', 'error', 'text', 'query').filter(isOfRelease(promtool));
    const refused = refusedBy(promtool, cases);
    const differing = cases.filter(({ template }, index) => compileTemplate(template).ok === refused.has(index));
    expect(differing).toEqual([]);
    expect(refused.size).toBeGreaterThan(70);
    expect(cases.length - refused.size).toBeGreaterThan(200);
  });

  it('writes what promtool test rules finds in the annotations', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const isKnown = isOfRelease(promtool);
    const usable = recorded('language', 'rules', 'number', 'text', 'printf', 'time').filter((found) => {
      const isUsable = compileTemplate(found.template).ok && !UNKNOWN_TO_PROMTOOL.test(found.template);
      return isUsable && isKnown(found) && !/\bquery\b/.test(found.template);
    });
    const cases = [...OWN_QUERIES, ...usable];
    const texts = await textsOf(cases);
    expect(verdict(promtool, cases, texts)).toEqual({ ok: true, output: expect.stringContaining('SUCCESS') });
    expect(cases.length).toBeGreaterThan(800);
    const wrong = texts.map((text, index) => (index === 40 ? `${text}?` : text));
    expect(verdict(promtool, cases, wrong)).toEqual({ ok: false, output: expect.stringContaining('A40') });
  }, 60_000);
});
