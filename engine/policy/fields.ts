/** The kinds of values a policy file holds. Each carries its title for messages and its pattern for editors. */
import { z } from 'zod';
import { checkPromql, endsInComment, isPlainSelector, promqlResult } from '../promql/promql.ts';
import { regexError } from '../promql/regex.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';

/** What a refinement adds to its issue: the fix, and the part of the text to underline. */
interface IssueHint {
  readonly fix: string;
  readonly from?: number;
  readonly to?: number;
}

type Context = Pick<z.core.$RefinementCtx<string>, 'addIssue' | 'value'>;

function refuse(context: Context, message: string, hint: IssueHint): void {
  context.addIssue({ code: 'custom', input: context.value, message, params: { ...hint } });
}

/** A Prometheus duration of at least `leastMs` milliseconds. */
export function duration(description: string, leastMs = 0) {
  return z
    .string()
    .superRefine((text, context) => {
      const ms = parseDuration(text);
      if (ms === undefined)
        refuse(context, `"${text}" is not a duration`, { fix: 'write a number and a unit: 500ms, 5s, 1h30m, 7d' });
      else if (ms < leastMs) refuse(context, `${text} is too short`, { fix: `use at least ${leastMs} ms` });
    })
    .meta({ title: 'duration', description, pattern: DURATION_PATTERN.source });
}

/** A percentage in the file, 0 to 100; `least` is exclusive when `isPositive`. */
export function percent(description: string, isPositive = false) {
  const range = isPositive ? z.number().gt(0).lte(100) : z.number().gte(0).lte(100);
  return range.meta({ title: 'percentage', description });
}

export function finite(description: string, least?: number) {
  const range = least === undefined ? z.number() : z.number().gte(least);
  return range.meta({ title: 'number', description });
}

export function count(description: string, least = 1, most = Number.MAX_SAFE_INTEGER) {
  return z.int().gte(least).lte(most).meta({ title: 'whole number', description });
}

export function flag(description: string) {
  return z.boolean().meta({ title: 'true or false', description });
}

export function text(description: string) {
  return z
    .string()
    .superRefine((words, context) => {
      if (words.trim() === '') refuse(context, 'the text is empty', { fix: 'write it, or remove the key' });
    })
    .meta({ title: 'text', description });
}

export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names, description: string) {
  return z.enum(names).meta({ description });
}

/** PromQL that yields one value per series. */
export function vectorExpr(description: string) {
  return z
    .string()
    .superRefine((expr, context) => {
      const problems = checkPromql(expr);
      for (const { message, ...hint } of problems) refuse(context, `PromQL: ${message}`, hint);
      if (problems.length > 0) return;
      const kind = promqlResult(expr);
      if (kind !== 'vector') {
        refuse(context, `PromQL: the expression yields a ${kind}, not a value per GPU`, { fix: VECTOR_FIXES[kind] });
      }
      if (endsInComment(expr)) {
        refuse(context, 'PromQL: the expression ends in a comment', { fix: 'move the comment to a YAML comment' });
      }
    })
    .meta({ title: 'PromQL expression', description });
}

const VECTOR_FIXES = {
  range: 'wrap it in a function such as max_over_time(…)',
  number: 'use a metric that has a series for every GPU',
  string: 'remove the quotes around the metric',
};

/** PromQL selector that `timestamp()` can be asked of: a metric name, label matchers, nothing else. */
export function plainSelector(description: string) {
  return z
    .string()
    .superRefine((expr, context) => {
      const problems = checkPromql(expr);
      for (const { message, ...hint } of problems) refuse(context, `PromQL: ${message}`, hint);
      if (problems.length === 0 && !isPlainSelector(expr)) {
        refuse(context, "this must be a plain selector: its samples' own timestamps are read", {
          fix: 'write a metric name with optional matchers, such as up{job="prometheus"}',
        });
      }
    })
    .meta({ title: 'PromQL selector', description });
}

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function labelName(description: string) {
  return named(LABEL_NAME, 'label name', 'use letters, digits and "_", not starting with a digit').meta({
    description,
  });
}

/** RE2 pattern that must match a whole label value. */
export function labelPattern(description: string) {
  return z
    .string()
    .superRefine((pattern, context) => {
      const reason = regexError(pattern);
      if (reason !== undefined)
        refuse(context, `invalid regular expression: ${reason}`, {
          fix: 'RE2 has no look-around and no back-references; escape literal punctuation with "\\"',
        });
    })
    .meta({ title: 'regular expression', description });
}

/** Names of checks and windows: they become label values, JSON keys and words in reasons. */
export function entryName(kind: string) {
  return named(
    /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/,
    `${kind} name`,
    'start with a letter; use letters, digits, "_" and "-"',
  );
}

/** An alert may have any name that a label value can hold. */
export function alertName() {
  return named(/^.+$/s, 'name of an alert', 'write the name that follows "alert:" in the rule file');
}

/** Names of capabilities are path segments of the gate endpoints, so they need no escaping in a URL. */
export function capabilityName() {
  return named(
    /^[a-zA-Z0-9][a-zA-Z0-9._~-]{0,127}$/,
    'capability name',
    'use letters, digits, ".", "_", "~" and "-"; gateways put it in a URL',
  ).superRefine((name, context) => {
    if (name === 'default')
      refuse(context, '"default" is the name of the policy itself', {
        fix: 'move these keys to the top level, or rename the capability',
      });
  });
}

function named(pattern: RegExp, title: string, fix: string) {
  return z
    .string()
    .superRefine((name, context) => {
      if (!pattern.test(name)) refuse(context, `"${name}" is not a ${title}`, { fix });
    })
    .meta({ title, pattern: pattern.source });
}
