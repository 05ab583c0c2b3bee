/** Checks and windows after merging: complete, unambiguous, on the tick grid. */
import type { CapabilityView } from './capability-view.ts';
import type { Draft } from './consistency.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { Problem } from './issues.ts';
import { nearestName } from './nearest-name.ts';
import { type CheckFile, policyFile, type WindowFile } from './schema.ts';
import { BOUNDS } from './tree.ts';
import type { YamlPath } from './yaml.ts';

const BUILT_IN = policyFile.parse({});

type Section = 'checks' | 'windows';

/** Problems of the checks and windows of every capability; an inherited entry is reported once, where it is written. */
export function entryProblems(draft: Draft): Problem[] {
  const [base, ...named] = draft.views;
  return [
    ...removalProblems([], 'checks', draft.file.checks, BUILT_IN.checks),
    ...removalProblems([], 'windows', draft.file.windows, BUILT_IN.windows),
    ...viewProblems(draft, base, draft.file),
    ...emptinessProblems(base),
    ...named.flatMap((view) => capabilityProblems(draft, view)),
  ];
}

interface Written {
  readonly checks?: Readonly<Record<string, unknown>> | undefined;
  readonly windows?: Readonly<Record<string, unknown>> | undefined;
}

function capabilityProblems(draft: Draft, view: CapabilityView): Problem[] {
  const written: Written = draft.file.capabilities[view.name] ?? {};
  const [base] = draft.views;
  return [
    ...removalProblems(view.path, 'checks', written.checks ?? {}, base.checks),
    ...removalProblems(view.path, 'windows', written.windows ?? {}, base.windows),
    ...viewProblems(draft, view, written),
    ...(Object.keys(base.windows).length === 0 ? [] : emptinessProblems(view)),
  ];
}

function viewProblems(draft: Draft, view: CapabilityView, written: Written): Problem[] {
  const own = <Entry>(section: Section, entries: Readonly<Record<string, Entry>>) =>
    Object.entries(entries).filter(([name]) => Object.hasOwn(written[section] ?? {}, name));
  return [
    ...own('checks', view.checks).flatMap(([name, check]) => checkProblems(draft, view, name, check)),
    ...own('windows', view.windows).flatMap(([name, window]) => windowProblems(draft, view, name, window)),
  ];
}

function problem(path: YamlPath, part: 'key' | 'value', message: string, fix: string): Problem {
  return { path, part, severity: 'error', message, fix };
}

/** `off` for a name nothing defines is a misspelling, and would silently keep what it meant to remove. */
function removalProblems(prefix: readonly string[], section: Section, written: object, lower: object): Problem[] {
  const removed = Object.entries(written).filter(([, entry]) => entry === 'off' || entry === null);
  return removed.flatMap(([name]) => {
    if (Object.hasOwn(lower, name)) return [];
    const message = `there is no ${SINGULAR[section]} "${name}" to remove`;
    return [problem([...prefix, section, name], 'key', message, suggestion(name, Object.keys(lower)))];
  });
}

const SINGULAR = { checks: 'check', windows: 'window' } as const;

function suggestion(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return known.length === 0 ? 'remove this line' : `use one of ${known.join(', ')}`;
}

function emptinessProblems({ path, windows }: CapabilityView): Problem[] {
  if (Object.keys(windows).length > 0) return [];
  return [problem([...path, 'windows'], 'key', 'no uptime window is left', 'keep at least one window')];
}

function checkProblems(draft: Draft, view: CapabilityView, name: string, check: CheckFile): Problem[] {
  const path = [...view.path, 'checks', name];
  const bounds = BOUNDS.filter((bound) => check[bound] !== undefined);
  const problems: Problem[] = [];
  if (check.expr === undefined) problems.push(missing(draft, path, name, 'expr', Object.keys(BUILT_IN.checks)));
  if (bounds.length === 0) {
    problems.push(problem(path, 'key', `check "${name}" has no bound`, 'add one of min, max, equals'));
  }
  if (bounds.length > 1) {
    const fix = 'keep one; for a range write two checks';
    problems.push(problem([...path, String(bounds[1])], 'key', `check "${name}" has ${bounds.join(' and ')}`, fix));
  }
  return problems;
}

function windowProblems(draft: Draft, view: CapabilityView, name: string, window: WindowFile): Problem[] {
  const path = [...view.path, 'windows', name];
  const known = Object.keys(BUILT_IN.windows);
  const problems: Problem[] = [];
  if (window.range === undefined) problems.push(missing(draft, path, name, 'range', known));
  else problems.push(...gridProblems(draft, path, window.range));
  if (window.threshold === undefined) problems.push(missing(draft, path, name, 'threshold', known));
  return problems;
}

/** An entry without its essential field is new and incomplete, misspelt, or a variable's override of a removed one. */
function missing(
  draft: Draft,
  path: readonly string[],
  name: string,
  field: string,
  known: readonly string[],
): Problem {
  const near = known.includes(name) ? undefined : nearestName(name, known);
  const fix = near === undefined ? `add ${field}` : `add ${field}, or did you mean "${near}"?`;
  return problem(draft.blame(path), 'key', `"${name}" has no ${field}`, fix);
}

function gridProblems({ file, blame }: Draft, path: readonly string[], range: string): Problem[] {
  const intervalMs = parseDuration(file.interval) ?? 1;
  const rangeMs = parseDuration(range) ?? 0;
  if (rangeMs % intervalMs === 0) return [];
  const nearest = formatDuration(Math.max(1, Math.round(rangeMs / intervalMs)) * intervalMs);
  const message = `${range} is not a whole number of intervals of ${file.interval}`;
  return [problem(blame([...path, 'range'], ['interval']), 'value', message, `use ${nearest}, or another interval`)];
}
