/** The rule files we ship, as the engine loads them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AlertingRule, RecordingRule } from '../../engine/rules/rule.ts';
import { loadRules } from '../../engine/rules/rule-file.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** Paths from the root of the repository. */
const ALERT_FILES = globSync('rules/alerts/*.yml', { cwd: ROOT }).sort();
export const RULE_FILES = [...ALERT_FILES, 'rules/recording.yml'];

export const LOADED = loadRules(RULE_FILES.map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') })));

const rules = LOADED.groups.flatMap((group) => group.rules.map((rule) => ({ file: group.file, ...rule })));

export interface InFile {
  readonly file: string;
}

export const ALERTS = rules.filter((rule): rule is AlertingRule & InFile => rule.kind === 'alerting');
export const RECORDS = rules.filter((rule): rule is RecordingRule & InFile => rule.kind === 'recording');
