/** One group of a rule file. */
import type { RuleGroup } from './rule.ts';
import { type ReadRule, readRule } from './rule-entry.ts';
import { type Field, readDuration, readFields, readInteger, readList, readText, report } from './rule-fields.ts';
import { readTexts, warnOfBroken } from './rule-templates.ts';
import type { Steps } from './steps.ts';

const GROUP_KEYS = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];

/** What a group does not say for itself, Prometheus' `global` section says. */
export interface GroupDefaults {
  readonly intervalMs: number;
  readonly queryOffsetMs: number;
}

export interface ReadGroup {
  readonly group: Omit<RuleGroup, 'rules'>;
  readonly rules: readonly ReadRule[];
}

/** Reads a group; undefined when it is no mapping. `names` holds those of the groups before it in the file. */
export function* readGroup(item: Field, defaults: GroupDefaults, names: Set<string>): Steps<ReadGroup | undefined> {
  const fields = readFields(item, GROUP_KEYS);
  if (fields === undefined) return undefined;
  const limit = readInteger(fields.field('limit'));
  const labels = readTexts(fields.field('labels'), 'label');
  const rules: ReadRule[] = [];
  for (const one of readList(fields.field('rules'), 'rule')) {
    const rule = readRule(one, { limit, labels });
    if (rule !== undefined) rules.push(rule);
    yield;
  }
  if (rules.some(({ rule }) => rule.kind === 'alerting')) for (const label of labels) warnOfBroken(label);
  const group = {
    file: item.reader.file,
    name: readName(fields.field('name'), names),
    // An interval of 0 is the default, as in Prometheus.
    intervalMs: readDuration(fields.field('interval')) || defaults.intervalMs,
    queryOffsetMs: readDuration(fields.field('query_offset')) ?? defaults.queryOffsetMs,
    limit,
  };
  return { group, rules };
}

function readName(field: Field, names: Set<string>): string {
  const name = readText(field) ?? '';
  if (name === '') report(field, { message: 'the group has no name', fix: 'add "name: …", unique in the file' });
  else if (names.has(name)) {
    report(field, { message: `a second group is named "${name}"`, fix: 'rename one of the two, or join them' });
  }
  names.add(name);
  return name;
}
