/** The pages as a person meets them: in a real browser, on a phone, with labels that try to be more than text. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import type { GroupStatus } from '../../../engine/rules/status.ts';
import { ROOT } from '../../docs/documents.ts';
import { startBrowser } from '../../servers/browser.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { activeAlert, alerting, group, recording } from '../http/rule-groups.ts';
import { serve } from '../http/serving.ts';

const FLEET = play(planOf(), times(3, { 'a/0': 'up' }));
const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

interface Visit {
  readonly groups: readonly GroupStatus[];
  readonly runbooks?: Readonly<Record<string, string>>;
  /** Where a proxy has put the engine. */
  readonly prefix?: string;
}

async function openPhone(context: TestContext, { groups, runbooks = {}, prefix }: Visit) {
  const browser = await startBrowser(context);
  endings.push(() => browser.close());
  const serving = await serve({ fleet: FLEET, ruleGroups: groups, runbooks });
  endings.push(() => serving.close());
  const baseURL = prefix === undefined ? serving.url : await proxy(serving.url, prefix);
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, baseURL });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const isTooWide = () => page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
  return { page, complaints, isTooWide };
}

/** A proxy that shows the engine under a prefix, strips it, and knows nothing else. */
async function proxy(engineUrl: string, prefix: string): Promise<string> {
  const server = createServer(async (req, res) => {
    const path = req.url?.startsWith(`${prefix}/`) === true ? req.url.slice(prefix.length) : undefined;
    if (path === undefined) return res.writeHead(404).end('not of the engine');
    const answer = await fetch(`${engineUrl}${path}`);
    const type = answer.headers.get('content-type') ?? '';
    return res.writeHead(answer.status, { 'content-type': type }).end(await answer.text());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  endings.push(async () => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('on a phone', () => {
  it('an alert leads from the list to its evidence and its rule, without scrolling sideways', async (context) => {
    const { page, isTooWide } = await openPhone(context, { groups: [group('gpu', [alerting(), recording()])] });
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

  it('an alert leads to its runbook, and that to another', async (context) => {
    const text = (name: string) => readFileSync(join(ROOT, `rules/runbooks/${name}.md`), 'utf8');
    const runbooks = { GpuXidHardDown: text('GpuXidHardDown'), GpuRowRemapPending: text('GpuRowRemapPending') };
    const alert = activeAlert({ annotations: { runbook_url: 'rules/runbooks/GpuXidHardDown.md' } });
    const groups = [group('gpu', [alerting({ alerts: [alert] })])];
    const { page, isTooWide } = await openPhone(context, { groups, runbooks });
    await page.goto('/alerts/00000000deadbeef');
    await page.getByRole('link', { name: 'rules/runbooks/GpuXidHardDown.md' }).click();
    expect(await page.getByRole('heading').allTextContents()).toEqual([
      'GpuXidHardDown',
      'What it means',
      'First checks',
      'Fix',
      'When it clears',
    ]);
    expect(await isTooWide()).toBe(false);
    await page.getByRole('link', { name: 'GpuRowRemapPending' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('GpuRowRemapPending');
  });

  it.for([undefined, '/gpu/uptime'])('every link works behind the prefix %s', async (prefix, context) => {
    const alert = activeAlert({ annotations: { runbook_url: 'rules/runbooks/GpuXidHardDown.md' } });
    const groups = [group('gpu', [alerting({ alerts: [alert] }), recording()])];
    const runbooks = { GpuXidHardDown: '# Down' };
    const { page } = await openPhone(context, { groups, runbooks, ...(prefix !== undefined && { prefix }) });
    const seen = new Set<string>();
    const next = [`${prefix ?? ''}/alerts/00000000deadbeef`];
    for (let path = next.pop(); path !== undefined; path = next.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const response = await page.goto(path);
      expect([path, response?.status()]).toEqual([path, 200]);
      const links = await page.locator('a').evaluateAll((all) => all.map((link) => String(Reflect.get(link, 'href'))));
      const origin = new URL(page.url()).origin;
      next.push(...links.filter((link) => link.startsWith(origin)).map((link) => link.slice(origin.length)));
    }
    const paths = ['/', '/alerts', '/alerts/00000000deadbeef', '/rules', '/rules/rule-hot', '/rules/rule-max'];
    const expected = [...paths, '/runbooks/GpuXidHardDown'].map((path) => `${prefix ?? ''}${path}`);
    expect([...seen]).toEqual(expect.arrayContaining(expected));
  });

  it('what a label or an annotation holds is only ever text', async (context) => {
    const evil = `"><img src=x onerror="alert('in')"><script>alert('in')</script>${'long'.repeat(200)}`;
    const alert = activeAlert({
      name: evil,
      labels: { [evil]: evil },
      annotations: { summary: evil, runbook_url: evil },
    });
    const groups = [group('gpu', [alerting({ alerts: [alert] })])];
    const { page, complaints, isTooWide } = await openPhone(context, { groups });
    for (const path of ['/alerts', '/alerts/00000000deadbeef']) {
      await page.goto(path);
      expect(await page.locator('img, script').count()).toBe(0);
      expect(await page.getByText(evil).first().isVisible()).toBe(true);
      expect([path, await isTooWide()]).toEqual([path, false]);
    }
    expect(complaints).toEqual([]);
  });
});
