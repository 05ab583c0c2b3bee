/** Advice on rules that load and run, and yet may not do what was meant. */
import { ACTIONS } from '../core/action.ts';
import type { Diagnostic, Position } from '../policy/diagnostics.ts';
import { formatDuration } from '../policy/duration.ts';
import { nearestName } from '../policy/nearest-name.ts';
import { promqlResult, selectorsOf, versionLimits } from '../promql/promql.ts';
import { isConditional } from './condition.ts';
import type { AlertingRule } from './rule.ts';
import type { ReadRule, RulePlaces } from './rule-entry.ts';
import type { ReadGroup } from './rule-group.ts';

interface Advice {
  readonly place: Position;
  readonly message: string;
  readonly fix: string;
}

/** Warnings on every rule, in the order of the files. */
export function lintWarnings(groups: readonly ReadGroup[]): Diagnostic[] {
  return groups.flatMap((group) => {
    const recorded = firstRecorded(group);
    return group.rules
      .flatMap((one, index) => [...adviceFor(group, one), ...orderAdvice(one, index, recorded)])
      .map(({ place, message, fix }) => ({ file: group.group.file, ...place, severity: 'warning', message, fix }));
  });
}

function adviceFor({ group }: ReadGroup, { rule, places }: ReadRule): Advice[] {
  const limits = versionAdvice(rule.expr, places);
  if (rule.kind === 'recording') return limits;
  return [
    ...limits,
    ...conditionAdvice(rule, places),
    ...pendingAdvice(rule, places, group.intervalMs),
    ...severityAdvice(rule, places),
    ...actionAdvice(rule, places),
  ];
}

function versionAdvice(expr: string, { inExpr }: RulePlaces): Advice[] {
  return versionLimits(expr).map(({ from, to, what, since, until }) => {
    const message =
      until === undefined ? `${what} needs Prometheus ${since}` : `${what} is gone since Prometheus ${until}`;
    const fix = 'write it another way if another version of Prometheus evaluates the rule too';
    return { place: inExpr(from, to), message, fix };
  });
}

function conditionAdvice({ name, expr }: AlertingRule, { expr: place }: RulePlaces): Advice[] {
  const cannotFire = expr === '' || !['vector', 'number'].includes(promqlResult(expr));
  if (cannotFire || isConditional(expr)) return [];
  const message = `"${name}" fires for every series of the expression, whatever its value`;
  return [{ place, message, fix: 'compare it with a bound, such as "> 0", unless presence alone is the alert' }];
}

function pendingAdvice({ forMs }: AlertingRule, { for: place }: RulePlaces, intervalMs: number): Advice[] {
  if (forMs % intervalMs === 0) return [];
  const [wanted, interval] = [formatDuration(forMs), formatDuration(intervalMs)];
  const real = formatDuration(Math.ceil(forMs / intervalMs) * intervalMs);
  const message = `"for: ${wanted}" is no multiple of the interval ${interval}: the alert fires after ${real}`;
  return [{ place, message, fix: `write ${real}, or change the interval of the group` }];
}

function severityAdvice({ name, labels }: AlertingRule, { name: place }: RulePlaces): Advice[] {
  if (Object.hasOwn(labels, 'severity')) return [];
  const fix = 'add "severity: critical", "warning" or "info" under labels, which routes are written by';
  return [{ place, message: `"${name}" has no label "severity"`, fix }];
}

function actionAdvice({ written, name }: AlertingRule, places: RulePlaces): Advice[] {
  const action = Object.hasOwn(written.labels, 'action') ? written.labels.action : undefined;
  if (action === undefined || action.includes('{{') || ACTIONS.some((known) => known === action)) return [];
  const near = nearestName(action, ACTIONS);
  const fix = near === undefined ? `use one of: ${ACTIONS.join(', ')}` : `write "${near}"`;
  const message = `"${name}" has the action "${action}", which no decision knows`;
  return [{ place: places.label('action') ?? places.name, message, fix }];
}

interface Recorded {
  readonly index: number;
  readonly line: number;
}

function firstRecorded({ rules }: ReadGroup): ReadonlyMap<string, Recorded> {
  const first = new Map<string, Recorded>();
  for (const [index, { rule }] of rules.entries()) {
    if (rule.kind === 'recording' && !first.has(rule.name)) first.set(rule.name, { index, line: rule.line });
  }
  return first;
}

/** Rules of a group are evaluated from top to bottom: what is recorded further down is one interval old. */
function orderAdvice({ rule, places }: ReadRule, index: number, recorded: ReadonlyMap<string, Recorded>): Advice[] {
  const names = selectorsOf(rule.expr).flatMap(({ name }) => name ?? []);
  const needed = names.find((name) => (recorded.get(name)?.index ?? index) > index);
  if (needed === undefined) return [];
  const message = `"${rule.name}" reads "${needed}", which is recorded further down, on line ${recorded.get(needed)?.line}`;
  const fix = 'move the recording rule above, or the value is one interval old';
  return [{ place: places.expr, message, fix }];
}
