import { describe, expect, it } from 'vitest';
import { ENVIRONMENT } from '../../../engine/policy/environment.ts';
import { loadPolicy } from '../../../engine/policy/load.ts';
import { formatOrigin } from '../../../engine/policy/provenance.ts';

function load(env: Record<string, string>, source = '') {
  const outcome = loadPolicy({ file: 'policy.yml', source, env });
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(({ message }) => message).join('; '));
  return outcome;
}

function refused(env: Record<string, string>, source = ''): string[] {
  const outcome = loadPolicy({ file: 'policy.yml', source, env });
  return outcome.ok ? [] : outcome.diagnostics.map(({ message, fix }) => `${message} (${fix})`);
}

/** Every variable, a text that differs from its default, the key it sets and the value that must then be in effect. */
const OVERRIDES = [
  ['GPU_SHORT_TERM_UPTIME_THRESHOLD', '97.5', 'windows.short.threshold', 97.5],
  ['GPU_MEDIUM_TERM_UPTIME_THRESHOLD', '98', 'windows.medium.threshold', 98],
  ['GPU_LONG_TERM_UPTIME_THRESHOLD', '99.9', 'windows.long.threshold', 99.9],
  ['GPU_SHORT_TERM_WINDOW', '60', 'windows.short.range', '1m'],
  ['GPU_MEDIUM_TERM_WINDOW', '3600', 'windows.medium.range', '1h'],
  ['GPU_LONG_TERM_WINDOW', '86400', 'windows.long.range', '1d'],
  ['GPU_BASE_DELAY_MULTIPLIER', '5', 'delay.first_multiplier', 5],
  ['GPU_MAX_DELAY_MULTIPLIER', '50', 'delay.max_multiplier', 50],
  ['GPU_DELAY_ESCALATION_FACTOR', '2', 'delay.escalation_factor', 2],
  ['GPU_MIN_VRAM_GB', '16', 'checks.vram.min', 16],
  ['GPU_MAX_GPU_UTILIZATION', '90', 'checks.gpu_utilization.max', 90],
  ['GPU_MAX_MEMORY_UTILIZATION', '80', 'checks.memory_utilization.max', 80],
  ['GPU_MAX_TEMPERATURE', '83', 'checks.temperature.max', 83],
  ['GPU_MIN_FREE_MEMORY_MB', '2048', 'checks.free_memory.min', 2048],
  ['GPU_HEALTH_CHECK_INTERVAL', '10', 'interval', '10s'],
  ['GPU_STATUS_REPORT_INTERVAL', '300', 'report.interval', '5m'],
  ['GPU_PERSISTENCE_FILE', '/var/lib/gpu.db', 'persistence_file', '/var/lib/gpu.db'],
  ['GPU_ENABLE_DETAILED_LOGGING', 'true', 'report.detailed', true],
  ['GPU_ALERT_CONSECUTIVE_FAILURES', '5', 'alerts.consecutive_failures', 5],
  ['GPU_ALERT_UPTIME_BELOW', '90', 'alerts.uptime_below', 90],
  ['PING_BASE_INTERVAL_MINUTES', '30', 'ping.base_interval', '30m'],
  ['PING_UPTIME_THRESHOLD', '95', 'ping.uptime_threshold', 95],
  ['PING_ESCALATION_MULTIPLIER', '3', 'ping.escalation_multiplier', 3],
  ['PING_MAX_INTERVAL_HOURS', '12', 'ping.max_interval', '12h'],
  ['PING_RECOVERY_THRESHOLD_PINGS', '5', 'ping.recovery_threshold_pings', 5],
  ['PING_FIRST_PING_GRACE_PERIOD', 'false', 'ping.first_ping_grace_period', false],
  ['PING_RESPONSE_TIMEOUT_SECONDS', '2.5', 'ping.response_timeout', '2s500ms'],
  ['PING_MAX_CONCURRENT_AGENTS', '10', 'ping.max_concurrent_agents', 10],
  ['AGENT_GPU_CHECK_INTERVAL_SECONDS', '1', 'agent.check_interval', '1s'],
  ['AGENT_MAX_HISTORY_SIZE', '500', 'agent.max_history', 500],
  ['AGENT_CHECKPOINT_INTERVAL', '10', 'agent.checkpoint_interval', 10],
  ['AGENT_MODE', 'TRUE', 'agent.mode', true],
  ['AGENT_ID', 'agent-001', 'agent.id', 'agent-001'],
] as const;

describe('environment variables', () => {
  it('are all covered by the table of this test', () => {
    expect(OVERRIDES.map(([name]) => name)).toEqual(ENVIRONMENT.map(({ name }) => name));
  });

  it.each(OVERRIDES)('%s=%s sets %s', (name, text, key, value) => {
    const { provenance } = load({ [name]: text });
    const settings = provenance.filter(({ origin }) => origin.kind === 'environment');
    expect(settings.map((setting) => [setting.path.join('.'), setting.value, formatOrigin(setting.origin)])).toEqual([
      [key, value, `env ${name}`],
    ]);
  });

  it.each(OVERRIDES.filter(([, , , value]) => typeof value !== 'string' || /^\d/.test(value)))(
    '%s refuses a text of the wrong kind',
    (name) => {
      expect(refused({ [name]: 'hot' })).toEqual([expect.stringContaining(`${name}=hot: expected `)]);
    },
  );

  it('win over the file', () => {
    const { policy, provenance } = load({ GPU_MIN_VRAM_GB: '40' }, 'checks: { vram: { min: 16 } }');
    expect(policy.checks[0]).toMatchObject({ name: 'vram', bound: { kind: 'min', value: 40 } });
    expect(provenance.find(({ path }) => path.join('.') === 'checks.vram.min')?.origin).toEqual({
      kind: 'environment',
      name: 'GPU_MIN_VRAM_GB',
      text: '40',
    });
  });

  it('replace a bound of another kind', () => {
    const { policy } = load({ GPU_MIN_VRAM_GB: '40' }, 'checks: { vram: { equals: 80 } }');
    expect(policy.checks[0]?.bound).toEqual({ kind: 'min', value: 40 });
  });

  it('accept a duration with its unit where a bare number has the documented one', () => {
    expect(load({ GPU_SHORT_TERM_WINDOW: '10m' }).policy.windows[0]?.rangeMs).toBe(600_000);
  });

  it('count as unset when empty', () => {
    expect(load({ GPU_MAX_TEMPERATURE: '', AGENT_ID: '  ' }).policy).toEqual(load({}).policy);
  });

  it('are held to the limits of the file', () => {
    expect(refused({ GPU_SHORT_TERM_UPTIME_THRESHOLD: '101', GPU_SHORT_TERM_WINDOW: '7' })).toEqual([
      'GPU_SHORT_TERM_UPTIME_THRESHOLD=101: 101 is too large (use at most 100)',
      'GPU_SHORT_TERM_WINDOW=7: 7s is not a whole number of intervals of 5s (use 5s, or another interval)',
    ]);
  });

  it('are suspected when nearly one of ours, and left alone otherwise', () => {
    const { warnings } = load({ GPU_MAX_TEMPRATURE: '80', GPU_SOURCE: 'nvml', GPU_UPTIME_URL: 'x', PATH: '/bin' });
    expect(warnings.map(({ message, fix }) => [message, fix])).toEqual([
      ['GPU_MAX_TEMPRATURE is not a variable of gpu-uptime and has no effect', 'did you mean GPU_MAX_TEMPERATURE?'],
    ]);
  });
});
