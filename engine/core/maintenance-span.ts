/** Spans of declared maintenance: what silences become once they have been heard of. A span never changes the past. */
import type { MaintenancePolicy, Policy, SilenceMatcher } from './policy.ts';
import { isSameMatcher, scopeOf } from './silence-scope.ts';

/** A silence as an Alertmanager gives it, instants in milliseconds. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** When it was created or last changed, by the Alertmanager's clock. */
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** A stretch of time that a silence has declared as maintenance; ticks at `fromMs` and before `toMs` are in it. */
export interface MaintenanceSpan {
  /** The silence's id and the count of its earlier spans: a silence that is extended after its end has several. */
  readonly id: string;
  readonly silence: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly createdBy: string;
  readonly comment: string;
  /** When this engine first heard of it. */
  readonly firstSeenMs: number;
}

export interface Hearing {
  readonly policy: Policy;
  readonly nowMs: number;
  /** The earliest tick that is not judged yet: nothing before it can change. Undefined before the first tick. */
  readonly openFromMs: number | undefined;
}

/** Why a silence is not maintenance; undefined when it is. */
export function refusalOf(
  policy: Policy,
  silence: Pick<Silence, 'matchers' | 'comment' | 'createdBy'>,
): string | undefined {
  const { maintenance } = policy;
  if (maintenance === undefined) return 'the policy grants no maintenance; set maintenance.budget';
  if (!isDeclared(maintenance, silence)) return 'nothing declares it as maintenance';
  if (maintenance.creators.length > 0 && !maintenance.creators.includes(silence.createdBy)) {
    return `maintenance.creators does not list ${silence.createdBy}`;
  }
  const scope = scopeOf(policy, silence.matchers);
  return scope.ok ? undefined : scope.reason;
}

/** Whether a silence says that it is meant as maintenance, whoever made it and whatever it matches. */
export function isDeclared(
  { commentPrefix, matcher }: MaintenancePolicy,
  { comment, matchers }: Pick<Silence, 'matchers' | 'comment'>,
): boolean {
  if (commentPrefix !== '' && comment.trimStart().toLowerCase().startsWith(commentPrefix.toLowerCase())) return true;
  return matcher !== undefined && matchers.some((one) => isSameMatcher(one, matcher));
}

/**
 * The spans of one silence after hearing of it (again): `known` are its spans so far, oldest first. Every change takes
 * effect `notice` after it was made and never before `openFromMs`, so no tick that has been judged is judged differently,
 * and engines that hear of it within the notice agree. Returns the spans that are new or differ.
 */
export function hear(
  known: readonly MaintenanceSpan[],
  silence: Silence,
  hearing: Hearing,
): readonly MaintenanceSpan[] {
  const latest = known.at(-1);
  const isRefused = refusalOf(hearing.policy, silence) !== undefined;
  const effectMs = effectiveFrom(silence, hearing);
  if (latest === undefined) return isRefused ? [] : declare(known, silence, hearing, silence.startsAtMs);
  if (isRefused || !isSameScope(latest, silence)) {
    const ended = shorten(latest, Math.min(latest.toMs, effectMs));
    const next = isRefused ? [] : declare(known, silence, hearing, Math.max(silence.startsAtMs, ended.toMs));
    return [...changed(latest, ended), ...next];
  }
  if (hasNotBegun(latest, hearing)) return changed(latest, replanned(latest, silence, hearing));
  return move(known, latest, silence, hearing);
}

/** The earliest instant at which a change that the silence shows may matter. */
function effectiveFrom({ updatedAtMs }: Silence, { policy, openFromMs }: Hearing): number {
  return Math.max(updatedAtMs + (policy.maintenance?.noticeMs ?? 0), openFromMs ?? 0);
}

/** A new span from `wantedMs`, but not before the silence can matter; none when nothing of it is left. */
function declare(
  known: readonly MaintenanceSpan[],
  silence: Silence,
  hearing: Hearing,
  wantedMs: number,
): readonly MaintenanceSpan[] {
  const { id, matchers, createdBy, comment, endsAtMs } = silence;
  const fromMs = Math.max(wantedMs, effectiveFrom(silence, hearing));
  if (fromMs >= endsAtMs) return [];
  const span = { silence: id, matchers, fromMs, toMs: endsAtMs, createdBy, comment, firstSeenMs: hearing.nowMs };
  return [{ id: `${id}.${known.length}`, ...span }];
}

function hasNotBegun({ fromMs }: MaintenanceSpan, { openFromMs }: Hearing): boolean {
  return openFromMs !== undefined && fromMs >= openFromMs;
}

/** What has not begun may be moved freely; moved to nothing, it stays listed with its start as its end. */
function replanned(span: MaintenanceSpan, silence: Silence, hearing: Hearing): MaintenanceSpan {
  const earliestMs = Math.max(silence.startsAtMs, effectiveFrom(silence, hearing));
  // A change that does not touch the start must not delay it.
  const fromMs = silence.startsAtMs <= span.fromMs ? Math.min(span.fromMs, earliestMs) : earliestMs;
  return { ...span, comment: silence.comment, fromMs, toMs: Math.max(fromMs, silence.endsAtMs) };
}

/** A running or finished span: its end moves forward from where it is, or back to where the change takes effect. */
function move(
  known: readonly MaintenanceSpan[],
  latest: MaintenanceSpan,
  silence: Silence,
  hearing: Hearing,
): readonly MaintenanceSpan[] {
  const { endsAtMs } = silence;
  const effectMs = effectiveFrom(silence, hearing);
  if (endsAtMs < latest.toMs) return changed(latest, shorten(latest, Math.max(endsAtMs, effectMs)));
  if (endsAtMs === latest.toMs) return changed(latest, { ...latest, comment: silence.comment });
  // Judged ticks lie between the end and now, or the extension came without notice: it begins as a span of its own.
  if (effectMs > latest.toMs) return declare(known, silence, hearing, latest.toMs);
  return [{ ...latest, comment: silence.comment, toMs: endsAtMs }];
}

function shorten(span: MaintenanceSpan, toMs: number): MaintenanceSpan {
  return toMs < span.toMs ? { ...span, toMs: Math.max(span.fromMs, toMs) } : span;
}

function changed(before: MaintenanceSpan, after: MaintenanceSpan): readonly MaintenanceSpan[] {
  const isSame = before.fromMs === after.fromMs && before.toMs === after.toMs && before.comment === after.comment;
  return isSame ? [] : [after];
}

function isSameScope({ matchers, createdBy }: MaintenanceSpan, silence: Silence): boolean {
  if (createdBy !== silence.createdBy || matchers.length !== silence.matchers.length) return false;
  return matchers.every((matcher) => silence.matchers.some((other) => isSameMatcher(matcher, other)));
}
