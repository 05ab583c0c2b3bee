/** One rule of a group: `alert` or `record`, and what belongs to it. */
import type { Position } from '../policy/diagnostics.ts';
import { checkPromql, promqlResult } from '../promql/promql.ts';
import { type LoadedRule, ruleId } from './rule.ts';
import {
  type Field,
  type Fields,
  placeInText,
  readDuration,
  readFields,
  readNamed,
  readText,
  report,
} from './rule-fields.ts';
import { checkMetricName } from './rule-names.ts';
import { asWritten, compileAll, inheritTemplates, type NamedText, readTexts } from './rule-templates.ts';

const RULE_KEYS = ['alert', 'record', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];

/** What a rule takes from its group. */
export interface GroupContext {
  readonly limit: number;
  readonly labels: readonly NamedText[];
}

/** A rule, and where it was written. */
export interface ReadRule {
  readonly rule: LoadedRule;
  readonly places: RulePlaces;
}

export interface RulePlaces {
  readonly name: Position;
  readonly expr: Position;
  /** Of characters [from, to) of the expression. */
  inExpr(from: number, to: number): Position;
  readonly for: Position;
  /** Of a label's value. */
  label(name: string): Position | undefined;
}

/** Reads a rule; undefined when it has no name to be known by. */
export function readRule(item: Field, group: GroupContext): ReadRule | undefined {
  const fields = readFields(item, RULE_KEYS);
  if (fields === undefined) return undefined;
  const alert = readText(fields.field('alert')) ?? '';
  const record = readText(fields.field('record')) ?? '';
  checkKind(item, fields, { alert, record });
  const expr = readExpr(fields.field('expr'));
  const texts = readTexts(fields.field('labels'), 'label');
  const facts = { expr, limit: group.limit, line: item.place.line };
  const rule =
    record === ''
      ? alertingRule(fields, { ...facts, name: alert }, { group, texts })
      : recordingRule(fields, { ...facts, name: record }, { group, texts });
  return alert === '' && record === ''
    ? undefined
    : { rule, places: placesOf(fields, record === '' ? 'alert' : 'record', texts) };
}

function checkKind(item: Field, fields: Fields, { alert, record }: { alert: string; record: string }): void {
  if (alert !== '' && record !== '') {
    const fix = 'keep one of the two, and move the other to a rule of its own';
    report(fields.field('record'), { message: 'the rule has both "record" and "alert"', fix });
  }
  if (alert === '' && record === '') {
    report(item, {
      message: 'the rule has no name',
      fix: 'add "alert: NameOfTheAlert" or "record: name:of:the_series"',
    });
  }
}

interface Facts {
  readonly name: string;
  readonly expr: string;
  readonly line: number;
  readonly limit: number;
}

interface Labels {
  readonly group: GroupContext;
  readonly texts: readonly NamedText[];
}

function alertingRule(fields: Fields, facts: Facts, { group, texts }: Labels): LoadedRule {
  const inherited = group.labels.filter(({ name }) => !texts.some((own) => own.name === name));
  const annotations = readTexts(fields.field('annotations'), 'annotation');
  const written = { labels: asWritten([...inherited, ...texts]), annotations: asWritten(annotations) };
  return {
    kind: 'alerting',
    id: ruleId({ kind: 'alerting', ...facts, labels: written.labels }),
    ...facts,
    forMs: readDuration(fields.field('for')) ?? 0,
    keepFiringForMs: readDuration(fields.field('keep_firing_for')) ?? 0,
    labels: { ...inheritTemplates(inherited, facts.name), ...compileAll(texts, facts.name) },
    annotations: compileAll(annotations, facts.name),
    written,
  };
}

function recordingRule(fields: Fields, facts: Facts, { group, texts }: Labels): LoadedRule {
  checkMetricName(fields.field('record'), facts.name);
  for (const name of ['for', 'keep_firing_for']) {
    const field = fields.field(name);
    if ((readDuration(field) ?? 0) > 0) refuseForRecord(field, name);
  }
  const annotations = fields.field('annotations');
  if (readNamed(annotations).length > 0) refuseForRecord(annotations, 'annotations');
  const labels = asWritten([...group.labels, ...texts]);
  return { kind: 'recording', id: ruleId({ kind: 'recording', ...facts, labels }), ...facts, labels };
}

function refuseForRecord(field: Field, name: string): void {
  report(field, {
    message: `a recording rule has no "${name}"`,
    fix: 'remove it, or write "alert" instead of "record"',
  });
}

function readExpr(field: Field): string {
  const expr = readText(field) ?? '';
  if (expr === '') {
    report(field, { message: 'the rule has no "expr"', fix: 'add "expr: …", the PromQL expression to evaluate' });
    return '';
  }
  const problems = checkPromql(expr);
  for (const { message, fix, from, to } of problems) report(field, { message, fix }, placeInText(field, from, to));
  if (problems.length === 0) warnOfResult(field, expr);
  return expr;
}

/** Prometheus loads such a rule, and fails it whenever it is evaluated. */
function warnOfResult(field: Field, expr: string): void {
  const result = promqlResult(expr);
  if (result === 'vector' || result === 'number') return;
  const what = result === 'range' ? 'a range' : 'a string';
  const message = `the expression yields ${what}: the rule will fail at every evaluation`;
  const fix = result === 'range' ? 'wrap it in a function such as rate()' : 'write an expression that yields a vector';
  report(field, { severity: 'warning', message, fix });
}

function placesOf(fields: Fields, kind: 'alert' | 'record', texts: readonly NamedText[]): RulePlaces {
  const place = (name: string) => fields.field(name).place;
  const label = (name: string) => texts.find((one) => one.name === name)?.field.place;
  const inExpr = (from: number, to: number) => placeInText(fields.field('expr'), from, to);
  return { name: place(kind), expr: place('expr'), inExpr, for: place('for'), label };
}
