import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { relabel } from '../../../engine/alertmanager/relabel.ts';
import { readRelabelRules } from '../../../engine/alertmanager/relabel-fields.ts';
import type { LabelSet } from '../../../engine/core/alert.ts';
import type { Diagnostic } from '../../../engine/policy/diagnostics.ts';
import { parseYaml } from '../../../engine/policy/yaml.ts';
import { rootField } from '../../../engine/policy/yaml-fields.ts';

type Expected = { readonly labels: LabelSet } | { readonly dropped: true } | { readonly refused: true };

interface Case {
  readonly name: string;
  readonly labels: LabelSet;
  /** A list of rules, in YAML. */
  readonly rules: string;
  /** What model/relabel of Prometheus 3 makes of them. */
  readonly expected: Expected;
}

const CASES: readonly Case[] = JSON.parse(readFileSync(new URL('./golden/relabel.json', import.meta.url), 'utf8'));

function rulesOf(yaml: string) {
  const document = parseYaml(yaml, 'rules.yml');
  const problems: Diagnostic[] = document.ok ? [] : [...document.diagnostics];
  return { rules: document.ok ? readRelabelRules(rootField(document, problems)) : [], problems };
}

function outcomeOf({ labels, rules: yaml }: Case): Expected {
  const { rules, problems } = rulesOf(yaml);
  if (problems.length > 0) return { refused: true };
  const result = relabel(labels, rules);
  return result === undefined ? { dropped: true } : { labels: result };
}

describe('relabel', () => {
  it.each(CASES)('$name: as Prometheus', (one) => {
    expect(outcomeOf(one)).toEqual(one.expected);
  });

  it('lays added labels under the alert’s own, before the rules', () => {
    const { rules } = rulesOf('[{source_labels: [cluster, gpu], target_label: where}]');
    const added = { cluster: 'eu-1', gpu: 'any' };
    expect(relabel({ gpu: '3' }, rules, added)).toEqual({ gpu: '3', cluster: 'eu-1', where: 'eu-1;3' });
  });

  it('changes nothing that it was given', () => {
    const labels = Object.freeze({ gpu: '3', team: 'Infra' });
    relabel(labels, rulesOf('[{regex: gpu, action: labeldrop}]').rules);
    expect(labels).toEqual({ gpu: '3', team: 'Infra' });
  });
});

describe('readRelabelRules', () => {
  it.each(CASES.filter(({ expected }) => 'refused' in expected))('$name: says what is wrong and what to do', (one) => {
    const speechless = rulesOf(one.rules).problems.filter(({ message, fix }) => message === '' || fix === '');
    expect(speechless).toEqual([]);
  });
});
