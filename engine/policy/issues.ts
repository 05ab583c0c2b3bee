/** What the schema finds wrong, in words: message, fix, and the part of the file to underline. */
import type { z } from 'zod';
import { knownKeys, schemaAt } from './json-schema.ts';
import { nearestName } from './nearest-name.ts';
import { type PolicyFile, policyFile } from './schema.ts';
import { isMapping, valueAt } from './tree.ts';
import type { YamlPath } from './yaml.ts';

/** Something wrong at a path of the policy, before it is known which file or variable put it there. */
export interface Problem {
  readonly path: YamlPath;
  readonly part: 'key' | 'value';
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly fix: string;
  /** UTF-16 offsets into the text at `path`. */
  readonly range?: { readonly from: number; readonly to: number };
}

type Issue = z.core.$ZodIssue;

/** Everything wrong with the shape of a policy file's value; it may be partial, and is not changed. */
export function shapeProblems(value: unknown): readonly Problem[] {
  const result = policyFile.safeParse(value);
  return result.success ? [] : result.error.issues.flatMap((issue) => problemsOf(value, issue, []));
}

/** A value without shape problems as a policy file, with every unconditional default filled in. */
export function asPolicyFile(value: unknown): PolicyFile {
  return policyFile.parse(value);
}

function problemsOf(root: unknown, issue: Issue, prefix: YamlPath): Problem[] {
  const path = [...prefix, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key));
    case 'invalid_union':
      return unionProblems(root, issue, path);
    case 'invalid_key':
      return issue.issues
        .flatMap((inner) => problemsOf(root, inner, path))
        .map((problem) => ({ ...problem, part: 'key' }));
    default:
      return [valueProblem(root, issue, path)];
  }
}

function error(path: YamlPath, message: string, fix: string): Problem {
  return { path, part: 'value', severity: 'error', message, fix };
}

function unknownKey(path: YamlPath, key: string): Problem {
  const known = knownKeys(path);
  const near = nearestName(key, known);
  const fix = near === undefined ? `remove it; known here: ${known.join(', ')}` : `did you mean "${near}"?`;
  return { ...error([...path, key], `unknown key "${key}"`, fix), part: 'key' };
}

/** Unions are "mapping or off": a mapping is judged as a mapping, anything else is neither. */
function unionProblems(root: unknown, issue: z.core.$ZodIssueInvalidUnion, path: YamlPath): Problem[] {
  const found = valueAt(root, path);
  if (isMapping(found)) return (issue.errors[0] ?? []).flatMap((inner) => problemsOf(root, inner, path));
  const keys = knownKeys(path).join(', ');
  return [
    error(path, `expected a mapping or off, found ${describe(found)}`, `write off to remove it, or keys: ${keys}`),
  ];
}

function valueProblem(root: unknown, issue: Issue, path: YamlPath): Problem {
  const found = valueAt(root, path);
  switch (issue.code) {
    case 'invalid_type':
      return error(path, `expected ${expectation(path)}, found ${describe(found)}`, typeFix(path, found));
    case 'invalid_value':
      return choiceProblem(path, found, issue.values.map(String));
    case 'too_small':
      return error(
        path,
        `${describe(found)} is too small`,
        `use ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`,
      );
    case 'too_big':
      return error(path, `${describe(found)} is too large`, `use at most ${issue.maximum}`);
    case 'custom':
      return hinted(path, issue);
    default:
      return error(path, issue.message, 'see rules/policy.schema.json');
  }
}

function hinted(path: YamlPath, issue: z.core.$ZodIssueCustom): Problem {
  const { fix, from, to } = issue.params ?? {};
  const problem = error(path, issue.message, typeof fix === 'string' ? fix : '');
  return typeof from === 'number' && typeof to === 'number' ? { ...problem, range: { from, to } } : problem;
}

function choiceProblem(path: YamlPath, found: unknown, choices: readonly string[]): Problem {
  const near = typeof found === 'string' ? nearestName(found, choices) : undefined;
  const fix = near === undefined ? `use one of: ${choices.join(', ')}` : `did you mean "${near}"?`;
  return error(path, `${describe(found)} is not one of ${choices.join(', ')}`, fix);
}

function expectation(path: YamlPath): string {
  const node = schemaAt(path);
  if (node?.type === 'object') return 'a mapping';
  return `a ${node?.title ?? 'different value'}`.replace('a true', 'true');
}

function typeFix(path: YamlPath, found: unknown): string {
  const node = schemaAt(path);
  if (node?.title === 'duration' && typeof found === 'number') return `add a unit: ${found}s`;
  if (node?.type === 'object') return mappingFix(path);
  const example = node?.default === undefined ? '' : `, for example ${JSON.stringify(node.default)}`;
  return `write ${expectation(path)}${example}`;
}

function mappingFix(path: YamlPath): string {
  const keys = knownKeys(path);
  return keys.length > 0
    ? `indent its keys below it: ${keys.join(', ')}`
    : 'give every entry a name: "name: …" below it';
}

function describe(found: unknown): string {
  if (found === null || found === undefined) return 'nothing';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'a mapping';
  return typeof found === 'string' ? `the text "${found}"` : String(found);
}
