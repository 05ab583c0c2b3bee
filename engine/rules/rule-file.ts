/** Prometheus rule files, checked as strictly as Prometheus checks them, into groups the evaluator can run. */
import type { Diagnostic } from '../policy/diagnostics.ts';
import { indexLines } from '../policy/line-index.ts';
import { duplicateWarnings } from './duplicate-rules.ts';
import { type RuleGroup, withUniqueIds } from './rule.ts';
import { type Field, type RuleFileReader, readFields, readList, rootField, TooManyCopies } from './rule-fields.ts';
import { type GroupDefaults, type ReadGroup, readGroup } from './rule-group.ts';
import { lintWarnings } from './rule-lint.ts';
import { atOnce, gently, type Steps } from './steps.ts';
import { documentSteps } from './yaml/document.ts';

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

export interface RuleOptions extends Partial<GroupDefaults> {
  /** Adds warnings on rules that load and run, and yet may not do what was meant. */
  readonly isLinting?: boolean;
}

/** Prometheus' `global` section when nothing else is said. */
const DEFAULTS: GroupDefaults = { intervalMs: 60_000, queryOffsetMs: 0 };

// Far more than thousands of rules hold; a hostile file stops here.
const MAX_CHARACTERS = 16 * 1024 * 1024;
const MAX_COPIES = 100_000;

/** Loads rule files. Nothing throws: a file that cannot be used is explained in the diagnostics. */
export function loadRules(sources: readonly RuleSource[], options?: RuleOptions): LoadedRules {
  return atOnce(loadingSteps(sources, options));
}

/** The same, and the process goes on with its other work meanwhile: tens of thousands of rules take seconds. */
export function loadRulesGently(sources: readonly RuleSource[], options?: RuleOptions): Promise<LoadedRules> {
  return gently(loadingSteps(sources, options));
}

function* loadingSteps(sources: readonly RuleSource[], options: RuleOptions = {}): Steps<LoadedRules> {
  const defaults = { ...DEFAULTS, ...options };
  const problems: Diagnostic[] = [];
  const read: ReadGroup[] = [];
  for (const source of sources) read.push(...(yield* loadFile(source, defaults, problems)));
  problems.push(...(yield* duplicateWarnings(read)));
  if (options.isLinting) problems.push(...lintWarnings(read));
  const groups = read.map(({ group, rules }) => ({ ...group, rules: rules.map(({ rule }) => rule) }));
  yield;
  return { groups: withUniqueIds(groups), diagnostics: onceEach(problems) };
}

function* loadFile({ file, text }: RuleSource, defaults: GroupDefaults, problems: Diagnostic[]): Steps<ReadGroup[]> {
  const reader: RuleFileReader = { file, lines: indexLines(text), problems, copiesLeft: MAX_COPIES };
  const refuse = (message: string, fix: string, start = 0, end = 1) => {
    problems.push({ file, ...reader.lines.position(start, end), severity: 'error', message, fix });
    return [];
  };
  if (text.length > MAX_CHARACTERS) return refuse(`the file is longer than ${MAX_CHARACTERS} characters`, 'split it');
  const document = yield* documentSteps(text);
  if (!document.ok) return refuse(document.fault.message, document.fault.fix, document.fault.start, document.fault.end);
  if (document.rest !== undefined) warnOfRest(reader, document.rest);
  if (document.root === undefined) return [];
  try {
    return yield* readFile(rootField(reader, document.root), defaults);
  } catch (error) {
    if (!(error instanceof TooManyCopies)) throw error;
    return refuse(`the aliases and merges of the file copy more than ${MAX_COPIES} values`, 'use fewer of them');
  }
}

function warnOfRest({ file, lines, problems }: RuleFileReader, start: number): void {
  const message = 'only what stands before this is loaded: Prometheus reads the first document of a file';
  const fix = 'correct the indentation if it belongs to what stands before, or move it to a file of its own';
  problems.push({ file, ...lines.position(start, start + 3), severity: 'warning', message, fix });
}

function* readFile(root: Field, defaults: GroupDefaults): Steps<ReadGroup[]> {
  const fields = readFields(root, ['groups']);
  if (fields === undefined) return [];
  const names = new Set<string>();
  const groups: ReadGroup[] = [];
  for (const item of readList(fields.field('groups'), 'group')) {
    const group = yield* readGroup(item, defaults, names);
    if (group !== undefined) groups.push(group);
  }
  return groups;
}

/** What an alias or a merge brings to several places is wrong in one. */
function onceEach(problems: readonly Diagnostic[]): Diagnostic[] {
  const known = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...known.values()];
}
