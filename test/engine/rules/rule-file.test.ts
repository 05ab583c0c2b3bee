import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from '../../../engine/policy/diagnostics.ts';
import type { LoadedRule } from '../../../engine/rules/rule.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';

const FILES = join(import.meta.dirname, 'golden');

function load(file: string) {
  return loadRules([{ file, text: readFileSync(join(FILES, file), 'utf8') }]);
}

function one(expr: string, more = ''): string {
  return `groups:\n- name: g\n  rules:\n  - alert: A\n    expr: ${expr}\n${more}`;
}

function rulesOf(text: string): readonly LoadedRule[] {
  return loadRules([{ file: 'a.yml', text }]).groups.flatMap(({ rules }) => rules);
}

const WORLD = { atMs: 0, query: async () => [] };
const SAMPLE = { labels: { instance: 'a', shelf: '7' }, value: 90, externalLabels: {}, externalUrl: '' };

describe('loadRules', () => {
  it('reads everything a group and a rule can say', () => {
    const { groups, diagnostics } = load('good.yml');
    expect(diagnostics).toEqual([]);
    expect(groups.map(({ rules, ...group }) => group)).toEqual([
      { file: 'good.yml', name: 'node', intervalMs: 5000, queryOffsetMs: 1000, limit: 10 },
      { file: 'good.yml', name: 'no rules yet', intervalMs: 60_000, queryOffsetMs: 0, limit: 0 },
    ]);
    const shared = { severity: 'critical', team: 'night', node: 'n-{{ $labels.instance }}', rank: '1' };
    const common = { id: expect.stringMatching(/^[0-9a-f]{24}$/), limit: 10 };
    const compiled = { labels: expect.any(Object), annotations: expect.any(Object) };
    expect(groups[0]?.rules).toEqual([
      {
        ...common,
        ...compiled,
        kind: 'alerting',
        name: 'GpuHot',
        expr: 'max by (gpu) (\n  temperature > 85\n)\n',
        line: 8,
        forMs: 90_000,
        keepFiringForMs: 120_000,
        written: {
          labels: { ...shared, shelf: '{{ $labels.shelf }}' },
          annotations: { summary: '{{ $value }} °C' },
        },
      },
      {
        ...common,
        ...compiled,
        kind: 'alerting',
        name: 'GpuHot',
        expr: 'max by (gpu) (temperature) > 95',
        line: 21,
        forMs: 0,
        keepFiringForMs: 0,
        written: { labels: { ...shared, shelf: '{{ $labels.shelf }}', page: 'true' }, annotations: {} },
      },
      {
        ...common,
        kind: 'recording',
        name: 'gpu:temperature:max',
        expr: 'max by (gpu) (temperature)',
        line: 27,
        labels: { team: 'none', rank: '1', shelf: '{{ $labels.shelf }}', raw: '{{ not a template' },
      },
    ]);
  });

  it('compiles the labels of the group and of the rule, and the annotations', async () => {
    const rule = load('good.yml').groups[0]?.rules[0];
    if (rule?.kind !== 'alerting') throw new Error('the first rule is an alert');
    const templates = [rule.labels.shelf, rule.labels.node, rule.labels.team, rule.annotations.summary];
    const texts = await Promise.all(templates.map((template) => template?.expand(SAMPLE, WORLD)));
    expect(texts).toEqual(['7', 'n-a', 'night', '90 °C']);
  });

  it('lets a broken template of a group fail when the alert fires, in the words of Prometheus', async () => {
    const text = one('up == 0').replace('  rules:', '  labels: { team: "{{ $x }}" }\n  rules:');
    const [rule] = rulesOf(text);
    if (rule?.kind !== 'alerting') throw new Error('the rule is an alert');
    expect(await rule.labels.team?.expand(SAMPLE, WORLD)).toBe(
      '<error expanding template: error parsing template __alert_A: template: __alert_A:1: undefined variable "$x">',
    );
    const { diagnostics } = loadRules([{ file: 'a.yml', text }]);
    expect(diagnostics).toMatchObject([{ severity: 'warning', line: 3, column: 23 }]);
  });

  it('does not warn of a template of the group where only series are recorded', () => {
    const text = 'groups:\n- name: g\n  labels: {a: "{{"}\n  rules:\n  - {record: a, expr: up}\n';
    expect(loadRules([{ file: 'a.yml', text }]).diagnostics).toEqual([]);
  });

  it('takes over the interval and the offset that the caller gives', () => {
    const text =
      'groups:\n- name: a\n- {name: b, interval: 0s, query_offset: 0s}\n- {name: c, interval: 5s, query_offset: 7s}\n';
    const { groups } = loadRules([{ file: 'a.yml', text }], { intervalMs: 15_000, queryOffsetMs: 2000 });
    expect(groups.map(({ intervalMs, queryOffsetMs }) => [intervalMs, queryOffsetMs])).toEqual([
      [15_000, 2000],
      [15_000, 0],
      [5000, 7000],
    ]);
  });

  it.each(['', 'groups:', 'groups: []', 'groups: null', '# nothing', '---', '~', 'groups: [~]'])(
    'takes a file without groups: %j',
    (text) => {
      expect(loadRules([{ file: 'empty.yml', text }])).toEqual({ groups: [], diagnostics: [] });
    },
  );

  it('reads a number, a date and a word as the text they were written as', () => {
    const labels = 'a: 1_000, b: 0x1F, c: 2020-01-01, d: yes, e: 1.50, f: ~, g: true';
    const [rule] = rulesOf(one('up == 0', `    labels: {${labels}}\n`));
    expect(rule?.kind === 'alerting' && rule.written.labels).toEqual({
      a: '1_000',
      b: '0x1F',
      c: '2020-01-01',
      d: 'yes',
      e: '1.50',
      f: '',
      g: 'true',
    });
  });

  it.each([
    ['5', 5],
    ['0x10', 16],
    ['0o17', 15],
    ['017', 15],
    ['0b11', 3],
    ['1_000', 1000],
    ['1.9', 1],
    ['-1.9', -1],
    ['1e3', 1000],
    ['null', 0],
  ])('reads the limit %s as %d', (written, limit) => {
    const text = `groups:\n- name: g\n  limit: ${written}\n`;
    expect(loadRules([{ file: 'a.yml', text }])).toMatchObject({ groups: [{ limit }], diagnostics: [] });
  });
});

describe('what is wrong with a rule file', () => {
  const bad = globSync('bad/*.yml', { cwd: FILES }).sort();

  it.each(bad)('%s is explained at its place, with a fix', async (file) => {
    const { diagnostics } = load(file);
    expect(diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
    const sources = { [file]: readFileSync(join(FILES, file), 'utf8') };
    const golden = join(FILES, file.replace(/yml$/, 'txt'));
    await expect(renderDiagnostics(diagnostics, sources)).toMatchFileSnapshot(golden);
  });

  it('includes advice when asked for', async () => {
    const file = 'doubtful/everything.yml';
    const text = readFileSync(join(FILES, file), 'utf8');
    const { diagnostics } = loadRules([{ file, text }], { isLinting: true });
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const golden = join(FILES, 'doubtful/everything.txt');
    await expect(renderDiagnostics(diagnostics, { [file]: text })).toMatchFileSnapshot(golden);
  });

  it('finds rules of one name and the same labels in all files', () => {
    const text = one('up == 0', '    labels: {a: b}\n');
    const other =
      'groups:\n- name: h\n  labels: {a: b}\n  rules:\n  - {alert: A, expr: up == 1}\n  - {alert: A, expr: up, labels: {a: c}}\n';
    const sources = [
      { file: 'a.yml', text },
      { file: 'b.yml', text: other },
    ];
    expect(loadRules(sources).diagnostics).toEqual([
      {
        file: 'b.yml',
        line: 5,
        column: 13,
        endColumn: 14,
        severity: 'warning',
        message: 'the alert "A" with these labels has a rule already, at a.yml:4',
        fix: 'remove one of the two, or tell them apart by name or by a label',
      },
    ]);
  });

  it('is said without group when the file cannot be parsed', () => {
    expect(loadRules([{ file: 'a.yml', text: 'groups: [' }])).toMatchObject({ groups: [], diagnostics: [{ line: 1 }] });
  });
});

describe('hostile files', () => {
  const aliases = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`).slice(1);
  const merges = Array.from({ length: 40 }, (_, i) => `- &m${i} {<<: [*m${i - 1}, *m${i - 1}]}`).slice(1);
  const rules = `&r [${'{alert: A, expr: up == 0},'.repeat(2000)}]`;

  it.each([
    ['nested aliases', ['a0: &a0 [x]', ...aliases].join('\n')],
    ['merges of merges', ['groups:', '- &m0 {name: g}', ...merges].join('\n')],
    [
      'many groups of one list of rules',
      `groups:\n- {name: g, rules: ${rules}}\n${'- {name: h, rules: *r}\n'.repeat(2000)}`,
    ],
    ['deep lists', `groups: ${'['.repeat(100_000)}`],
    ['deep mappings', `groups: ${'{a: '.repeat(100_000)}`],
    ['deep blocks', `groups: ${Array.from({ length: 2000 }, (_, i) => `\n${' '.repeat(i)}-`).join('')}`],
    ['a huge file', `groups: # ${'x'.repeat(17 * 1024 * 1024)}`],
  ])('of %s are refused, and soon', (_name, text) => {
    const before = process.cpuUsage();
    const { diagnostics } = loadRules([{ file: 'a.yml', text }]);
    const { user, system } = process.cpuUsage(before);
    expect(diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
    expect((user + system) / 1e6).toBeLessThan(10);
  });

  it('does not mistake 5,000 rules for one', () => {
    const rule = (i: number) =>
      `  - {alert: A${i}, expr: 'sum by (a) (rate(m${i}[5m])) > ${i}', labels: {a: "{{ $value }}"}}\n`;
    const text = `groups:\n- name: g\n  rules:\n${Array.from({ length: 5000 }, (_, i) => rule(i)).join('')}`;
    const before = process.cpuUsage();
    const { groups, diagnostics } = loadRules([{ file: 'a.yml', text }], { isLinting: true });
    const { user, system } = process.cpuUsage(before);
    expect(groups[0]?.rules).toHaveLength(5000);
    expect(new Set(groups[0]?.rules.map(({ id }) => id)).size).toBe(5000);
    expect(diagnostics.every(({ message }) => message.includes('severity'))).toBe(true);
    expect((user + system) / 1e6).toBeLessThan(10);
  });
});

describe('the identity of a rule', () => {
  const idOf = (text: string) => rulesOf(text)[0]?.id;

  it('stays when only texts and times change, or the file or group', () => {
    const moved = one('up == 0', '    for: 5m\n    annotations: {summary: x}\n').replace('name: g', 'name: other');
    expect(idOf(moved)).toBe(idOf(one('up == 0')));
  });

  it('changes with the kind, the expression and the labels, whoever sets them', () => {
    const texts = [
      one('up == 0'),
      one('up == 1'),
      one('up == 0', '    labels: {a: b}\n'),
      one('up == 0').replace('alert', 'record'),
    ];
    expect(new Set(texts.map(idOf)).size).toBe(texts.length);
    const ofGroup = one('up == 0').replace('  rules:', '  labels: {a: b}\n  rules:');
    expect(idOf(ofGroup)).toBe(idOf(one('up == 0', '    labels: {a: b}\n')));
  });

  it('is never shared by two rules, and does not depend on the order of the files', () => {
    const short = { file: 'b.yml', text: one('up == 0', '    for: 1m\n') };
    const long = { file: 'a.yml', text: one('up == 0', '    for: 9m\n') };
    const idsOf = (sources: readonly (typeof short)[]) =>
      Object.fromEntries(loadRules(sources).groups.map(({ file, rules }) => [file, rules[0]?.id]));
    const id = idOf(short.text);
    expect(idsOf([short, long])).toEqual({ 'b.yml': id, 'a.yml': `${id}-2` });
    expect(idsOf([long, short])).toEqual(idsOf([short, long]));
  });
});
