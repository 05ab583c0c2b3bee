/** JSON of /agent/uptime-since-last-ping. */

import type { CurrentFinding } from './gpu-truth.ts';
import type { Downtime, UptimeReport } from './uptime-report.ts';

export interface AnswerFacts {
  readonly agentId: string;
  readonly atMs: number;
  readonly current: CurrentFinding | undefined;
  readonly report: UptimeReport;
}

/** Percentages are null while there is nothing to take them of. */
export function uptimeAnswer({ agentId, atMs, current, report }: AnswerFacts) {
  const { totals } = report;
  const spanMs = totals.availableMs + totals.unavailableMs + totals.gapMs;
  return {
    agent_id: agentId,
    boot_id: report.bootId,
    seq: report.seq,
    since: report.since,
    timestamp: new Date(atMs).toISOString(),
    first_ping: report.isFirstPing,
    continuity: report.continuity,
    gpu_available: current?.available ?? null,
    gpu_count: current?.gpus ?? null,
    expected_gpu_count: current?.expected ?? null,
    reason: current?.reason ?? null,
    uptime_percentage: percentage(totals.availableChecks, totals.checks),
    proven_uptime_percentage: percentage(totals.availableMs, spanMs),
    total_checks: totals.checks,
    available_checks: totals.availableChecks,
    expected_checks: totals.checks + totals.missedChecks + totals.lostChecks,
    lost_checks: totals.lostChecks,
    span_seconds: spanMs / 1000,
    available_seconds: totals.availableMs / 1000,
    unavailable_seconds: totals.unavailableMs / 1000,
    gap_seconds: totals.gapMs / 1000,
    first_check_at: isoOrNull(report.firstCheckMs),
    last_check_at: isoOrNull(report.lastCheckMs),
    downtimes: report.downtimes.map(downtimeEntry),
    downtimes_truncated: report.areDowntimesTruncated,
  };
}

function downtimeEntry({ fromMs, untilMs, ms, checks, gpus, reason }: Downtime) {
  return {
    from: isoOrNull(fromMs),
    until: isoOrNull(untilMs),
    seconds: ms / 1000,
    checks,
    gpu_count: gpus,
    reason: reason ?? null,
  };
}

function percentage(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
