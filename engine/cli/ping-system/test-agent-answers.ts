/** What a test agent answers: the same JSON as the exporter in agent mode. */
import type { TestAgentReport } from './test-agent-history.ts';
import { CHECK_INTERVAL_MS, seqAt, type TestAgentLife } from './test-agent-history.ts';

export interface AnsweringAgent {
  readonly id: string;
  readonly life: TestAgentLife;
  /** Time since its start, on a clock that nobody sets. */
  readonly elapsedMs: number;
  /** Wall time. */
  readonly nowMs: number;
}

const NO_GPU = 'no GPU answers, 1 expected';
const MAX_DOWNTIMES = 100;

export const TEST_GPU_MODEL = 'simulated test GPU';

/** JSON of /agent/uptime-since-last-ping. */
export function uptimeAnswer({ id, life, elapsedMs, nowMs }: AnsweringAgent, report: TestAgentReport) {
  const { checks, availableChecks, availableMs, unavailableMs, downtimes } = report;
  const spanMs = availableMs + unavailableMs;
  return {
    agent_id: id,
    boot_id: life.bootId,
    seq: report.seq,
    since: report.since,
    timestamp: isoText(nowMs),
    first_ping: report.isFirstPing,
    continuity: report.continuity,
    ...findingOf(life, elapsedMs),
    uptime_percentage: percentage(availableChecks, checks),
    proven_uptime_percentage: percentage(availableMs, spanMs),
    total_checks: checks,
    available_checks: availableChecks,
    expected_checks: checks,
    lost_checks: 0,
    span_seconds: spanMs / 1000,
    available_seconds: availableMs / 1000,
    unavailable_seconds: unavailableMs / 1000,
    gap_seconds: 0,
    first_check_at: isoOrNull(report.firstCheckMs),
    last_check_at: isoOrNull(report.lastCheckMs),
    downtimes: downtimes.slice(0, MAX_DOWNTIMES).map((downtime) => ({
      from: isoText(downtime.fromMs),
      until: isoOrNull(downtime.untilMs),
      seconds: (downtime.checks * CHECK_INTERVAL_MS) / 1000,
      checks: downtime.checks,
      gpu_count: 0,
      reason: NO_GPU,
    })),
    downtimes_truncated: downtimes.length > MAX_DOWNTIMES,
  };
}

/** JSON of /agent/gpu-status. */
export function gpuStatusAnswer({ id, life, elapsedMs, nowMs }: AnsweringAgent) {
  const ageMs = elapsedMs % CHECK_INTERVAL_MS;
  const finding = findingOf(life, elapsedMs);
  return {
    agent_id: id,
    timestamp: isoText(nowMs),
    ...finding,
    sample_age_seconds: Math.round(ageMs) / 1000,
    driver_version: null,
    gpus: [gpuEntry(id, finding.gpu_available, lastSeenMs(life, elapsedMs))],
  };
}

/** JSON of /agent/health. */
export function healthAnswer({ id, life, elapsedMs }: AnsweringAgent) {
  return {
    agent_id: id,
    status: 'healthy',
    boot_id: life.bootId,
    seq: seqAt(elapsedMs),
    check_interval_seconds: CHECK_INTERVAL_MS / 1000,
    last_check_age_seconds: Math.round(elapsedMs % CHECK_INTERVAL_MS) / 1000,
    checkpoint_writable: true,
    problems: [],
  };
}

function findingOf({ hasGpuAt }: TestAgentLife, elapsedMs: number) {
  const isAvailable = hasGpuAt(elapsedMs);
  return {
    gpu_available: isAvailable,
    gpu_count: isAvailable ? 1 : 0,
    expected_gpu_count: 1,
    reason: isAvailable ? null : NO_GPU,
  };
}

function lastSeenMs({ hasGpuAt, startedAtMs }: TestAgentLife, elapsedMs: number): number {
  let seq = seqAt(elapsedMs);
  while (seq > 1 && !hasGpuAt((seq - 1) * CHECK_INTERVAL_MS)) seq -= 1;
  return startedAtMs + (seq - 1) * CHECK_INTERVAL_MS;
}

// A made-up GPU has no readings: null is what an agent answers for what its card cannot say.
function gpuEntry(id: string, isAvailable: boolean, seenMs: number) {
  return {
    index: 0,
    uuid: `GPU-${id}`,
    model: TEST_GPU_MODEL,
    pci_bus_id: '00000000:00:00.0',
    available: isAvailable,
    reason: isAvailable ? null : NO_GPU,
    last_seen: isoText(seenMs),
    temperature_celsius: null,
    memory_temperature_celsius: null,
    utilization_percent: null,
    memory_used_mib: null,
    memory_free_mib: null,
    memory_total_mib: null,
    power_watts: null,
    power_limit_watts: null,
    sm_clock_mhz: null,
  };
}

function percentage(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}

function isoText(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : isoText(ms);
}
