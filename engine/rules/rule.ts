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

interface Identity {
  readonly kind: LoadedRule['kind'];
  readonly name: string;
  readonly expr: string;
  /** As written, the group's included. */
  readonly labels: LabelSet;
}

/** A rule is its name, its expression and its labels; with any other `for` or text it is still the same rule. */
export function ruleId({ kind, name, expr, labels }: Identity): string {
  const identity = kind === 'alerting' ? [name, expr, labelKey(labels)] : [kind, name, expr, labelKey(labels)];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 24);
}

interface Use {
  readonly rule: LoadedRule;
  /** Ranks identical rules by what they say first and by where they stand last, whatever order files are loaded in. */
  rank(): string;
}

/** Gives each of several identical rules an id of its own, so that they do not share alerts. */
export function withUniqueIds(groups: readonly RuleGroup[]): RuleGroup[] {
  const uses = groups.flatMap((group) =>
    group.rules.map((rule, index) => ({ rule, rank: () => rankOf(rule, group, index) })),
  );
  const ids = new Map<LoadedRule, string>();
  for (const alike of Map.groupBy(uses, ({ rule }) => rule.id).values()) if (alike.length > 1) nameUses(alike, ids);
  const unique = (rule: LoadedRule): LoadedRule => (ids.has(rule) ? { ...rule, id: ids.get(rule) ?? rule.id } : rule);
  return groups.map((group) => ({ ...group, rules: group.rules.map(unique) }));
}

function nameUses(uses: readonly Use[], ids: Map<LoadedRule, string>): void {
  const ranked = uses.map(({ rule, rank }) => ({ rule, rank: rank() })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  for (const [index, { rule }] of ranked.entries()) if (index > 0) ids.set(rule, `${rule.id}-${index + 1}`);
}

function rankOf(rule: LoadedRule, { file, name }: RuleGroup, index: number): string {
  const sortable = (number: number) => String(number).padStart(15, '0');
  const place = [file, name, sortable(index)];
  if (rule.kind === 'recording') return JSON.stringify(place);
  const { forMs, keepFiringForMs, written } = rule;
  return JSON.stringify([sortable(forMs), sortable(keepFiringForMs), labelKey(written.annotations), ...place]);
}
