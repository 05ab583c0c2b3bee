/**
 * Checks that follow one another, as one entry. A span whose checks all found the same can be cut at any of them; a folded
 * one only keeps its totals. Nothing that is added up here is ever rounded or forgotten.
 */

/** What one check found. */
export interface Finding {
  readonly available: boolean;
  readonly gpus: number;
  readonly reason: string | undefined;
}

/** Sums over checks, and over the time they vouch for. */
export interface Totals {
  readonly checks: number;
  readonly availableChecks: number;
  /** Checks that were due and not made. */
  readonly missedChecks: number;
  /** Checks that were made, but whose record was damaged. */
  readonly lostChecks: number;
  readonly availableMs: number;
  readonly unavailableMs: number;
  /** Time that nobody watched. */
  readonly gapMs: number;
}

export interface Span {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Wall time of the first and the last check; a label, never subtracted. */
  readonly fromMs: number;
  readonly toMs: number;
  /** What every check of the span found; undefined once unlike checks were folded into it. */
  readonly finding: Finding | undefined;
  /** Lost checks, missed checks and the gap lie before the first check, unless the span was folded. */
  readonly totals: Totals;
}

export const noTotals: Totals = {
  checks: 0,
  availableChecks: 0,
  missedChecks: 0,
  lostChecks: 0,
  availableMs: 0,
  unavailableMs: 0,
  gapMs: 0,
};

export function addTotals(a: Totals, b: Totals): Totals {
  return {
    checks: a.checks + b.checks,
    availableChecks: a.availableChecks + b.availableChecks,
    missedChecks: a.missedChecks + b.missedChecks,
    lostChecks: a.lostChecks + b.lostChecks,
    availableMs: a.availableMs + b.availableMs,
    unavailableMs: a.unavailableMs + b.unavailableMs,
    gapMs: a.gapMs + b.gapMs,
  };
}

/** Two neighbours as one. It stays divisible only where both found the same and nothing lies between them. */
export function joined(earlier: Span, later: Span): Span {
  return {
    fromSeq: earlier.fromSeq,
    toSeq: later.toSeq,
    fromMs: earlier.fromMs,
    toMs: later.toMs,
    finding: continues(earlier, later) ? earlier.finding : undefined,
    totals: addTotals(earlier.totals, later.totals),
  };
}

/** Whether the later span goes on where the earlier one ended: same finding, no gap, no lost check. */
export function continues(earlier: Span, later: Span): boolean {
  if (later.fromSeq !== earlier.toSeq + 1 || later.totals.gapMs > 0) return false;
  return earlier.finding !== undefined && later.finding !== undefined && isSame(earlier.finding, later.finding);
}

function isSame(a: Finding, b: Finding): boolean {
  return a.available === b.available && a.gpus === b.gpus && a.reason === b.reason;
}

/** The spans with every pair of neighbours joined that `isJoined` says yes to, the oldest pair first. */
export function joinedWhere(
  spans: readonly Span[],
  isJoined: (earlier: Span, later: Span) => boolean,
): readonly Span[] {
  const kept: Span[] = [];
  for (const span of spans) {
    const last = kept.at(-1);
    if (last !== undefined && isJoined(last, span)) kept[kept.length - 1] = joined(last, span);
    else kept.push(span);
  }
  return kept;
}

/** What is left of a span after check `since`; the whole span where it cannot be cut there. */
export function after(span: Span, since: number): Span {
  if (span.finding === undefined) return span;
  return since < span.fromSeq ? withoutKnownLoss(span, since) : tail(span, since, span.finding);
}

// Checks up to `since` were reported before their records were damaged: to this reader they are not lost.
function withoutKnownLoss(span: Span, since: number): Span {
  const lostChecks = Math.min(span.totals.lostChecks, span.fromSeq - 1 - since);
  return lostChecks === span.totals.lostChecks ? span : { ...span, totals: { ...span.totals, lostChecks } };
}

function tail(span: Span, since: number, { available }: Finding): Span {
  const { checks, availableMs, unavailableMs } = span.totals;
  const left = span.toSeq - since;
  const share = left / checks;
  const totals: Totals = {
    ...noTotals,
    checks: left,
    availableChecks: available ? left : 0,
    availableMs: Math.round(availableMs * share),
    unavailableMs: Math.round(unavailableMs * share),
  };
  const fromMs = span.fromMs + Math.round((span.toMs - span.fromMs) * ((since + 1 - span.fromSeq) / (checks - 1)));
  return { ...span, fromSeq: since + 1, fromMs, totals };
}
