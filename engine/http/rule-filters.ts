/** Which rules a request to /api/v1/rules asks for. */
import { createHash } from 'node:crypto';
import { checkPromql, type Matcher, selectorsOf } from '../promql/promql.ts';
import { fullMatcher } from '../promql/regex.ts';
import type { GroupStatus, RuleStatus } from '../rules/status.ts';
import { BadParameter } from './prometheus-answer.ts';

export interface RuleFilters {
  readonly withAlerts: boolean;
  isWantedGroup(group: GroupStatus): boolean;
  isWantedRule(status: RuleStatus): boolean;
}

/** Reads type, rule_name[], rule_group[], file[], match[] and exclude_alerts. Throws BadParameter. */
export function ruleFilters(query: URLSearchParams): RuleFilters {
  const kind = kindOf(query.get('type') ?? '');
  const names = new Set(query.getAll('rule_name[]'));
  const groups = new Set(query.getAll('rule_group[]'));
  const files = new Set(query.getAll('file[]'));
  const selections = query.getAll('match[]').map(selectionOf);
  return {
    withAlerts: !readFlag(query, 'exclude_alerts'),
    isWantedGroup: ({ name, file }) => isAmong(groups, name) && isAmong(files, file),
    isWantedRule: ({ rule }) =>
      (kind === undefined || rule.kind === kind) &&
      isAmong(names, rule.name) &&
      (selections.length === 0 || selections.some((selects) => selects(labelsOf(rule)))),
  };
}

function isAmong(wanted: ReadonlySet<string>, name: string): boolean {
  return wanted.size === 0 || wanted.has(name);
}

function kindOf(type: string): RuleStatus['rule']['kind'] | undefined {
  if (type === '') return undefined;
  if (/^alert$/i.test(type)) return 'alerting';
  if (/^record$/i.test(type)) return 'recording';
  throw new BadParameter(`type=${type} is neither "alert" nor "record"`);
}

function readFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? '';
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(|0|f|false)$/i.test(text)) return false;
  throw new BadParameter(`${name}=${text} is neither "true" nor "false"`);
}

type Labels = Readonly<Record<string, string>>;

function labelsOf(rule: RuleStatus['rule']): Labels {
  return rule.kind === 'alerting' ? rule.written.labels : rule.labels;
}

/** A series selector, held against the labels that the rule was written with. */
function selectionOf(text: string): (labels: Labels) => boolean {
  const [problem] = checkPromql(text);
  const [selector, ...others] = problem === undefined ? selectorsOf(text) : [];
  const isWhole = selector !== undefined && selector.from === 0 && selector.to === text.length;
  if (!isWhole || others.length > 0) {
    const reason = problem === undefined ? 'write one selector, such as {severity="critical"}' : problem.message;
    throw new BadParameter(`match[]=${text} is not a series selector: ${reason}`);
  }
  // A rule's labels have no __name__, as in Prometheus: a selector with a name selects none.
  if (selector.name !== undefined) return () => false;
  const tests = selector.matchers.map(testOf);
  return (labels) => tests.every((test) => test(labels));
}

function testOf({ label, op, value }: Matcher): (labels: Labels) => boolean {
  const isEqual = op.includes('~') ? fullMatcher(value) : (text: string) => text === value;
  return (labels) => isEqual(labels[label] ?? '') !== op.startsWith('!');
}

export interface Page {
  readonly limit: number;
  readonly token: string;
}

/** Reads group_limit and group_next_token; undefined when everything is wanted. Throws BadParameter. */
export function pageOf(query: URLSearchParams): Page | undefined {
  const [limit, token] = [query.get('group_limit') ?? '', query.get('group_next_token') ?? ''];
  if (limit === '' && token !== '') throw new BadParameter('group_next_token needs group_limit beside it');
  if (limit === '') return undefined;
  if (!/^[1-9]\d{0,8}$/.test(limit)) throw new BadParameter(`group_limit=${limit} is not a whole number above 0`);
  return { limit: Number(limit), token };
}

/** Names the group at which the next page starts. */
export function groupToken({ file, name }: GroupStatus): string {
  return createHash('sha256').update(`${file};${name}`).digest('hex');
}
