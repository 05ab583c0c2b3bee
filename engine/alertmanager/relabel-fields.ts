/** Relabelling rules in a YAML file, refused where Prometheus refuses them. */
import { RE2JS } from 're2js';
import {
  child,
  complain,
  complainOfKey,
  type Field,
  isBlank,
  isWritten,
  readCount,
  readList,
  readMapping,
  readText,
  readTexts,
} from '../policy/yaml-fields.ts';
import { regexError } from '../promql/regex.ts';
import { RELABEL_ACTIONS, type RelabelAction, type RelabelRule } from './relabel.ts';

const KEYS = ['source_labels', 'separator', 'target_label', 'regex', 'modulus', 'replacement', 'action'];
const DEFAULT_SEPARATOR = ';';
const DEFAULT_REPLACEMENT = '$1';

/** The rules under `field`; wrong ones are reported. */
export function readRelabelRules(field: Field): RelabelRule[] {
  return readList(field).flatMap((item) => readRule(item) ?? []);
}

function readRule(field: Field): RelabelRule | undefined {
  if (isBlank(field)) complain(field, 'the relabelling rule is empty', 'fill it, or remove the "-"');
  if (isBlank(field) || readMapping(field, KEYS) === undefined) return undefined;
  const rule: RelabelRule = {
    action: readAction(child(field, 'action')),
    sourceLabels: readSourceLabels(child(field, 'source_labels')),
    separator: writtenOr(child(field, 'separator'), DEFAULT_SEPARATOR),
    regex: readRegex(child(field, 'regex')),
    modulus: readCount(child(field, 'modulus'), 0),
    targetLabel: readText(child(field, 'target_label')) ?? '',
    replacement: writtenOr(child(field, 'replacement'), DEFAULT_REPLACEMENT),
  };
  checkRule(field, rule);
  return rule;
}

/** A key without a value is an empty text, not the default. */
function writtenOr(field: Field, absent: string): string {
  return isWritten(field) ? (readText(field) ?? '') : absent;
}

function readAction(field: Field): RelabelAction {
  const text = readText(field);
  if (text === undefined) return 'replace';
  const action = RELABEL_ACTIONS.find((name) => name === text.toLowerCase());
  if (action === undefined)
    complain(field, 'there is no such relabelling action', `write one of ${RELABEL_ACTIONS.join(', ')}`);
  return action ?? 'replace';
}

function readSourceLabels(field: Field): string[] {
  const names = readTexts(field);
  if (names.includes('')) complain(field, 'a source label has no name', 'remove the empty item');
  return names;
}

function readRegex(field: Field): RE2JS {
  const text = writtenOr(field, '(.*)');
  const reason = regexError(text);
  if (reason === undefined) return RE2JS.compile(`^(?s:${text})$`);
  const fix = 'RE2 has no look-around and no back-references; escape literal punctuation with "\\"';
  // What follows the reason is the part of the expression at fault, and no value is to be quoted.
  complain(field, `invalid regular expression: ${reason.replace(/: `.*$/s, '')}`, fix);
  return RE2JS.compile('');
}

const NEED_TARGET: readonly RelabelAction[] = [
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
];
const NO_REPLACEMENT: readonly RelabelAction[] = ['lowercase', 'uppercase'];

function checkRule(field: Field, rule: RelabelRule): void {
  const { action } = rule;
  if (action === 'hashmod' && rule.modulus === 0) {
    complainMissing(field, 'modulus', action, 'write how many buckets there are, for example modulus: 4');
  }
  if (NEED_TARGET.includes(action) && rule.targetLabel === '') {
    complainMissing(field, 'target_label', action, 'name the label that the rule sets or compares');
  }
  if (NO_REPLACEMENT.includes(action)) refuseOthers(field, rule, ['replacement']);
  if (action === 'labelmap' && rule.replacement === '') {
    complain(child(field, 'replacement'), 'labelmap makes names without letters', 'write what names become, like $1');
  }
  if (action === 'keepequal' || action === 'dropequal') {
    refuseOthers(field, rule, ['regex', 'modulus', 'separator', 'replacement']);
  }
  if (action === 'labeldrop' || action === 'labelkeep') {
    refuseOthers(field, rule, ['source_labels', 'target_label', 'modulus', 'separator', 'replacement']);
  }
}

function complainMissing(field: Field, key: string, action: RelabelAction, fix: string): void {
  complain(isWritten(child(field, key)) ? child(field, key) : field, `action "${action}" needs "${key}"`, fix);
}

/** A key that an action ignores would mislead, so Prometheus takes it only with its default. */
function refuseOthers(field: Field, rule: RelabelRule, keys: readonly string[]): void {
  for (const key of keys.filter((name) => isWritten(child(field, name)) && !isDefault(rule, name))) {
    complainOfKey(child(field, key), `action "${rule.action}" does not use "${key}"`, 'remove it');
  }
}

function isDefault(rule: RelabelRule, key: string): boolean {
  if (key === 'separator') return rule.separator === DEFAULT_SEPARATOR;
  if (key === 'replacement') return rule.replacement === DEFAULT_REPLACEMENT;
  if (key === 'modulus') return rule.modulus === 0;
  return key === 'target_label' && rule.targetLabel === '';
}
