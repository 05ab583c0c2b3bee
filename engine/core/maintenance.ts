/** Planned maintenance as a function of time: which ticks of which GPUs count on neither side of uptime. */
import { monthOf } from './calendar-month.ts';
import { type MaintenanceSpan, refusalOf } from './maintenance-span.ts';
import type { Policy } from './policy.ts';
import { type Placed, scopeOf } from './silence-scope.ts';

/** What declared maintenance means for a GPU at an instant. */
export type Planned =
  | { readonly kind: 'excluded'; readonly untilMs: number }
  /** The month's budget is spent: the tick counts as it would without the silence. */
  | { readonly kind: 'over_budget'; readonly untilMs: number };

/** What a GPU has spent of a month's budget up to an instant, milliseconds. */
export interface Spent {
  readonly excludedMs: number;
  /** Declared beyond the budget, and therefore counted as usual. */
  readonly overMs: number;
}

/** Spans under one policy. Pure: the same spans and policy give the same answers on every engine. */
export interface MaintenanceCalendar {
  /** Undefined when no span includes the instant: the common case, which must cost nothing per GPU. */
  at(atMs: number): ((gpu: Placed) => Planned | undefined) | undefined;
  spent(gpu: Placed, atMs: number): Spent;
  /** The spans that this policy recognises. */
  readonly spans: readonly PlannedSpan[];
  readonly budgetMs: number;
}

export interface PlannedSpan {
  readonly span: MaintenanceSpan;
  readonly covers: (gpu: Placed) => boolean;
}

/** Half-open, on the tick grid: holds the ticks from `fromMs` up to, not including, `toMs`. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Schedule {
  readonly excluded: readonly Stretch[];
  readonly over: readonly Stretch[];
}

/** The calendar of a policy; undefined when it grants no maintenance. */
export function planMaintenance(policy: Policy, spans: readonly MaintenanceSpan[]): MaintenanceCalendar | undefined {
  const { maintenance } = policy;
  if (maintenance === undefined) return undefined;
  const planned = spans.flatMap((span) => plannedSpan(policy, span) ?? []);
  const stretches = new Map(planned.map(({ span }) => [span, onGrid(policy, span)]));
  const budgetMs = Math.floor(maintenance.budgetMs / policy.intervalMs) * policy.intervalMs;
  const scheduleOf = remembering((of) =>
    schedule(
      budgetMs,
      policy,
      of.flatMap(({ span }) => stretches.get(span) ?? []),
    ),
  );
  return {
    spans: planned,
    budgetMs,
    at: (atMs) => {
      const isAnyRunning = planned.some(({ span }) => isWithin(stretches.get(span), atMs));
      return isAnyRunning ? (gpu) => plannedAt(scheduleOf(planned, gpu), atMs) : undefined;
    },
    spent: (gpu, atMs) => spentBy(scheduleOf(planned, gpu), policy, atMs),
  };
}

function plannedSpan(policy: Policy, span: MaintenanceSpan): PlannedSpan | undefined {
  if (span.toMs <= span.fromMs || refusalOf(policy, span) !== undefined) return undefined;
  const scope = scopeOf(policy, span.matchers);
  return scope.ok ? { span, covers: scope.covers } : undefined;
}

/** GPUs are asked about at every tick, and those of a node have the same spans: each is matched, and each combination scheduled, once. */
function remembering(
  scheduleOf: (spans: readonly PlannedSpan[]) => Schedule,
): (spans: readonly PlannedSpan[], gpu: Placed) => Schedule {
  const byGpu = new Map<string, Schedule>();
  const bySpans = new Map<string, Schedule>();
  return (spans, gpu) => {
    const place = [gpu.gpu, gpu.node, ...Object.values(gpu.labels)].join('\0');
    const known = byGpu.get(place);
    if (known !== undefined) return known;
    const own = spans.filter(({ covers }) => covers(gpu));
    const key = own.map(({ span }) => span.id).join(' ');
    const found = bySpans.get(key) ?? scheduleOf(own);
    bySpans.set(key, found);
    if (byGpu.size < MAX_REMEMBERED) byGpu.set(place, found);
    return found;
  };
}

const MAX_REMEMBERED = 100_000;

/** The ticks of a span, as a stretch from its first tick to one interval after its last. */
function onGrid({ intervalMs }: Policy, { fromMs, toMs }: Stretch): Stretch {
  return { fromMs: ceilTo(intervalMs, fromMs), toMs: ceilTo(intervalMs, toMs) };
}

function ceilTo(intervalMs: number, atMs: number): number {
  return Math.ceil(atMs / intervalMs) * intervalMs;
}

function isWithin(stretch: Stretch | undefined, atMs: number): boolean {
  return stretch !== undefined && stretch.fromMs <= atMs && atMs < stretch.toMs;
}

/** Overlapping spans count once; each month's first `budget` of them is excluded, the rest is over budget. */
function schedule(budgetMs: number, policy: Policy, stretches: readonly Stretch[]): Schedule {
  const excluded: Stretch[] = [];
  const over: Stretch[] = [];
  const left = new Map<number, number>();
  for (const { fromMs, toMs } of union(stretches).flatMap((stretch) => byMonth(policy, stretch))) {
    const month = monthOf(fromMs).startMs;
    const cutMs = Math.min(toMs, fromMs + (left.get(month) ?? budgetMs));
    left.set(month, (left.get(month) ?? budgetMs) - (cutMs - fromMs));
    if (cutMs > fromMs) excluded.push({ fromMs, toMs: cutMs });
    if (toMs > cutMs) over.push({ fromMs: cutMs, toMs });
  }
  return { excluded, over };
}

function union(stretches: readonly Stretch[]): readonly Stretch[] {
  const merged: Stretch[] = [];
  for (const stretch of [...stretches].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last === undefined || stretch.fromMs > last.toMs) merged.push(stretch);
    else merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, stretch.toMs) };
  }
  return merged;
}

/** A tick belongs to the month that its instant is in. */
function byMonth({ intervalMs }: Policy, { fromMs, toMs }: Stretch): readonly Stretch[] {
  const parts: Stretch[] = [];
  for (let startMs = fromMs; startMs < toMs; ) {
    const endMs = Math.min(toMs, ceilTo(intervalMs, monthOf(startMs).endMs));
    parts.push({ fromMs: startMs, toMs: endMs });
    startMs = endMs;
  }
  return parts;
}

function plannedAt({ excluded, over }: Schedule, atMs: number): Planned | undefined {
  const running = excluded.find((stretch) => isWithin(stretch, atMs));
  if (running !== undefined) return { kind: 'excluded', untilMs: endOfRun(excluded, running) };
  const beyond = over.find((stretch) => isWithin(stretch, atMs));
  return beyond === undefined ? undefined : { kind: 'over_budget', untilMs: beyond.toMs };
}

/** A run goes on over the turn of a month while the new month's budget lasts. */
function endOfRun(stretches: readonly Stretch[], { toMs }: Stretch): number {
  const next = stretches.find(({ fromMs }) => fromMs === toMs);
  return next === undefined ? toMs : endOfRun(stretches, next);
}

/** The tick at `atMs` is part of it. */
function spentBy({ excluded, over }: Schedule, { intervalMs }: Policy, atMs: number): Spent {
  const { startMs } = monthOf(atMs);
  const within = (stretches: readonly Stretch[]) =>
    stretches.reduce((sum, { fromMs, toMs }) => {
      const beforeMs = Math.min(toMs, Math.floor(atMs / intervalMs) * intervalMs + intervalMs);
      return sum + Math.max(0, beforeMs - Math.max(fromMs, ceilTo(intervalMs, startMs)));
    }, 0);
  return { excludedMs: within(excluded), overMs: within(over) };
}

/** How long spans matter: a budget is of a month, and a backfill may begin in the one before. */
export function keptMaintenanceMs({ backfillMs }: Policy): number {
  return backfillMs + LONGEST_MONTH_MS;
}

const LONGEST_MONTH_MS = 31 * 24 * 3600 * 1000;
