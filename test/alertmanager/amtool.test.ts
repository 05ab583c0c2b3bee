import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const AMTOOL = 'amtool';
const ROOT = join(import.meta.dirname, '../..');
const CONFIG = join(ROOT, 'alertmanager/alertmanager.yml');
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
    expect(amtool('check-config', CONFIG)).toContain('3 receivers');
  });

  it.runIf(isThere).each([
    [['severity=critical'], 'on-call'],
    [['severity=warning'], 'team'],
    [['severity=info'], 'terminal'],
    [[], 'terminal'],
  ])('routes %j to %s', (labels, receiver) => {
    expect(amtool('config', 'routes', 'test', `--config.file=${CONFIG}`, 'alertname=GpuHot', ...labels)).toBe(receiver);
  });

  it.runIf(isThere)('is valid with every receiver that waits in a comment', () => {
    const text = readFileSync(CONFIG, 'utf8').replace(/^( +)# (smtp_| *\w+_configs:| {2}.*)/gm, '$1$2');
    expect(text.match(/^ +(pagerduty|slack|email)_configs:/gm)).toHaveLength(3);
    expect(text).toMatch(/^ {2}smtp_smarthost:/m);
    const file = join(directory, 'filled.yml');
    writeFileSync(file, text);
    expect(amtool('check-config', file)).toContain('SUCCESS');
  });
});
