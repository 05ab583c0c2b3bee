/** Environment variables that override the policy file: one row each, with the documented default of its source. */
import { formatDuration, parseDuration } from './duration.ts';

/** How a variable's text becomes a value of the policy file; undefined: it does not. */
interface Reading {
  readonly expected: string;
  readonly read: (text: string) => unknown;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly path: readonly string[];
  readonly reading: Reading;
  /** Unit of a bare number; empty where there is none. */
  readonly unit: string;
  /** As the source documents write it. */
  readonly documentedDefault: string;
}

const NUMBER: Reading = { expected: 'a number', read: readNumber };
const TEXT: Reading = { expected: 'text', read: (text) => text };
const FLAG: Reading = { expected: 'true or false', read: readFlag };
const SECONDS = durationIn('seconds', 1000);
const MINUTES = durationIn('minutes', 60_000);
const HOURS = durationIn('hours', 3_600_000);

/** Every override, in the order of the source documents. */
export const ENVIRONMENT: readonly EnvironmentVariable[] = [
  row('GPU_SHORT_TERM_UPTIME_THRESHOLD', 'windows.short.threshold', NUMBER, '%', '99.0'),
  row('GPU_MEDIUM_TERM_UPTIME_THRESHOLD', 'windows.medium.threshold', NUMBER, '%', '99.0'),
  row('GPU_LONG_TERM_UPTIME_THRESHOLD', 'windows.long.threshold', NUMBER, '%', '99.0'),
  row('GPU_SHORT_TERM_WINDOW', 'windows.short.range', SECONDS, 's', '300'),
  row('GPU_MEDIUM_TERM_WINDOW', 'windows.medium.range', SECONDS, 's', '1800'),
  row('GPU_LONG_TERM_WINDOW', 'windows.long.range', SECONDS, 's', '7200'),
  row('GPU_BASE_DELAY_MULTIPLIER', 'delay.first_multiplier', NUMBER, 'x', '10.0'),
  row('GPU_MAX_DELAY_MULTIPLIER', 'delay.max_multiplier', NUMBER, 'x', '100.0'),
  row('GPU_DELAY_ESCALATION_FACTOR', 'delay.escalation_factor', NUMBER, 'x', '1.5'),
  row('GPU_MIN_VRAM_GB', 'checks.vram.min', NUMBER, 'GB', '30.0'),
  row('GPU_MAX_GPU_UTILIZATION', 'checks.gpu_utilization.max', NUMBER, '%', '95.0'),
  row('GPU_MAX_MEMORY_UTILIZATION', 'checks.memory_utilization.max', NUMBER, '%', '95.0'),
  row('GPU_MAX_TEMPERATURE', 'checks.temperature.max', NUMBER, '°C', '85.0'),
  row('GPU_MIN_FREE_MEMORY_MB', 'checks.free_memory.min', NUMBER, 'MiB', '1024.0'),
  row('GPU_HEALTH_CHECK_INTERVAL', 'interval', SECONDS, 's', '5'),
  row('GPU_STATUS_REPORT_INTERVAL', 'report.interval', SECONDS, 's', '60'),
  row('GPU_PERSISTENCE_FILE', 'persistence_file', TEXT, '', 'gpu_monitoring_data.json'),
  row('GPU_ENABLE_DETAILED_LOGGING', 'report.detailed', FLAG, '', 'false'),
  row('GPU_ALERT_CONSECUTIVE_FAILURES', 'alerts.consecutive_failures', NUMBER, '', '3'),
  row('GPU_ALERT_UPTIME_BELOW', 'alerts.uptime_below', NUMBER, '%', '95.0'),
  row('PING_BASE_INTERVAL_MINUTES', 'ping.base_interval', MINUTES, 'min', '15'),
  row('PING_UPTIME_THRESHOLD', 'ping.uptime_threshold', NUMBER, '%', '99.0'),
  row('PING_ESCALATION_MULTIPLIER', 'ping.escalation_multiplier', NUMBER, 'x', '2.0'),
  row('PING_MAX_INTERVAL_HOURS', 'ping.max_interval', HOURS, 'h', '24'),
  row('PING_RECOVERY_THRESHOLD_PINGS', 'ping.recovery_threshold_pings', NUMBER, '', '3'),
  row('PING_FIRST_PING_GRACE_PERIOD', 'ping.first_ping_grace_period', FLAG, '', 'true'),
  row('PING_RESPONSE_TIMEOUT_SECONDS', 'ping.response_timeout', SECONDS, 's', '10'),
  row('PING_MAX_CONCURRENT_AGENTS', 'ping.max_concurrent_agents', NUMBER, '', '100'),
  row('AGENT_GPU_CHECK_INTERVAL_SECONDS', 'agent.check_interval', SECONDS, 's', '5'),
  row('AGENT_MAX_HISTORY_SIZE', 'agent.max_history', NUMBER, '', '10000'),
  row('AGENT_CHECKPOINT_INTERVAL', 'agent.checkpoint_interval', NUMBER, '', '100'),
  row('AGENT_MODE', 'agent.mode', FLAG, '', 'false'),
  row('AGENT_ID', 'agent.id', TEXT, '', 'unset'),
];

function row(
  name: string,
  path: string,
  reading: Reading,
  unit: string,
  documentedDefault: string,
): EnvironmentVariable {
  return { name, path: path.split('.'), reading, unit, documentedDefault };
}

function readNumber(text: string): number | undefined {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function readFlag(text: string): boolean | undefined {
  if (/^(true|yes|on|1)$/i.test(text)) return true;
  return /^(false|no|off|0)$/i.test(text) ? false : undefined;
}

/** A bare number in the variable's documented unit, or a duration with its own unit. */
function durationIn(unit: string, unitMs: number): Reading {
  const read = (text: string) => {
    const amount = readNumber(text);
    const ms = amount === undefined ? parseDuration(text) : Math.round(amount * unitMs);
    return ms === undefined || ms < 0 || !Number.isSafeInteger(ms) ? undefined : formatDuration(ms);
  };
  return { expected: `a number of ${unit}, or a duration such as 90s`, read };
}
