/** Reads a file of unit tests; every problem of it is reported together, at its place. */
import type { Diagnostic } from '../policy/diagnostics.ts';
import { indexLines } from '../policy/line-index.ts';
import {
  type Field,
  type Fields,
  type RuleFileReader,
  readDuration,
  readFields,
  readList,
  readText,
  report,
  rootField,
  TooManyCopies,
} from '../rules/rule-fields.ts';
import { parseDocument } from '../rules/yaml/document.ts';
import { readTest } from './test-entry.ts';
import type { UnitTestFile } from './unit-test.ts';

export interface TestFileSource {
  /** Path as the user gave it. */
  readonly file: string;
  readonly text: string;
}

export type LoadedTestFile =
  | { readonly ok: true; readonly tests: UnitTestFile }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const FILE_KEYS = ['rule_files', 'evaluation_interval', 'group_eval_order', 'fuzzy_compare', 'tests', 'policy_file'];
const DEFAULT_INTERVAL_MS = 60_000;
/** Far more than the aliases of any file of tests bring. */
const MAX_COPIES = 100_000;

/** Loads a file of unit tests. Nothing throws. */
export function loadTestFile({ file, text }: TestFileSource): LoadedTestFile {
  const reader: RuleFileReader = { file, lines: indexLines(text), problems: [], copiesLeft: MAX_COPIES };
  const document = parseDocument(text);
  if (!document.ok) {
    const { message, fix, start, end } = document.fault;
    return refused([{ file, ...reader.lines.position(start, end), severity: 'error', message, fix }]);
  }
  if (document.root === undefined) return refused([emptyFile(file)]);
  try {
    return readRoot(rootField(reader, document.root));
  } catch (error) {
    if (!(error instanceof TooManyCopies)) throw error;
    const message = `the aliases and merges of the file copy more than ${MAX_COPIES} values`;
    return refused([{ file, line: 0, column: 0, severity: 'error', message, fix: 'use fewer of them' }]);
  }
}

function readRoot(root: Field): LoadedTestFile {
  const { file, problems } = root.reader;
  const fields = readFields(root, FILE_KEYS);
  if (fields === undefined) return refused(problems);
  const tests = readFile(file, fields);
  return problems.some(({ severity }) => severity === 'error') ? refused(problems) : { ok: true, tests };
}

function refused(diagnostics: readonly Diagnostic[]): LoadedTestFile {
  return { ok: false, diagnostics };
}

function emptyFile(file: string): Diagnostic {
  const fix = 'write rule_files and tests, as for promtool test rules';
  return { file, line: 0, column: 0, severity: 'error', message: 'the file is empty', fix };
}

function readFile(file: string, fields: Fields): UnitTestFile {
  const intervalMs = readDuration(fields.field('evaluation_interval')) || DEFAULT_INTERVAL_MS;
  return {
    file,
    ruleFiles: readTexts(fields.field('rule_files'), 'rule file'),
    policyFile: readText(fields.field('policy_file')),
    intervalMs,
    groupOrder: readOrder(fields.field('group_eval_order')),
    isFuzzy: readFlag(fields.field('fuzzy_compare')),
    tests: readList(fields.field('tests'), 'test').flatMap((test, index) => readTest(test, index, intervalMs) ?? []),
  };
}

function readTexts(field: Field, itemLabel: string): readonly string[] {
  return readList(field, itemLabel).flatMap((item) => readText(item) ?? []);
}

function readOrder(field: Field): readonly string[] {
  const order = readTexts(field, 'group');
  const twice = order.find((name, index) => order.indexOf(name) !== index);
  if (twice !== undefined) report(field, { message: `the group "${twice}" is named twice`, fix: 'name it once' });
  return order;
}

function readFlag(field: Field): boolean {
  const text = readText(field) ?? 'false';
  if (/^(true|false)$/i.test(text)) return /^true$/i.test(text);
  report(field, { message: `"${text}" is neither true nor false`, fix: 'write true or false' });
  return false;
}
