import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from '../../../engine/policy/diagnostics.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';

const FILES = join(import.meta.dirname, 'golden');

function load(file: string) {
  return loadRules([{ file, text: readFileSync(join(FILES, file), 'utf8') }]);
}

function one(expr: string, labels = ''): string {
  return `groups:\n- name: g\n  rules:\n  - alert: A\n    expr: ${expr}\n${labels}`;
}

describe('loadRules', () => {
  it('reads everything a group and a rule can say', () => {
    const { groups, diagnostics } = load('good.yml');
    expect(diagnostics).toEqual([]);
    expect(groups.map(({ rules, ...group }) => group)).toEqual([
      { file: 'good.yml', name: 'node', intervalMs: 5000, queryOffsetMs: 1000 },
      { file: 'good.yml', name: 'no rules yet', intervalMs: 60_000, queryOffsetMs: 0 },
    ]);
    expect(groups[0]?.rules.map(({ id, labels, annotations, ...rule }) => rule)).toEqual([
      {
        name: 'GpuHot',
        expr: 'max by (gpu) (\n  temperature > 85\n)\n',
        forMs: 90_000,
        keepFiringForMs: 120_000,
        limit: 10,
        written: {
          labels: { team: 'night', rank: '1', severity: 'critical', node: 'n-{{ $labels.instance }}' },
          annotations: { summary: '{{ $value }} °C' },
        },
      },
      {
        name: 'GpuHot',
        expr: 'max by (gpu) (temperature) > 95',
        forMs: 0,
        keepFiringForMs: 0,
        limit: 10,
        written: {
          labels: { team: 'night', rank: '1', severity: 'critical', node: 'n-{{ $labels.instance }}', page: 'true' },
          annotations: {},
        },
      },
    ]);
  });

  it('compiles labels and annotations', () => {
    const rule = load('good.yml').groups[0]?.rules[0];
    const sample = { labels: { instance: 'a' }, value: 90 };
    expect([rule?.labels.node?.(sample), rule?.annotations.summary?.(sample)]).toEqual(['n-a', '90 °C']);
  });

  it('reports every problem at its place, with its fix', async () => {
    const { diagnostics } = load('bad.yml');
    const source = readFileSync(join(FILES, 'bad.yml'), 'utf8');
    await expect(renderDiagnostics(diagnostics, { 'bad.yml': source })).toMatchFileSnapshot('golden/bad.txt');
  });

  it.each(['', 'groups:', 'groups: []', '# nothing'])('takes a file without groups: %j', (text) => {
    expect(loadRules([{ file: 'empty.yml', text }])).toEqual({ groups: [], diagnostics: [] });
  });

  it.each([
    ['- a', 'the file must be a mapping'],
    ['groups: {}', '"groups" must be a list'],
    ['groups: [', 'unexpected'],
  ])('refuses %j', (text, message) => {
    const { groups, diagnostics } = loadRules([{ file: 'bad.yml', text }]);
    expect(groups).toEqual([]);
    expect(diagnostics).toHaveLength(1);
    if (message !== 'unexpected') expect(diagnostics[0]?.message).toBe(message);
  });
});

describe('the identity of a rule', () => {
  const idOf = (text: string) => loadRules([{ file: 'a.yml', text }]).groups[0]?.rules[0]?.id;

  it('stays when only texts and times change, or the file or group', () => {
    const moved = one('up == 0', '    for: 5m\n    annotations: {summary: x}\n').replace('name: g', 'name: other');
    expect(idOf(moved)).toBe(idOf(one('up == 0')));
  });

  it('changes with the expression and the labels', () => {
    expect(
      new Set([idOf(one('up == 0')), idOf(one('up == 1')), idOf(one('up == 0', '    labels: {a: b}\n'))]).size,
    ).toBe(3);
  });

  it('is never shared by two rules', () => {
    const text = one('up == 0');
    const { groups } = loadRules([
      { file: 'a.yml', text },
      { file: 'b.yml', text },
    ]);
    const [first, second] = groups.map(({ rules }) => rules[0]?.id);
    expect(second).toBe(`${first}-2`);
  });
});
