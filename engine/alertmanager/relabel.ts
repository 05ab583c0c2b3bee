/** Relabelling as Prometheus does it: an ordered list of rules rewrites a label set, or drops what it belongs to. */
import { createHash } from 'node:crypto';
import type { RE2JS } from 're2js';
import type { LabelSet } from '../core/alert.ts';
import { toLowerCase, toUpperCase } from '../text/letter-case.ts';
import { expandTemplate } from './regex-template.ts';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;

export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  /** Anchored at both ends; its dot matches line breaks too. */
  readonly regex: RE2JS;
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
}

/**
 * The labels after all rules; undefined when one of them drops. `added` are laid under the labels first: external
 * labels, which the alert's own win over.
 */
export function relabel(labels: LabelSet, rules: readonly RelabelRule[], added: LabelSet = {}): LabelSet | undefined {
  const builder = new LabelBuilder(labels);
  for (const name of Object.keys(added).sort()) {
    if (builder.get(name) === '') builder.set(name, added[name] ?? '');
  }
  return rules.every((rule) => apply(rule, builder)) ? builder.labels() : undefined;
}

/** Prometheus walks original labels by name and then added ones by age; `labelmap` onto one name depends on it. */
class LabelBuilder {
  readonly #values: Map<string, string>;
  readonly #isAdded = new Set<string>();

  constructor(labels: LabelSet) {
    this.#values = new Map(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get(name: string): string {
    return this.#values.get(name) ?? '';
  }

  /** An empty value is no label. */
  set(name: string, value: string): void {
    if (value === '' || !this.#isAdded.has(name)) this.delete(name);
    if (value === '') return;
    this.#isAdded.add(name);
    this.#values.set(name, value);
  }

  delete(name: string): void {
    this.#isAdded.delete(name);
    this.#values.delete(name);
  }

  /** A copy, so that a rule may change labels while it walks them. */
  entries(): [name: string, value: string][] {
    return [...this.#values];
  }

  labels(): LabelSet {
    return Object.fromEntries(this.#values);
  }
}

/** False when the rule drops. */
function apply(rule: RelabelRule, builder: LabelBuilder): boolean {
  const value = rule.sourceLabels.map((name) => builder.get(name)).join(rule.separator);
  switch (rule.action) {
    case 'keep':
      return matches(rule, value);
    case 'drop':
      return !matches(rule, value);
    case 'keepequal':
      return builder.get(rule.targetLabel) === value;
    case 'dropequal':
      return builder.get(rule.targetLabel) !== value;
    default:
      EDITS[rule.action](rule, builder, value);
      return true;
  }
}

type EditingAction = Exclude<RelabelAction, 'keep' | 'drop' | 'keepequal' | 'dropequal'>;
type Edit = (rule: RelabelRule, builder: LabelBuilder, value: string) => void;

const EDITS: Readonly<Record<EditingAction, Edit>> = {
  replace,
  hashmod: ({ targetLabel, modulus }, builder, value) => builder.set(targetLabel, hashModulo(value, modulus)),
  lowercase: ({ targetLabel }, builder, value) => builder.set(targetLabel, toLowerCase(value)),
  uppercase: ({ targetLabel }, builder, value) => builder.set(targetLabel, toUpperCase(value)),
  labelmap: (rule, builder) => {
    for (const [name, value] of builder.entries()) {
      const renamed = expandTemplate(rule.regex, name, rule.replacement);
      if (renamed !== undefined) builder.set(renamed, value);
    }
  },
  labeldrop: (rule, builder) => deleteWhere(builder, (name) => matches(rule, name)),
  labelkeep: (rule, builder) => deleteWhere(builder, (name) => !matches(rule, name)),
};

function matches({ regex }: RelabelRule, text: string): boolean {
  return regex.matcher(text).find();
}

function deleteWhere(builder: LabelBuilder, isUnwanted: (name: string) => boolean): void {
  for (const [name] of builder.entries()) if (isUnwanted(name)) builder.delete(name);
}

function replace({ regex, targetLabel, replacement }: RelabelRule, builder: LabelBuilder, value: string): void {
  const target = expandTemplate(regex, value, targetLabel);
  const replaced = expandTemplate(regex, value, replacement);
  if (target === undefined || target === '' || replaced === undefined) return;
  builder.set(target, replaced);
}

/** The last eight bytes of the MD5 sum as one number, modulo `modulus`. */
function hashModulo(value: string, modulus: number): string {
  const hash = createHash('md5').update(value).digest().readBigUInt64BE(8);
  return String(hash % BigInt(modulus));
}
