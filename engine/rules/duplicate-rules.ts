/** Rules that write the same series or raise the same alerts. */
import { labelKey } from '../core/alert.ts';
import type { Diagnostic } from '../policy/diagnostics.ts';
import type { LoadedRule } from './rule.ts';
import type { ReadGroup } from './rule-group.ts';
import type { Steps } from './steps.ts';

/** One warning for every rule whose name and labels, the group's included, were met before, in whichever file. */
export function* duplicateWarnings(groups: readonly ReadGroup[]): Steps<Diagnostic[]> {
  const first = new Map<string, string>();
  const warnings: Diagnostic[] = [];
  for (const { group, rules } of groups) {
    for (const { rule, places } of rules) {
      const key = keyOf(rule);
      const before = first.get(key);
      if (before === undefined) first.set(key, `${group.file}:${places.name.line}`);
      else warnings.push({ file: group.file, ...places.name, ...warning(rule, before) });
    }
    yield;
  }
  return warnings;
}

function keyOf(rule: LoadedRule): string {
  const labels = rule.kind === 'alerting' ? rule.written.labels : rule.labels;
  return JSON.stringify([rule.name, labelKey(labels)]);
}

function warning({ kind, name }: LoadedRule, before: string): Pick<Diagnostic, 'severity' | 'message' | 'fix'> {
  const what = kind === 'alerting' ? 'alert' : 'series';
  const message = `the ${what} "${name}" with these labels has a rule already, at ${before}`;
  return { severity: 'warning', message, fix: 'remove one of the two, or tell them apart by name or by a label' };
}
