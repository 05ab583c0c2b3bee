/** Series that nobody yields any more because a reload removed their rule: they are ended, as Prometheus ends them. */
import { labelKey } from '../core/alert.ts';
import type { Labels } from '../prometheus/query.ts';
import type { GroupRun } from './group-run.ts';
import type { RuleGroup } from './rule.ts';
import { endOf } from './rule-series.ts';
import type { SeriesOutput } from './series-output.ts';

/** Those that no rule at work yields, under another name or in another group. */
export function unclaimed(series: readonly Labels[], runs: readonly GroupRun[]): readonly Labels[] {
  if (series.length === 0) return [];
  const claimed = new Set<string>();
  for (const { rules } of runs) {
    for (const run of rules) for (const { labels } of run.series.exposed().values()) claimed.add(labelKey(labels));
  }
  return series.filter((labels) => !claimed.has(labelKey(labels)));
}

export interface Farewell {
  readonly series: readonly Labels[];
  readonly group: RuleGroup;
  /** When the group was removed. */
  readonly atMs: number;
  readonly output: SeriesOutput;
  runs(): readonly GroupRun[];
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Ends the series of a removed group as of its removal, after two intervals: by then a renamed group has taken its own. */
export async function sayFarewell(farewell: Farewell, signal: AbortSignal): Promise<void> {
  const { series, group, atMs, output, runs, sleep } = farewell;
  if (series.length === 0) return;
  await sleep(2 * group.intervalMs, signal);
  if (signal.aborted) return;
  await output.end(endOf(unclaimed(series, runs()), atMs - group.queryOffsetMs), signal);
}
