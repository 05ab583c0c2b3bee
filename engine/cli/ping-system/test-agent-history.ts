/**
 * What a test agent has seen. When its GPU is gone follows from the time alone, so its checks need not be made to be known:
 * check n is the one (n - 1) intervals after the start. Reading changes nothing, for nobody.
 */

export const CHECK_INTERVAL_MS = 5_000;

export interface TestAgentLife {
  /** Names this run; never the same twice. */
  readonly bootId: string;
  /** Wall time. */
  readonly startedAtMs: number;
  readonly hasGpuAt: (elapsedMs: number) => boolean;
}

/** The `boot_id` and `seq` of an earlier answer. */
export interface Cursor {
  readonly bootId: string;
  readonly since: number;
}

interface Downtime {
  readonly fromMs: number;
  /** Undefined while it lasts. */
  readonly untilMs: number | undefined;
  readonly checks: number;
}

export interface TestAgentReport {
  readonly seq: number;
  /** The report begins after this check. */
  readonly since: number;
  readonly isFirstPing: boolean;
  /** `history_lost`: the cursor is none of this run's. */
  readonly continuity: 'complete' | 'history_lost';
  readonly checks: number;
  readonly availableChecks: number;
  readonly availableMs: number;
  readonly unavailableMs: number;
  /** Wall time of the first and the last check of the report. */
  readonly firstCheckMs: number | undefined;
  readonly lastCheckMs: number | undefined;
  /** The newest first. */
  readonly downtimes: readonly Downtime[];
}

/** The number of the last check; the first is made at the start. */
export function seqAt(elapsedMs: number): number {
  return Math.floor(elapsedMs / CHECK_INTERVAL_MS) + 1;
}

/** What happened after the cursor; without one, since the start. */
export function reportAt(life: TestAgentLife, elapsedMs: number, cursor: Cursor | undefined): TestAgentReport {
  const seq = seqAt(elapsedMs);
  const isKnown = cursor === undefined || (cursor.bootId === life.bootId && cursor.since <= seq);
  const since = isKnown ? (cursor?.since ?? 0) : 0;
  const seen = Array.from({ length: seq - since }, (_, at) => checkOf(life, since + 1 + at));
  const vouchedMs = (isAvailable: boolean) =>
    // The first check of all has no time before it that it could vouch for.
    seen.filter((check) => check.isAvailable === isAvailable && check.seq > 1).length * CHECK_INTERVAL_MS;
  return {
    seq,
    since,
    isFirstPing: cursor === undefined,
    continuity: isKnown ? 'complete' : 'history_lost',
    checks: seen.length,
    availableChecks: seen.filter(({ isAvailable }) => isAvailable).length,
    availableMs: vouchedMs(true),
    unavailableMs: vouchedMs(false),
    firstCheckMs: seen[0]?.atMs,
    lastCheckMs: seen.at(-1)?.atMs,
    downtimes: downtimesOf(seen),
  };
}

interface Check {
  readonly seq: number;
  readonly atMs: number;
  readonly isAvailable: boolean;
}

function checkOf({ startedAtMs, hasGpuAt }: TestAgentLife, seq: number): Check {
  const elapsedMs = (seq - 1) * CHECK_INTERVAL_MS;
  return { seq, atMs: startedAtMs + elapsedMs, isAvailable: hasGpuAt(elapsedMs) };
}

function downtimesOf(seen: readonly Check[]): readonly Downtime[] {
  const downtimes: Downtime[] = [];
  for (const { isAvailable, atMs } of seen) {
    const last = downtimes.at(-1);
    const isDown = last !== undefined && last.untilMs === undefined;
    if (isDown) downtimes[downtimes.length - 1] = isAvailable ? { ...last, untilMs: atMs } : longer(last);
    else if (!isAvailable) downtimes.push({ fromMs: atMs, untilMs: undefined, checks: 1 });
  }
  return downtimes.reverse();
}

function longer(downtime: Downtime): Downtime {
  return { ...downtime, checks: downtime.checks + 1 };
}
