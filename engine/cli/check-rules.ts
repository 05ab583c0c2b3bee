/** What rule files amount to: a table of their rules. */
import { formatDuration } from '../policy/duration.ts';
import type { LoadedRule, RuleGroup } from '../rules/rule.ts';
import { loadRules, type RuleSource } from '../rules/rule-file.ts';
import type { CheckedFile } from './checked-file.ts';

/** Checks rule files together, so that a rule which another file has already is found. */
export function checkRules(sources: readonly RuleSource[]): CheckedFile[] {
  const { groups, diagnostics } = loadRules(sources, { isLinting: true });
  return sources.map(({ file, text }) => {
    const own = groups.filter((group) => group.file === file);
    return {
      file,
      text,
      diagnostics: diagnostics.filter((diagnostic) => diagnostic.file === file),
      summary: summaryOf(file, own),
      facts: { kind: 'rules', groups: own.map(groupFacts) },
    };
  });
}

function summaryOf(file: string, groups: readonly RuleGroup[]): string[] {
  const rules = groups.flatMap((group) => group.rules);
  const alerting = rules.filter(({ kind }) => kind === 'alerting').length;
  const counts = [
    counted(groups.length, 'group'),
    counted(alerting, 'alert rule'),
    counted(rules.length - alerting, 'recording rule'),
  ];
  const head = `${file}: valid, ${counts.join(', ')}`;
  return rules.length === 0 ? [head] : [head, '', ...rulesTable(groups)];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

const HEADINGS = ['group', 'kind', 'name', 'interval', 'for', 'severity', 'action'];

function rulesTable(groups: readonly RuleGroup[]): string[] {
  const rows = [HEADINGS, ...groups.flatMap((group) => group.rules.map((rule) => rowOf(group, rule)))];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function rowOf({ name, intervalMs }: RuleGroup, rule: LoadedRule): string[] {
  const interval = formatDuration(intervalMs);
  if (rule.kind === 'recording') return [name, 'record', rule.name, interval, '', '', ''];
  const { severity = '', action = '' } = rule.written.labels;
  return [name, 'alert', rule.name, interval, formatDuration(rule.forMs), severity, action];
}

function groupFacts({ name, intervalMs, queryOffsetMs, limit, rules }: RuleGroup) {
  return {
    name,
    interval: formatDuration(intervalMs),
    query_offset: formatDuration(queryOffsetMs),
    limit,
    rules: rules.map(ruleFacts),
  };
}

function ruleFacts(rule: LoadedRule) {
  const { name, expr, line } = rule;
  if (rule.kind === 'recording') return { kind: 'record', name, expr, line, labels: rule.labels };
  const { labels, annotations } = rule.written;
  const times = { for: formatDuration(rule.forMs), keep_firing_for: formatDuration(rule.keepFiringForMs) };
  return { kind: 'alert', name, expr, line, ...times, labels, annotations };
}
