/** A Prometheus whose history is a function of time, answering exactly the queries of a policy. */
import type { Policy } from '../../engine/core/policy.ts';
import {
  actionQuery,
  checkQueries,
  observerQuery,
  presenceQuery,
  rememberQuery,
  targetQuery,
} from '../../engine/core/queries.ts';
import { type PromQuery, QueryError, type Range, type Sample, type Series } from '../../engine/prometheus/query.ts';

export interface RecordedHistory {
  readonly prom: PromQuery;
  /** Ticks of every range query so far. */
  readonly chunks: number[];
  /** While true every query fails. */
  isDown: boolean;
  /** Range queries that may still be asked before everything fails. */
  rangesLeft: number;
}

export interface Recorded {
  readonly policy: Policy;
  readonly gpus: number;
  /** First instant with samples. */
  readonly sinceMs: number;
}

export function recordHistory({ policy, gpus, sinceMs }: Recorded): RecordedHistory {
  const answer = (expr: string, atMs: number): readonly Sample[] => {
    if (history.isDown) throw new QueryError('unreachable', 'http://prometheus is unreachable');
    if (atMs < sinceMs) return [];
    const seconds = (atMs - 1000) / 1000;
    const each = (value: number) => Array.from({ length: gpus }, (_, n) => ({ labels: labelsOf(n), value }));
    if (expr === observerQuery(policy)) return [{ labels: {}, value: seconds }];
    if (expr === targetQuery(policy)) return [{ labels: { instance: 'node-a', job: 'gpu' }, value: 1 }];
    if (expr === `count(${presenceQuery(policy)})`) return [{ labels: {}, value: gpus }];
    if (expr === presenceQuery(policy) || expr === rememberQuery(policy)) return each(seconds);
    if (expr === actionQuery(policy)) return [];
    if (checkQueries(policy).includes(expr)) return each(50);
    throw new Error(`the policy does not ask ${expr}`);
  };
  const history: RecordedHistory = {
    isDown: false,
    rangesLeft: Number.POSITIVE_INFINITY,
    chunks: [],
    prom: {
      instant: async (expr, atMs) => answer(expr, atMs),
      range: async (expr, range) => {
        if (history.rangesLeft-- <= 0) throw new QueryError('unreachable', 'http://prometheus is unreachable');
        if (expr === observerQuery(policy)) history.chunks.push(instantsOf(range).length);
        return rangeOf(answer, expr, range);
      },
    },
  };
  return history;
}

function labelsOf(n: number): Record<string, string> {
  return { UUID: `GPU-${n}`, instance: 'node-a', job: 'gpu', gpu: String(n), modelName: 'NVIDIA A100' };
}

function instantsOf({ startMs, endMs, stepMs }: Range): readonly number[] {
  return Array.from({ length: Math.floor((endMs - startMs) / stepMs) + 1 }, (_, i) => startMs + i * stepMs);
}

function rangeOf(
  answer: (expr: string, atMs: number) => readonly Sample[],
  expr: string,
  range: Range,
): readonly Series[] {
  const instants = instantsOf(range);
  const series = new Map<string, { labels: Sample['labels']; values: Float64Array }>();
  for (const [i, atMs] of instants.entries()) {
    for (const { labels, value } of answer(expr, atMs)) {
      const key = JSON.stringify(labels);
      const one = series.get(key) ?? { labels, values: new Float64Array(instants.length).fill(Number.NaN) };
      one.values[i] = value;
      series.set(key, one);
    }
  }
  return [...series.values()];
}
