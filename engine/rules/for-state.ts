/** Reads ALERTS_FOR_STATE: since when alerts were active whose state the store no longer holds. */
import { labelKey } from '../core/alert.ts';
import type { LostAlert } from '../core/resume.ts';
import type { PromQuery } from '../prometheus/query.ts';
import { ALERTS_FOR_STATE } from './alert-series.ts';
import type { AlertingRule } from './rule.ts';

export interface ForStateQuestion {
  readonly query: PromQuery;
  readonly rule: AlertingRule;
  readonly intervalMs: number;
  /** Alerts that were last seen longer ago are forgotten. */
  readonly toleranceMs: number;
  /** Instant of the evaluation, less the group's offset. */
  readonly atMs: number;
  readonly signal: AbortSignal;
}

/** Fine enough not to miss a sample: each stays visible for Prometheus' lookback of five minutes. */
const SEARCH_STEP = '1m';
/** Within that lookback, and past the instant at which an alert that ended got its stale marker. */
const MAX_PROBE_MS = 240_000;

/** The alerts of the rule that were active when they were last written, by key. Rejects with QueryError. */
export async function readForState(question: ForStateQuestion): Promise<ReadonlyMap<string, LostAlert>> {
  const { query, intervalMs, toleranceMs, atMs, signal } = question;
  if (toleranceMs <= 0) return new Map();
  const selector = forStateSelector(question.rule);
  const range = `${Math.ceil(toleranceMs / 1000)}s`;
  const [last] = await query.instant(
    `max(max_over_time(timestamp(${selector})[${range}:${SEARCH_STEP}]))`,
    atMs,
    signal,
  );
  if (last === undefined) return new Map();
  const seenAt = Math.round(last.value * 1000);
  const probeMs = Math.min(atMs, seenAt + Math.min(2 * intervalMs, MAX_PROBE_MS));
  const alive = await query.instant(selector, probeMs, signal);
  return new Map(
    alive.map(({ labels: { __name__: _, ...labels }, value }) => [
      labelKey(labels),
      { activeAt: Math.trunc(value) * 1000, seenAt },
    ]),
  );
}

const PLAIN_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Labels that are templates differ from alert to alert, and cannot be asked for. */
function forStateSelector({ name, written }: AlertingRule): string {
  const fixed = Object.entries(written.labels).filter(
    ([label, text]) => PLAIN_NAME.test(label) && text !== '' && !text.includes('{{'),
  );
  const matchers = [...fixed.filter(([label]) => label !== 'alertname'), ['alertname', name]];
  return `${ALERTS_FOR_STATE}{${matchers.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(',')}}`;
}
