import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { loadRules } from '../../engine/rules/rule-file.ts';

const PROMTOOL = 'promtool';
const ROOT = join(import.meta.dirname, '../..');
const FILES = globSync('rules/alerts/*.yml', { cwd: ROOT }).sort();
const TESTS = globSync('rules/tests/*.test.yml', { cwd: ROOT }).sort();

const loaded = loadRules(FILES.map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') })));
const rules = loaded.groups.flatMap((group) => group.rules);

function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const hasPromtool = has(PROMTOOL);
if (!hasPromtool) console.warn('SKIPPED: promtool is not on PATH, so rules/ is not checked against Prometheus');

function promtool(...args: string[]): string {
  return execFileSync(PROMTOOL, args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
}

describe('promtool', () => {
  it('is there in CI', () => {
    expect(hasPromtool || !process.env.CI).toBe(true);
  });

  it.runIf(hasPromtool)('accepts every rule file', () => {
    expect(promtool('check', 'rules', '--lint=all', '--lint-fatal', ...FILES)).toContain('SUCCESS');
  });

  it.runIf(hasPromtool).each(TESTS)('%s passes', (file) => {
    expect(promtool('test', 'rules', file)).toContain('SUCCESS');
  });
});

describe('the rules we ship', () => {
  it('are the eight of the GPU module and the three of the uptime monitor', () => {
    expect(rules.map(({ name, forMs }) => [name, forMs / 1000])).toEqual([
      ['GpuThermalWarning', 60],
      ['GpuThermalCritical', 30],
      ['GpuPowerSpike', 45],
      ['GpuPowerCritical', 20],
      ['GpuEccErrorsSpike', 300],
      ['GpuEccUncorrectable', 0],
      ['GpuThrottling', 30],
      ['GpuMemoryPressure', 60],
      ['GpuUptimeLow', 60],
      ['GpuConsecutiveFailures', 0],
      ['GpuObserverSuspect', 0],
    ]);
  });

  it('are loaded by the engine as they are', () => {
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.groups.map(({ name, intervalMs }) => [name, intervalMs])).toEqual([
      ['gpu', 5000],
      ['uptime', 15_000],
    ]);
  });

  it.each(rules)('$name says how bad it is, what to do, and where to read on', ({ name, written }) => {
    expect(['info', 'warning', 'critical']).toContain(written.labels.severity);
    expect(['notify', 'throttle', 'preempt', 'quarantine']).toContain(written.labels.action);
    expect(written.annotations.description).toBeTruthy();
    expect(written.annotations.runbook_url).toBe(`rules/runbooks/${name}.md`);
    expect(readFileSync(join(ROOT, `rules/runbooks/${name}.md`), 'utf8')).toMatch(`# ${name}\n`);
  });

  // The guard speaks of the whole fleet and is only on or off: it has neither subject nor figure to show.
  it.each(rules.filter(({ name }) => name !== 'GpuObserverSuspect'))(
    '$name shows whom it is about, the value and the threshold',
    ({ written }) => {
      expect(written.annotations.summary).toMatch(/\{\{ \$labels\.\w+ \}\}.*\{\{ \$value.*(<|>|>=) /);
    },
  );

  it.each(rules)('$name has a promtool test of its own that fires and that stays silent', ({ name }) => {
    const file = join(ROOT, `rules/tests/${name}.test.yml`);
    expect(existsSync(file), `write ${file}`).toBe(true);
    const { tests } = load(readFileSync(file, 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const expectations = tests.flatMap((test) => test.alert_rule_test).filter(({ alertname }) => alertname === name);
    expect(new Set(expectations.map(({ exp_alerts }) => exp_alerts.length > 0))).toEqual(new Set([true, false]));
  });

  it('leave no test and no runbook of a rule that is gone', () => {
    const names = new Set(rules.map(({ name }) => name));
    const written = [...TESTS, ...globSync('rules/runbooks/*.md', { cwd: ROOT })];
    const orphans = written.filter(
      (file) => !names.has(file.replace(/^.*\/|\..*$/g, '')) && !file.endsWith('README.md'),
    );
    expect(orphans).toEqual([]);
  });
});
