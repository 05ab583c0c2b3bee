/** Store records of a rule's alerts, and back: one for the rule, one for each of its alerts. */
import { z } from 'zod';
import type { Alert, LabelSet, RuleState } from '../core/alert.ts';
import type { StoreRecord } from '../store/store.ts';
import type { AlertingRule } from './rule.ts';

const labelSet = z.record(z.string(), z.string());
/** Milliseconds since the epoch, as far as a Date reaches: beyond it an instant has no text. */
const instant = z.int().min(0).max(8.64e15);
const facts = {
  key: z.string(),
  labels: labelSet,
  annotations: labelSet,
  value: z.string().transform(Number),
  activeAt: instant,
  raisedAt: instant.exactOptional(),
};
const sent = { firedAt: instant, lastSentAt: instant.exactOptional() };

const savedAlert = z.discriminatedUnion('state', [
  z.object({ ...facts, state: z.literal('pending') }),
  z.object({ ...facts, ...sent, state: z.literal('firing'), missingSince: instant.exactOptional() }),
  z.object({ ...facts, ...sent, state: z.literal('inactive'), resolvedAt: instant }),
]);

const instants = { confirmedAt: instant.exactOptional(), evaluatedAt: instant.exactOptional() };
const savedRule = z.object({ name: z.string(), labels: labelSet, ...instants });

/** What a rule's record says of its state. */
export type RuleInstants = Omit<RuleState, 'alerts'>;

/** What the store remembers of a rule. */
export interface SavedRule {
  readonly id: string;
  /** Name and labels as they were written in the rule's file; undefined when only alerts were found. */
  readonly rule: { readonly name: string; readonly labels: LabelSet } | undefined;
  readonly state: RuleState;
  /** Keys of its records that cannot be read: written by another version, or damaged. */
  readonly unreadable: readonly string[];
}

/** No rule id contains it. */
const SEPARATOR = ' ';

/** Key of an alert's record; that of a rule is its id. */
export function alertRecordKey(ruleId: string, alertKey: string): string {
  return `${ruleId}${SEPARATOR}${alertKey}`;
}

export function ruleRecord({ id, name, written }: AlertingRule, instants: RuleInstants): StoreRecord {
  return { key: id, value: { name, labels: written.labels, ...instants } };
}

export function instantsOf({ alerts: _, ...instants }: RuleState): RuleInstants {
  return instants;
}

/** JSON has no NaN and no infinity, and PromQL yields both: values are saved as text. */
export function alertRecord(ruleId: string, alert: Alert): StoreRecord {
  return { key: alertRecordKey(ruleId, alert.key), value: { ...alert, value: String(alert.value) } };
}

/** The records of all rules, sorted by rule. */
export function readSaved(records: readonly StoreRecord[]): readonly SavedRule[] {
  const byRule = Map.groupBy(records, ({ key }) => key.split(SEPARATOR, 1)[0] ?? key);
  return [...byRule].map(([id, ofRule]) => readRule(id, ofRule));
}

function readRule(id: string, records: readonly StoreRecord[]): SavedRule {
  const unreadable: string[] = [];
  const alerts: Alert[] = [];
  let rule: z.output<typeof savedRule> | undefined;
  for (const { key, value } of records) {
    const own = key === id ? savedRule.safeParse(value).data : undefined;
    const alert = key === id ? undefined : savedAlert.safeParse(value).data;
    rule ??= own;
    if (alert !== undefined) alerts.push(alert);
    if (own === undefined && alert === undefined) unreadable.push(key);
  }
  const { name, labels, ...instants } = rule ?? { name: '', labels: {} };
  return { id, rule: rule && { name, labels }, state: { alerts, ...instants }, unreadable };
}
