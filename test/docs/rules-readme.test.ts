/** The tables of rules/README.md are those of the policy and of the rule files. */
import { describe, expect, it } from 'vitest';
import { formatDuration } from '../../engine/policy/duration.ts';
import { policyFile } from '../../engine/policy/schema.ts';
import { ALERTS, RECORDS } from '../rules/rule-files.ts';
import { readDocument, tableRows } from './documents.ts';

const README = readDocument('rules/README.md');

describe('the alert table of rules/README.md', () => {
  const rows = tableRows(README, 'alert');

  it('has one row per rule, with its for, severity, action and team', () => {
    const expected = ALERTS.map(({ name, forMs, written: { labels } }) => [
      `\`${name}\``,
      formatDuration(forMs),
      labels.severity,
      labels.action,
      labels.team,
    ]);
    expect(rows.map(([alert, , ...rest]) => [alert, ...rest])).toEqual(expected);
  });

  it.each(ALERTS.flatMap(({ name, expr }) => thresholdOf(expr).map((threshold) => [name, threshold] as const)))(
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

describe('the table of recorded series of rules/README.md', () => {
  it('names every one, and no other', () => {
    const named = tableRows(README, 'recorded').flatMap(([cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    );
    expect(named).toEqual(RECORDS.map(({ name }) => name));
  });
});

describe('the policy table of rules/README.md', () => {
  it('explains every key of a policy, and no other', () => {
    const explained = tableRows(README, 'key')
      .flatMap(([cell = '']) => [...cell.matchAll(/`(\w+)[.\w]*`/g)].map(([, key]) => key))
      .filter((key, index, all) => all.indexOf(key) === index);
    expect(explained).toEqual(Object.keys(policyFile.shape));
  });
});
