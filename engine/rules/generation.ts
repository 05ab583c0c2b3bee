/** The group runs of one configuration, made from what the configuration before it, or the store, has left. */
import type { Labels } from '../prometheus/query.ts';
import { findPredecessors } from './adoption.ts';
import type { EvaluatorOptions, EvaluatorPorts, RuleContext } from './evaluation.ts';
import { type GroupCounts, GroupRun, NEW_GROUP_COUNTS } from './group-run.ts';
import { unclaimed } from './orphans.ts';
import type { Pool } from './pool.ts';
import type { LoadedRule, RuleGroup } from './rule.ts';
import type { SeriesOutput } from './series-output.ts';
import { continueRule, groupSignature, type Past, pastOfRun, resumeRule } from './succession.ts';

/** What all runs of an evaluator share. */
export interface Workplace extends Pick<RuleContext, 'ask' | 'externalLabels' | 'reactionOf'> {
  readonly ports: EvaluatorPorts;
  readonly options: EvaluatorOptions;
  readonly output: SeriesOutput;
  readonly pool: Pool;
  /** The groups at work. */
  runs(): readonly GroupRun[];
}

export interface Generation {
  readonly runs: readonly GroupRun[];
  /** Pasts whose rule goes on. */
  readonly adopted: ReadonlySet<Past>;
}

/** After a restart. */
export function firstGeneration(
  groups: readonly RuleGroup[],
  pasts: readonly Past[],
  workplace: Workplace,
): Generation {
  const found = findPredecessors(rulesOf(groups), pasts);
  const runs = groups.map((group) => {
    const context = { ...workplace, group };
    const rules = group.rules.map((rule) => resumeRule(rule, found.get(rule), context));
    return new GroupRun({ ...context, rules, counts: NEW_GROUP_COUNTS, orphans: () => [] });
  });
  return { runs, adopted: new Set(found.values()) };
}

/** Which groups a reload leaves alone, and which runs it ends. */
export interface Comparison {
  readonly kept: ReadonlyMap<RuleGroup, GroupRun>;
  readonly leaving: readonly GroupRun[];
}

export function compare(groups: readonly RuleGroup[], runs: readonly GroupRun[]): Comparison {
  const bySignature = new Map(runs.map((run) => [groupSignature(run.group), run]));
  const same = groups.flatMap((group) => {
    const run = bySignature.get(groupSignature(group));
    return run === undefined ? [] : [[group, run] as const];
  });
  const staying = new Set(same.map(([, run]) => run));
  return { kept: new Map(same), leaving: runs.filter((run) => !staying.has(run)) };
}

export interface NextGeneration extends Generation {
  /** What the rules of every ended run left. */
  readonly pasts: readonly Past[];
  /** Groups that are gone, with the series nobody has taken over. */
  readonly removed: readonly { readonly group: RuleGroup; readonly series: readonly Labels[] }[];
}

/** After a reload; the leaving runs have come to rest. */
export function nextGeneration(
  groups: readonly RuleGroup[],
  { kept, leaving }: Comparison,
  workplace: Workplace,
): NextGeneration {
  const left = leaving.map((run) => ({ group: run.group, counts: run.counts(), pasts: run.rules.map(pastOfRun) }));
  const pasts = left.flatMap((run) => run.pasts);
  const found = findPredecessors(rulesOf(groups.filter((group) => !kept.has(group))), pasts);
  const adopted = new Set(found.values());
  const leftBy = new Map(left.map((run) => [groupKey(run.group), { ...run, series: seriesOf(run.pasts, adopted) }]));
  const renew = (group: RuleGroup) => {
    const before = leftBy.get(groupKey(group));
    const context = { ...workplace, group };
    const rules = group.rules.map((rule) => continueRule(rule, found.get(rule), context));
    const orphans = () => unclaimed(before?.series ?? [], workplace.runs());
    return new GroupRun({ ...context, rules, counts: countsOn(group, before), orphans });
  };
  const present = new Set(groups.map(groupKey));
  const removed = [...leftBy].filter(([key]) => !present.has(key)).map(([, run]) => run);
  return { runs: groups.map((group) => kept.get(group) ?? renew(group)), adopted, pasts, removed };
}

/** A group counts on through a reload, and from the same slot when its slots are the same. */
function countsOn(
  group: RuleGroup,
  before: { readonly group: RuleGroup; readonly counts: GroupCounts } | undefined,
): GroupCounts {
  if (before === undefined) return NEW_GROUP_COUNTS;
  const isSameGrid = before.group.intervalMs === group.intervalMs;
  return { ...before.counts, lastAt: isSameGrid ? before.counts.lastAt : undefined };
}

/** The series of the rules that have no successor. */
function seriesOf(pasts: readonly Past[], adopted: ReadonlySet<Past>): readonly Labels[] {
  return pasts
    .filter((past) => !adopted.has(past))
    .flatMap(({ exposed }) => Array.from(exposed.values(), ({ labels }) => labels));
}

function rulesOf(groups: readonly RuleGroup[]): readonly LoadedRule[] {
  return groups.flatMap(({ rules }) => rules);
}

/** Names are unique within a file only. */
function groupKey({ file, name }: RuleGroup): string {
  return JSON.stringify([file, name]);
}
