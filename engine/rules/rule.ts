/** Alert rules as the engine holds them once their file has been checked. */
import { createHash } from 'node:crypto';
import { type AlertRule, type LabelSet, labelKey } from '../core/alert.ts';

export interface LoadedRule extends AlertRule {
  /** Names the rule in the store: the same rule keeps its alerts when it moves to another group or file. */
  readonly id: string;
  /** Labels (the group's included) and annotations as written, templates unexpanded. */
  readonly written: { readonly labels: LabelSet; readonly annotations: LabelSet };
}

export interface RuleGroup {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  /** Queries look this far into the past, for data that arrives late. */
  readonly queryOffsetMs: number;
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
