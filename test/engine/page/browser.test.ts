/** The pages as a person meets them: in a real browser, on a phone, with labels that try to be more than text. */
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import type { GroupStatus } from '../../../engine/rules/status.ts';
import { startBrowser } from '../../servers/browser.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { activeAlert, alerting, group, recording } from '../http/rule-groups.ts';
import { serve } from '../http/serving.ts';

const FLEET = play(planOf(), times(3, { 'a/0': 'up' }));
const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function openPhone(context: TestContext, groups: readonly GroupStatus[]) {
  const browser = await startBrowser(context);
  endings.push(() => browser.close());
  const serving = await serve({ fleet: FLEET, ruleGroups: groups });
  endings.push(() => serving.close());
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, baseURL: serving.url });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const isTooWide = () => page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
  return { page, complaints, isTooWide };
}

describe('on a phone', () => {
  it('an alert leads from the list to its evidence and its rule, without scrolling sideways', async (context) => {
    const { page, isTooWide } = await openPhone(context, [group('gpu', [alerting(), recording()])]);
    await page.goto('/alerts');
    expect(await isTooWide()).toBe(false);
    await page.getByRole('link', { name: 'GpuThermalCritical' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('firing critical GpuThermalCritical');
    expect(await page.getByText('gpu 3 on node-1: 91 °C > 85 °C').isVisible()).toBe(true);
    expect(await page.getByRole('link', { name: 'https://example.com/hot' }).getAttribute('href')).toBe(
      'https://example.com/hot',
    );
    expect(await isTooWide()).toBe(false);
    await page.getByRole('link', { name: 'rules' }).click();
    await page.getByRole('link', { name: 'node:temperature:max' }).click();
    expect(await page.getByText('max by (node) (temperature)').first().isVisible()).toBe(true);
    expect(await isTooWide()).toBe(false);
  });

  it('what a label or an annotation holds is only ever text', async (context) => {
    const evil = `"><img src=x onerror="alert('in')"><script>alert('in')</script>${'long'.repeat(200)}`;
    const alert = activeAlert({
      name: evil,
      labels: { [evil]: evil },
      annotations: { summary: evil, runbook_url: evil },
    });
    const { page, complaints, isTooWide } = await openPhone(context, [group('gpu', [alerting({ alerts: [alert] })])]);
    for (const path of ['/alerts', '/alerts/00000000deadbeef']) {
      await page.goto(path);
      expect(await page.locator('img, script').count()).toBe(0);
      expect(await page.getByText(evil).first().isVisible()).toBe(true);
      expect([path, await isTooWide()]).toEqual([path, false]);
    }
    expect(complaints).toEqual([]);
  });
});
