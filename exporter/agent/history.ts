/**
 * Everything the agent remembers, as a fold over its starts, checks and pings. The live agent and a restart run the same
 * `step`. Checks are numbered 1, 2, 3 … for as long as the history lives, across restarts of the process.
 */

import { isMarked, type Mark, withAnswer, withEndOfRun } from './marks.ts';
import { continues, type Finding, joined, joinedWhere, noTotals, type Span, type Totals } from './span.ts';

/** One run of the process, and the number of its first check. */
interface Boot {
  readonly id: string;
  readonly firstSeq: number;
}

/** The clocks at a check. The steady one is never set and goes on while the machine sleeps; `epoch` names its zero. */
export interface Moment {
  readonly wallMs: number;
  readonly steadyMs: number;
  readonly epoch: string;
}

export type HistoryEvent =
  | { readonly kind: 'start'; readonly bootId: string; readonly intervalMs: number }
  | ({ readonly kind: 'check'; readonly seq: number } & Moment & Finding)
  | { readonly kind: 'ping'; readonly seq: number; readonly since: number | undefined };

type Check = Extract<HistoryEvent, { kind: 'check' }>;
type Ping = Extract<HistoryEvent, { kind: 'ping' }>;

export interface History {
  /** The oldest first; the last one is running. */
  readonly boots: readonly Boot[];
  /** The oldest first, without overlap. */
  readonly spans: readonly Span[];
  /** Number of the last check; 0 before the first. */
  readonly seq: number;
  /** In order of their numbers. */
  readonly marks: readonly Mark[];
  /** The most GPUs that ever answered. */
  readonly mostGpus: number;
  readonly lastCheck: Moment | undefined;
  /** Time between two checks, as the running process was told. */
  readonly intervalMs: number;
}

export const emptyHistory: History = {
  boots: [],
  spans: [],
  seq: 0,
  marks: [],
  mostGpus: 0,
  lastCheck: undefined,
  intervalMs: 0,
};

const maxBoots = 1000;
// A check this much later than it was due no longer vouches for the time before it.
const lateFactor = 1.5;

/** One event more. `maxSpans` is how many entries are kept apart; beyond it the oldest are folded into totals. */
export function step(history: History, event: HistoryEvent, maxSpans: number): History {
  switch (event.kind) {
    case 'start':
      return startStep(history, event.bootId, event.intervalMs);
    case 'check':
      return checkStep(history, event, maxSpans);
    case 'ping':
      return pingStep(history, event);
  }
}

// Readers of the run that ended may come back to its last check: what it told them may not have reached the disk.
function startStep(history: History, id: string, intervalMs: number): History {
  const boots = [...history.boots, { id, firstSeq: history.seq + 1 }].slice(-maxBoots);
  return { ...history, boots, marks: withEndOfRun(history.marks, history.seq), intervalMs };
}

function checkStep(history: History, check: Check, maxSpans: number): History {
  const { seq, wallMs, steadyMs, epoch, available, gpus, reason } = check;
  const finding: Finding = { available, gpus, reason };
  const span: Span = { fromSeq: seq, toSeq: seq, fromMs: wallMs, toMs: wallMs, finding, totals: share(history, check) };
  return {
    ...history,
    spans: folded(appended(history, span), history.marks, maxSpans),
    seq,
    mostGpus: Math.max(history.mostGpus, gpus),
    lastCheck: { wallMs, steadyMs, epoch },
  };
}

// A check vouches for the time since the one before only when it came on time, from the same process. Else that time is a gap.
function share(history: History, check: Check): Totals {
  const { available, seq } = check;
  const counts = { ...noTotals, checks: 1, availableChecks: available ? 1 : 0, lostChecks: seq - history.seq - 1 };
  const elapsedMs = elapsed(history.lastCheck, check);
  const isFirstOfBoot = history.seq < (history.boots.at(-1)?.firstSeq ?? seq);
  if (isFirstOfBoot || elapsedMs > lateFactor * history.intervalMs) {
    const dueChecks = history.intervalMs > 0 ? Math.round(elapsedMs / history.intervalMs) - 1 : 0;
    return { ...counts, gapMs: elapsedMs, missedChecks: Math.max(0, dueChecks - counts.lostChecks) };
  }
  return available ? { ...counts, availableMs: elapsedMs } : { ...counts, unavailableMs: elapsedMs };
}

// The wall clock is asked only where the steady one began anew, which is after a reboot of the machine.
function elapsed(before: Moment | undefined, now: Moment): number {
  if (before === undefined) return 0;
  const isComparable = before.epoch === now.epoch && now.steadyMs >= before.steadyMs;
  return Math.max(0, isComparable ? now.steadyMs - before.steadyMs : now.wallMs - before.wallMs);
}

// A new entry begins where a reader was told to come back to, so that its next report is exact to the millisecond.
function appended({ spans, marks }: History, span: Span): readonly Span[] {
  const last = spans.at(-1);
  const isOneEntry = last !== undefined && continues(last, span) && !isMarked(marks, last.toSeq);
  return isOneEntry ? spans.with(-1, joined(last, span)) : [...spans, span];
}

/** At most `maxSpans` entries: first those are joined that lose nothing by it, then the oldest. Never across a mark. */
function folded(spans: readonly Span[], marks: readonly Mark[], maxSpans: number): readonly Span[] {
  if (spans.length <= maxSpans) return spans;
  const marked = new Set(marks.map(({ seq }) => seq));
  const lossless = joinedWhere(spans, (earlier, later) => !marked.has(earlier.toSeq) && continues(earlier, later));
  let excess = lossless.length - maxSpans;
  return joinedWhere(lossless, (earlier) => !marked.has(earlier.toSeq) && excess-- > 0);
}

/** Gives the same history back when the ping says nothing new, so that it need not be written. Never changes a total. */
function pingStep(history: History, { seq, since }: Ping): History {
  const marks = withAnswer(history.marks, seq, since);
  return marks === history.marks ? history : { ...history, marks };
}
