/** Which rule of an earlier configuration a rule goes on from. */
import { type LabelSet, labelKey } from '../core/alert.ts';
import type { LoadedRule } from './rule.ts';

/** What is known of a rule that was at work before. */
export interface Predecessor {
  readonly id: string;
  readonly kind: LoadedRule['kind'];
  readonly name: string;
  /** As written in its file. */
  readonly labels: LabelSet;
}

/**
 * The predecessor of each rule that has one: the same rule wherever it stood, or else, as in Prometheus, one with the same
 * name and labels and another expression, the first for the first.
 */
export function findPredecessors<Found extends Predecessor>(
  rules: readonly LoadedRule[],
  earlier: readonly Found[],
): ReadonlyMap<LoadedRule, Found> {
  const byId = new Map(earlier.map((found) => [found.id, found]));
  const same = rules.flatMap((rule) => {
    const found = byId.get(rule.id);
    return found === undefined ? [] : [[rule, found] as const];
  });
  const matched = new Map(same);
  const taken = new Set(matched.values());
  const left = Map.groupBy(
    earlier.filter((found) => !taken.has(found)),
    (found) => nameAndLabels(found),
  );
  for (const rule of rules) {
    if (matched.has(rule)) continue;
    const found = left.get(nameAndLabels(predecessorOf(rule)))?.shift();
    if (found !== undefined) matched.set(rule, found);
  }
  return matched;
}

/** The rule as the next configuration will look for it. */
export function predecessorOf(rule: LoadedRule): Predecessor {
  const labels = rule.kind === 'alerting' ? rule.written.labels : rule.labels;
  return { id: rule.id, kind: rule.kind, name: rule.name, labels };
}

function nameAndLabels({ kind, name, labels }: Predecessor): string {
  return JSON.stringify([kind, name, labelKey(labels)]);
}
