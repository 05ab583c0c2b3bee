import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ENVIRONMENT } from '../../../engine/policy/environment.ts';
import { loadPolicy } from '../../../engine/policy/load.ts';

/** The defaults the source documents promise, S0-19…38 and S1-6…18, as they write them. */
const DOCUMENTED = {
  GPU_SHORT_TERM_UPTIME_THRESHOLD: '99.0',
  GPU_MEDIUM_TERM_UPTIME_THRESHOLD: '99.0',
  GPU_LONG_TERM_UPTIME_THRESHOLD: '99.0',
  GPU_SHORT_TERM_WINDOW: '300',
  GPU_MEDIUM_TERM_WINDOW: '1800',
  GPU_LONG_TERM_WINDOW: '7200',
  GPU_BASE_DELAY_MULTIPLIER: '10.0',
  GPU_MAX_DELAY_MULTIPLIER: '100.0',
  GPU_DELAY_ESCALATION_FACTOR: '1.5',
  GPU_MIN_VRAM_GB: '30.0',
  GPU_MAX_GPU_UTILIZATION: '95.0',
  GPU_MAX_MEMORY_UTILIZATION: '95.0',
  GPU_MAX_TEMPERATURE: '85.0',
  GPU_MIN_FREE_MEMORY_MB: '1024.0',
  GPU_HEALTH_CHECK_INTERVAL: '5',
  GPU_STATUS_REPORT_INTERVAL: '60',
  GPU_ENABLE_DETAILED_LOGGING: 'false',
  GPU_ALERT_CONSECUTIVE_FAILURES: '3',
  GPU_ALERT_UPTIME_BELOW: '95.0',
  PING_BASE_INTERVAL_MINUTES: '15',
  PING_UPTIME_THRESHOLD: '99.0',
  PING_ESCALATION_MULTIPLIER: '2.0',
  PING_MAX_INTERVAL_HOURS: '24',
  PING_RECOVERY_THRESHOLD_PINGS: '3',
  PING_FIRST_PING_GRACE_PERIOD: 'true',
  PING_RESPONSE_TIMEOUT_SECONDS: '10',
  PING_MAX_CONCURRENT_AGENTS: '100',
  AGENT_GPU_CHECK_INTERVAL_SECONDS: '5',
  AGENT_MAX_HISTORY_SIZE: '10000',
  AGENT_CHECKPOINT_INTERVAL: '100',
};

/** The documents show AGENT_MODE and AGENT_ID in use, without a default; the store has its own name here. */
const WITHOUT_DOCUMENTED_DEFAULT = ['GPU_PERSISTENCE_FILE', 'AGENT_MODE', 'AGENT_ID'];

function load(file: string, source: string, env: Record<string, string> = {}) {
  const outcome = loadPolicy({ file, source, env });
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(({ message }) => message).join('; '));
  return outcome;
}

function shipped(name: string) {
  const file = `rules/${name}`;
  return load(file, readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'));
}

describe('documented defaults', () => {
  it('are listed for every variable', () => {
    expect([...Object.keys(DOCUMENTED), ...WITHOUT_DOCUMENTED_DEFAULT].sort()).toEqual(
      ENVIRONMENT.map(({ name }) => name).sort(),
    );
  });

  it.each(Object.entries(DOCUMENTED))('%s=%s changes nothing, because it is the default', (name, text) => {
    expect(load('policy.yml', '', { [name]: text }).policy).toEqual(load('policy.yml', '').policy);
  });

  it.each(ENVIRONMENT.filter(({ name }) => name in DOCUMENTED))('$name is documented with its default', (variable) => {
    expect(Object.entries(DOCUMENTED)).toContainEqual([variable.name, variable.documentedDefault]);
  });

  it('make the delays of the source documents', () => {
    expect(load('policy.yml', '').policy.delay).toEqual({
      baseDurationMs: 30_000,
      firstMultiplier: 10,
      escalationFactor: 1.5,
      maxMultiplier: 100,
      recoveryHoldMs: 0,
    });
  });
});

describe('rules/policy.yml', () => {
  it('loads without warnings and equals the empty policy', () => {
    const { policy, warnings } = shipped('policy.yml');
    expect(warnings).toEqual([]);
    expect(policy).toEqual(load('policy.yml', '').policy);
  });

  it('writes out every key that has a default of its own', () => {
    const unwritten = shipped('policy.yml').provenance.filter(({ origin }) => origin.kind === 'default');
    expect(unwritten.map(({ path }) => path.join('.'))).toEqual(['backfill', 'presence.fresh']);
  });

  it('names every environment variable', () => {
    const source = readFileSync(new URL('../../../rules/policy.yml', import.meta.url), 'utf8');
    expect(ENVIRONMENT.filter(({ name }) => !source.includes(name))).toEqual([]);
  });
});

describe('rules/policy.inference.yml', () => {
  it('loads without warnings and counts busy as up', () => {
    const { policy, warnings } = shipped('policy.inference.yml');
    expect(warnings).toEqual([]);
    expect(policy.busyCountsAs).toBe('up');
    expect(policy.capabilities.map(({ name }) => name)).toEqual([
      'default',
      'text-to-image',
      'speech-to-text',
      'llm-70b',
    ]);
  });
});

describe('rules/policy.local.yml', () => {
  it('loads without warnings, and differs from the default only in whom agents may be', () => {
    const { policy, warnings } = shipped('policy.local.yml');
    expect(warnings).toEqual([]);
    const { policy: defaults } = shipped('policy.yml');
    const { targets, ...ping } = defaults.ping;
    const local = {
      ...ping,
      revision: policy.ping.revision,
      targets: { ...targets, allowLoopback: true, allowPrivate: true },
    };
    expect({ ...policy, revision: '' }).toEqual({ ...defaults, ping: local, revision: '' });
  });
});
