/** The tables of rules/README.md are those of the policy and of the rule files. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatDuration } from '../../engine/policy/duration.ts';
import { policyFile } from '../../engine/policy/schema.ts';
import { loadRules } from '../../engine/rules/rule-file.ts';
import { ROOT, readDocument, tableRows } from './documents.ts';

const README = readDocument('rules/README.md');
const FILES = globSync('rules/alerts/*.yml', { cwd: ROOT }).sort();
const RULES = loadRules(FILES.map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }))).groups.flatMap(
  ({ rules }) => rules,
);

describe('the alert table of rules/README.md', () => {
  const rows = tableRows(README, 'alert');

  it('has one row per rule, with its for, severity and action', () => {
    const expected = RULES.map(({ name, forMs, written: { labels } }) => [
      `\`${name}\``,
      formatDuration(forMs),
      labels.severity,
      labels.action,
    ]);
    expect(rows.map(([alert, , ...rest]) => [alert, ...rest])).toEqual(expected);
  });

  it.each(RULES.flatMap(({ name, expr }) => thresholdOf(expr).map((threshold) => [name, threshold] as const)))(
    'shows the threshold of %s: %s',
    (name, threshold) => {
      expect(rows.find(([alert]) => alert === `\`${name}\``)?.[1]).toContain(threshold);
    },
  );
});

/** `>= 80` at the end of an expression; rules that compare with another series have none. */
function thresholdOf(expr: string): readonly string[] {
  const [, operator, value] = /(>=|>)\s*(\d+)\s*$/.exec(expr) ?? [];
  return operator === undefined ? [] : [`${operator} ${value}`];
}

describe('the policy table of rules/README.md', () => {
  it('explains every key of a policy, and no other', () => {
    const explained = tableRows(README, 'key')
      .flatMap(([cell = '']) => [...cell.matchAll(/`(\w+)[.\w]*`/g)].map(([, key]) => key))
      .filter((key, index, all) => all.indexOf(key) === index);
    expect(explained).toEqual(Object.keys(policyFile.shape));
  });
});
