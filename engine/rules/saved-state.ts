/** Store records of a rule's alerts, and back: one for the rule, one for each of its alerts. */
import { z } from 'zod';
import type { Alert, LabelSet, RuleState } from '../core/alert.ts';
import type { StoreRecord } from '../store/store.ts';
import type { AlertingRule } from './rule.ts';

const labelSet = z.record(z.string(), z.string());
const facts = {
  key: z.string(),
  labels: labelSet,
  annotations: labelSet,
  value: z.string().transform(Number),
  activeAt: z.number(),
};
const sent = { firedAt: z.number(), lastSentAt: z.number().exactOptional() };

const savedAlert = z.discriminatedUnion('state', [
  z.object({ ...facts, state: z.literal('pending') }),
  z.object({ ...facts, ...sent, state: z.literal('firing'), missingSince: z.number().exactOptional() }),
  z.object({ ...facts, ...sent, state: z.literal('inactive'), resolvedAt: z.number() }),
]);

const savedRule = z.object({ name: z.string(), labels: labelSet, confirmedAt: z.number().exactOptional() });

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

export function ruleRecord({ id, name, written }: AlertingRule, { confirmedAt }: RuleState): StoreRecord {
  const value = { name, labels: written.labels, ...(confirmedAt === undefined ? {} : { confirmedAt }) };
  return { key: id, value };
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
  const confirmed = rule?.confirmedAt === undefined ? {} : { confirmedAt: rule.confirmedAt };
  return { id, rule, state: { alerts, ...confirmed }, unreadable };
}
