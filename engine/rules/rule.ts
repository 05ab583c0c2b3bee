/** Rules as the engine holds them once their file has been checked. */
import { createHash } from 'node:crypto';
import { type AlertRule, type LabelSet, labelKey } from '../core/alert.ts';
import type { Template } from './template/template.ts';

/** What alerting and recording rules have in common. */
interface RuleFacts {
  /** Names the rule in the store: the same rule keeps its alerts when it moves to another group or file. */
  readonly id: string;
  /** The alert's name, or the metric that is recorded. */
  readonly name: string;
  readonly expr: string;
  /** Line of the rule in its file, from 1. */
  readonly line: number;
  /** More results than this fail the rule; 0 is no limit. */
  readonly limit: number;
}

export interface AlertingRule extends RuleFacts, AlertRule {
  readonly kind: 'alerting';
  /** The group's labels included; the rule's own win. */
  readonly labels: Readonly<Record<string, Template>>;
  readonly annotations: Readonly<Record<string, Template>>;
  /** Labels (the group's included) and annotations as written, templates unexpanded. */
  readonly written: { readonly labels: LabelSet; readonly annotations: LabelSet };
}

export interface RecordingRule extends RuleFacts {
  readonly kind: 'recording';
  /** Laid over the labels of every result, the group's included; no templates. */
  readonly labels: LabelSet;
}

export type LoadedRule = AlertingRule | RecordingRule;

export interface RuleGroup {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  /** Queries look this far into the past, for data that arrives late; results are stamped with that instant too. */
  readonly queryOffsetMs: number;
  readonly limit: number;
  readonly rules: readonly LoadedRule[];
}

/** A rule is its name, its expression and its labels; with any other `for` or text it is still the same rule. */
export function ruleId(name: string, expr: string, labels: LabelSet): string {
  return createHash('sha256')
    .update(JSON.stringify([name, expr, labelKey(labels)]))
    .digest('hex')
    .slice(0, 24);
}

/** Gives the second of two identical rules an id of its own, so that they do not share alerts. */
export function withUniqueIds(groups: readonly RuleGroup[]): RuleGroup[] {
  const uses = new Map<string, number>();
  const unique = (rule: LoadedRule): LoadedRule => {
    const use = (uses.get(rule.id) ?? 0) + 1;
    uses.set(rule.id, use);
    return use === 1 ? rule : { ...rule, id: `${rule.id}-${use}` };
  };
  return groups.map((group) => ({ ...group, rules: group.rules.map(unique) }));
}
