import { afterEach, describe, expect, it } from 'vitest';
import type { GroupStatus } from '../../../engine/rules/status.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { activeAlert, alerting, evaluation, group, recording, resolvedAlert } from './rule-groups.ts';
import { type Serving, serve } from './serving.ts';

const FLEET = play(planOf(), times(3, { 'a/0': 'up' }));
const serving: Serving[] = [];
afterEach(() => Promise.all(serving.splice(0).map((one) => one.close())));

const RUNBOOKS = { GpuThermalCritical: '# Hot\n\n1. `nvidia-smi -q`, see [more](GpuThermalWarning.md)' };

async function open(groups: readonly GroupStatus[], path: string) {
  const one = await serve({ fleet: FLEET, ruleGroups: groups, runbooks: RUNBOOKS });
  serving.push(one);
  const response = await fetch(`${one.url}${path}`);
  return {
    status: response.status,
    policy: response.headers.get('content-security-policy'),
    text: await response.text(),
  };
}

const GROUPS = [group('gpu', [alerting(), recording({ health: 'err', lastError: 'no answer' })])];

describe('the pages', () => {
  it.each([
    ['/alerts', 'GpuThermalCritical', 'gpu 3 on node-1: 91 °C &gt; 85 °C', 'href="alerts/00000000deadbeef"'],
    [
      '/alerts/00000000deadbeef',
      'firing critical',
      'temperature{zone=&quot;it&#39;s&quot;} &gt; 85',
      'https://example.com/hot',
    ],
    ['/rules', 'node:temperature:max', 'no answer', 'href="rules/rule-hot"'],
    ['/runbooks/GpuThermalCritical', '<h1>Hot</h1>', '<code>nvidia-smi -q</code>', 'href="runbooks/GpuThermalWarning"'],
    ['/rules/rule-hot', 'written in', 'rules/gpu.yml:7, group gpu', '13 ms'],
  ])('%s shows %s', async (path, ...texts) => {
    const { status, policy, text } = await open(GROUPS, path);
    expect([status, policy]).toEqual([200, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"]);
    for (const expected of texts) expect(text).toContain(expected);
  });

  it('say so when there is nothing to show', async () => {
    expect((await open([], '/alerts')).text).toContain('No alert is pending or firing.');
    expect((await open([], '/rules')).text).toContain('No rule files are loaded');
    const fresh = [group('gpu', [alerting({ evaluations: [], alerts: [] })], { lastAt: undefined })];
    expect((await open(fresh, '/rules/rule-hot')).text).toContain('has not been evaluated yet');
    expect((await open(fresh, '/rules')).text).toContain('not evaluated yet');
  });

  it('show an alert that is over, for as long as its end is remembered', async () => {
    const groups = [group('gpu', [alerting({ alerts: [], resolved: [resolvedAlert()] })])];
    const { status, text } = await open(groups, '/alerts/0000000000000bad');
    expect(status).toBe(200);
    expect(text).toContain('resolved critical');
    expect(text).toMatch(/<dt>over<\/dt><dd><time datetime="2026-01-01T12:03:00.000Z">/);
    expect(text).toContain('<span class="muted">55s</span>');
    expect((await open(groups, '/alerts')).text).toContain('No alert is pending or firing.');
  });

  it('explain an address whose alert is over', async () => {
    const { status, text } = await open(GROUPS, '/alerts/ffffffffffffffff');
    expect(status).toBe(404);
    expect(text).toContain('This alert is over, or was never here');
  });

  it.each([
    [
      'rules/runbooks/GpuThermalCritical.md',
      '<a href="runbooks/GpuThermalCritical">rules/runbooks/GpuThermalCritical.md</a>',
    ],
    ['rules/runbooks/../policy.yml', 'rules/runbooks/../policy.yml'],
    ['wiki/GpuThermalCritical.md', 'wiki/GpuThermalCritical.md'],
    ['https://example.com/hot', '<a href="https://example.com/hot">https://example.com/hot</a>'],
  ])('lead to the runbook %s', async (url, link) => {
    const alert = activeAlert({ annotations: { runbook_url: url } });
    const { text } = await open([group('gpu', [alerting({ alerts: [alert] })])], '/alerts/00000000deadbeef');
    expect(text).toContain(`<dt>runbook</dt><dd>${link}</dd>`);
  });

  it('say where a runbook that is not there would lie', async () => {
    const { status, text } = await open([], '/runbooks/%3Cimg%3E');
    expect(status).toBe(404);
    expect(text).toContain('No runbook for &lt;img&gt;');
    expect(text).toContain('RUNBOOKS_DIR');
  });

  it.each([
    ['/alerts', './'],
    ['/alerts/', '../'],
    ['/alerts/00000000deadbeef', '../'],
    ['/rules/rule-hot?a=/b/c', '../'],
    ['/runbooks/GpuThermalCritical', '../'],
  ])('find from %s to the root by %s', async (path, root) => {
    expect((await open(GROUPS, path)).text).toContain(`<base href="${root}">`);
  });

  it('never let a label, an annotation or an error become markup or a script', async () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
    const alert = activeAlert({
      name: evil,
      labels: { [evil]: evil, action: evil },
      annotations: { summary: evil, description: evil, runbook_url: 'javascript:alert(1)' },
    });
    const rule = alerting({
      alerts: [alert],
      lastError: evil,
      health: 'err',
      evaluations: [evaluation({ error: evil })],
    });
    const groups = [group(evil, [rule], { file: evil })];
    for (const path of ['/alerts', '/alerts/00000000deadbeef', '/rules', '/rules/rule-hot']) {
      const { text } = await open(groups, path);
      expect(text).not.toMatch(/<script|<img|href="javascript/);
    }
  });
});
