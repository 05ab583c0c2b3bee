import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CONFIG, filledConfig } from './filled-config.ts';

const AMTOOL = 'amtool';
const ROOT = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'amtool-'));
afterAll(() => rmSync(directory, { recursive: true }));

function amtool(...args: string[]): string {
  return execFileSync(AMTOOL, args, { encoding: 'utf8', stdio: 'pipe' }).trim();
}

function hasAmtool(): boolean {
  try {
    amtool('--version');
    return true;
  } catch {
    return false;
  }
}

const isThere = hasAmtool();
if (!isThere) console.warn('SKIPPED: amtool is not on PATH, so alertmanager/alertmanager.yml is not checked');

describe('alertmanager.yml', () => {
  it('can be checked in CI', () => {
    expect(isThere || !process.env.CI).toBe(true);
  });

  it.runIf(isThere)('is valid', () => {
    expect(amtool('check-config', CONFIG)).toContain('4 receivers');
  });

  it.runIf(isThere).each([
    [['severity=critical'], 'on-call'],
    [['severity=critical', 'team=platform'], 'on-call'],
    [['severity=warning'], 'gpu-hardware'],
    [['severity=warning', 'team=gpu-hardware'], 'gpu-hardware'],
    [['severity=warning', 'team=platform'], 'platform'],
    [['severity=info'], 'terminal'],
    [[], 'terminal'],
  ])('routes %j to %s', (labels, receiver) => {
    expect(amtool('config', 'routes', 'test', `--config.file=${CONFIG}`, 'alertname=GpuHot', ...labels)).toBe(receiver);
  });

  it.runIf(isThere)('is valid with every receiver that waits in a comment', () => {
    const text = filledConfig();
    const kinds = [...text.matchAll(/^ +(\w+)_configs:/gm)].map(([, kind]) => kind);
    expect(kinds.filter((kind) => kind !== 'webhook')).toEqual(['pagerduty', 'opsgenie', 'slack', 'email']);
    expect(text).toMatch(/^ {2}smtp_smarthost:/m);
    const file = join(directory, 'filled.yml');
    writeFileSync(file, text);
    expect(amtool('check-config', file)).toContain('SUCCESS');
  });

  it('speaks of no alert and of no team that the rules do not have', () => {
    const rules = globSync('rules/alerts/*.yml', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));
    const config = readFileSync(CONFIG, 'utf8');
    const alerts = new Set(config.match(/\bGpu[A-Z]\w+/g));
    expect(alerts.size).toBeGreaterThan(5);
    expect([...alerts].filter((name) => !rules.some((text) => text.includes(`alert: ${name}\n`)))).toEqual([]);
    const teams = [...config.matchAll(/team="(\w+)"/g)].map(([, team]) => team);
    expect(teams.filter((team) => !rules.some((text) => text.includes(`team: ${team}\n`)))).toEqual([]);
  });
});
