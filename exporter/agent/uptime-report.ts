/** What happened between two pings: the history after a cursor, added up. Reading resets nothing, for nobody. */

import type { History } from './history.ts';
import { addTotals, after, continues, joinedWhere, noTotals, type Span, type Totals } from './span.ts';

/** What a reader has seen: the `boot_id` and `seq` of the last answer that reached it. */
export interface Cursor {
  readonly bootId: string;
  readonly since: number;
}

export interface Downtime {
  /** Wall time of the first failing check. */
  readonly fromMs: number;
  /** Wall time of the first check that found something else, or came after a gap; undefined while it lasts. */
  readonly untilMs: number | undefined;
  readonly ms: number;
  readonly checks: number;
  readonly gpus: number;
  readonly reason: string | undefined;
}

export interface UptimeReport {
  readonly bootId: string;
  /** The last check that is in this report; the next cursor. */
  readonly seq: number;
  /** The report begins after this check, which is not always the one that was asked for. */
  readonly since: number;
  readonly isFirstPing: boolean;
  /** `history_lost`: the report is not exactly what happened after the reader's cursor. */
  readonly continuity: 'complete' | 'history_lost';
  readonly totals: Totals;
  /** Wall time of the first and the last check in the report; without a cursor, the first is the first that was ever made. */
  readonly firstCheckMs: number | undefined;
  readonly lastCheckMs: number | undefined;
  /** The newest first. */
  readonly downtimes: readonly Downtime[];
  /** True when there were more downtimes than are listed, or older ones of which only totals are kept. */
  readonly areDowntimesTruncated: boolean;
}

const maxDowntimes = 100;

/** The report for one reader; without a cursor, since the beginning: nobody's cursor moves another's. */
export function uptimeReport(history: History, cursor: Cursor | undefined): UptimeReport {
  const asked = cursor === undefined ? 0 : resolvedSince(history, cursor);
  const spans = spansAfter(history, asked ?? 0);
  const since = Math.min(asked ?? 0, spans[0] === undefined ? history.seq : spans[0].fromSeq - 1);
  const totals = spans.reduce((sum, span) => addTotals(sum, span.totals), noTotals);
  const isComplete = since === asked && totals.lostChecks === 0;
  return {
    bootId: history.boots.at(-1)?.id ?? '',
    seq: history.seq,
    since,
    isFirstPing: cursor === undefined,
    continuity: isComplete ? 'complete' : 'history_lost',
    totals,
    firstCheckMs: spans[0]?.fromMs,
    lastCheckMs: spans.at(-1)?.toMs,
    ...downtimesOf(spans),
  };
}

function spansAfter({ spans }: History, since: number): readonly Span[] {
  return spans.filter(({ toSeq }) => toSeq > since).map((span) => after(span, since));
}

/**
 * The check after which a reader's report begins. A run that ended may have given out numbers that a power cut made the
 * history forget: its reader has seen all that is left of that run. Undefined when the history does not know the cursor.
 */
export function resolvedSince({ boots, seq }: History, { bootId, since }: Cursor): number | undefined {
  const nth = boots.findLastIndex(({ id }) => id === bootId);
  if (nth < 0) return undefined;
  const next = boots[nth + 1];
  if (next === undefined) return since <= seq ? since : undefined;
  return Math.min(since, next.firstSeq - 1);
}

function downtimesOf(spans: readonly Span[]): Pick<UptimeReport, 'downtimes' | 'areDowntimesTruncated'> {
  // An entry of the history may end where a reader was, which is no end of a downtime.
  const whole = joinedWhere(spans, continues);
  const all = whole.flatMap((span, nth) => downtimeOf(span, whole[nth + 1]));
  const isFolded = spans.some(({ finding, totals }) => finding === undefined && totals.availableChecks < totals.checks);
  return {
    downtimes: all.slice(-maxDowntimes).reverse(),
    areDowntimesTruncated: isFolded || all.length > maxDowntimes,
  };
}

function downtimeOf({ finding, totals, fromMs }: Span, next: Span | undefined): readonly Downtime[] {
  if (finding === undefined || finding.available) return [];
  const { gpus, reason } = finding;
  return [{ fromMs, untilMs: next?.fromMs, ms: totals.unavailableMs, checks: totals.checks, gpus, reason }];
}
