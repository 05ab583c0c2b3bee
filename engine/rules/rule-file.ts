/** Prometheus rule files, checked as strictly as Prometheus checks them, into groups the evaluator can run. */
import type { LabelSet } from '../core/alert.ts';
import type { Diagnostic } from '../policy/diagnostics.ts';
import { checkPromql, promqlResult } from '../policy/promql.ts';
import { parseYaml } from '../policy/yaml.ts';
import { type LoadedRule, type RuleGroup, ruleId, withUniqueIds } from './rule.ts';
import {
  child,
  complain,
  type Field,
  readDuration,
  readInteger,
  readList,
  readMapping,
  readNamed,
  readText,
} from './rule-fields.ts';
import { compileTemplate, type Template } from './template/template.ts';

export interface RuleSource {
  /** Path as the user gave it. */
  readonly file: string;
  readonly text: string;
}

export interface LoadedRules {
  /** Only complete when `diagnostics` holds no error. */
  readonly groups: readonly RuleGroup[];
  /** Every problem of every file. */
  readonly diagnostics: readonly Diagnostic[];
}

const FILE_KEYS = ['groups'];
const GROUP_KEYS = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];
const RULE_KEYS = ['alert', 'record', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];
const NAME_PATTERN = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Prometheus' `global.evaluation_interval` when nothing else is said. */
const DEFAULT_INTERVAL_MS = 60_000;

/** Loads rule files. Nothing throws: a file that cannot be used is explained in the diagnostics. */
export function loadRules(sources: readonly RuleSource[]): LoadedRules {
  const diagnostics: Diagnostic[] = [];
  const groups = sources.flatMap((source) => loadFile(source, diagnostics));
  return { groups: withUniqueIds(groups), diagnostics };
}

function loadFile({ file, text }: RuleSource, problems: Diagnostic[]): RuleGroup[] {
  const document = parseYaml(text, file);
  if (!document.ok) {
    problems.push(...document.diagnostics);
    return [];
  }
  if (document.value === null) return [];
  const root: Field = { document, path: [], value: document.value, problems };
  if (readMapping(root, FILE_KEYS) === undefined) return [];
  const names = new Set<string>();
  return readList(child(root, 'groups')).flatMap((group) => readGroup(group, names));
}

function readGroup(field: Field, names: Set<string>): RuleGroup[] {
  if (readMapping(field, GROUP_KEYS) === undefined) return [];
  const name = readText(child(field, 'name')) ?? '';
  if (name === '') complain(child(field, 'name'), 'the group has no name', 'add "name: …", unique in the file');
  if (names.has(name)) complain(child(field, 'name'), `a second group is named "${name}"`, 'rename one of the two');
  names.add(name);
  const shared = { limit: readInteger(child(field, 'limit')), labels: readTemplates(child(field, 'labels'), 'label') };
  const rules = readList(child(field, 'rules')).flatMap((rule) => readRule(rule, shared));
  const intervalMs = readDuration(child(field, 'interval'), 0) || DEFAULT_INTERVAL_MS;
  const queryOffsetMs = readDuration(child(field, 'query_offset'), 0);
  return [{ file: field.document.file, name, intervalMs, queryOffsetMs, limit: shared.limit, rules }];
}

interface Shared {
  readonly limit: number;
  readonly labels: Templates;
}

function readRule(field: Field, shared: Shared): LoadedRule[] {
  if (readMapping(field, RULE_KEYS) === undefined) return [];
  if (child(field, 'record').value !== undefined) return refuseRecord(field);
  const name = readText(child(field, 'alert')) ?? '';
  if (name === '') complain(child(field, 'alert'), 'the rule has no name', 'add "alert: NameOfTheAlert"');
  const expr = readExpr(child(field, 'expr'));
  const labels = merge(shared.labels, readTemplates(child(field, 'labels'), 'label'));
  const annotations = readTemplates(child(field, 'annotations'), 'annotation');
  const rule: LoadedRule = {
    kind: 'alerting',
    line: field.document.locate(field.path).line,
    id: ruleId(name, expr, labels.written),
    name,
    expr,
    forMs: readDuration(child(field, 'for'), 0),
    keepFiringForMs: readDuration(child(field, 'keep_firing_for'), 0),
    limit: shared.limit,
    labels: labels.compiled,
    annotations: annotations.compiled,
    written: { labels: labels.written, annotations: annotations.written },
  };
  return [rule];
}

function refuseRecord(field: Field): LoadedRule[] {
  const record = child(field, 'record');
  if (child(field, 'alert').value !== undefined) {
    complain(record, 'the rule has both "record" and "alert"', 'keep one of the two');
    return [];
  }
  const message = `the engine does not evaluate recording rules; Prometheus itself does, until remote write arrives`;
  complain(record, message, 'move it to a file under rule_files of prometheus.yml, and keep alert rules here');
  return [];
}

function readExpr(field: Field): string {
  const expr = readText(field);
  if (expr === undefined) {
    complain(field, 'the rule has no "expr"', 'add "expr: …", a PromQL expression that yields what is wrong');
    return '';
  }
  const { document, path } = field;
  const problems = checkPromql(expr);
  for (const { message, fix, from, to } of problems) {
    complain(field, message, fix, document.locateInScalar(path, from, to));
  }
  if (problems.length === 0) checkResult(field, expr);
  return expr;
}

function checkResult(field: Field, expr: string): void {
  const result = promqlResult(expr);
  if (result === 'vector' || result === 'number') return;
  const kind = result === 'range' ? 'a range' : 'a string';
  complain(field, `the expression yields ${kind}, an alert needs a vector`, 'compare an instant vector with a bound');
}

interface Templates {
  readonly written: LabelSet;
  readonly compiled: Readonly<Record<string, Template>>;
}

function merge(a: Templates, b: Templates): Templates {
  return { written: { ...a.written, ...b.written }, compiled: { ...a.compiled, ...b.compiled } };
}

function readTemplates(field: Field, kind: 'label' | 'annotation'): Templates {
  const pairs = readNamed(field).map(([name, value]) => {
    checkName(field, name, kind);
    const text = readText(value) ?? '';
    return { name, text, expand: readTemplate(value, text) };
  });
  return {
    written: Object.fromEntries(pairs.map(({ name, text }) => [name, text])),
    compiled: Object.fromEntries(pairs.map(({ name, expand }) => [name, expand])),
  };
}

function checkName(field: Field, name: string, kind: 'label' | 'annotation'): void {
  const isReserved = kind === 'label' && name === '__name__';
  if (NAME_PATTERN.test(name) && !isReserved) return;
  const position = field.document.locate([...field.path, name], 'key');
  const fix = isReserved ? 'remove it: an alert has no metric name' : 'use letters, digits and _, and no digit first';
  complain(field, `"${name}" is not the name of ${kind === 'label' ? 'a label' : 'an annotation'}`, fix, position);
}

function readTemplate(field: Field, text: string): Template {
  const compiled = compileTemplate(text);
  if (compiled.ok) return compiled.template;
  for (const { from, to, message, fix } of compiled.problems) {
    complain(field, message, fix, field.document.locateInScalar(field.path, from, to));
  }
  return { expand: () => text };
}
