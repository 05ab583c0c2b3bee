/** Rules that write the same series or raise the same alerts. */
import { labelKey } from '../core/alert.ts';
import type { Diagnostic } from '../policy/diagnostics.ts';
import type { LoadedRule } from './rule.ts';
import type { ReadGroup } from './rule-group.ts';

/** One warning for every rule whose name and labels, the group's included, were met before, in whichever file. */
export function duplicateWarnings(groups: readonly ReadGroup[]): Diagnostic[] {
  const first = new Map<string, string>();
  return groups.flatMap(({ group, rules }) =>
    rules.flatMap(({ rule, places }): Diagnostic[] => {
      const place = `${group.file}:${places.name.line}`;
      const before = first.get(keyOf(rule));
      if (before === undefined) first.set(keyOf(rule), place);
      return before === undefined ? [] : [{ file: group.file, ...places.name, ...warning(rule, before) }];
    }),
  );
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
