/** The pages about agents as a person meets them: in a real browser, on a phone, with agents that try to be more than text. */
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { startBrowser } from '../../servers/browser.ts';
import { NO_GPU, UNREACHABLE } from '../core/ping/fixtures.ts';
import { servePings } from '../http/ping-serving.ts';
import { registered } from '../ping/registry-fixtures.ts';
import { EVIL } from '../ping/shown-agents.ts';

const LONG = 'long'.repeat(100);

/** An engine with an agent that lost its GPU, one that was never reached, and a phone beside it. */
async function openPhone(context: TestContext) {
  const browser = await startBrowser(context);
  onTestFinished(() => browser.close());
  const { url, registry, fake, clock } = await servePings();
  await registered(registry, { agent_id: 'agent-001', metadata: { gpu_model: EVIL, note: LONG } });
  await registered(registry, { agent_id: 'agent-gone', metadata: { node: EVIL } });
  for (const answer of [NO_GPU, { kind: 'invalid', reason: `${EVIL}${LONG}` } as const, UNREACHABLE]) {
    fake.answer = answer;
    clock.nowMs += 3_600_000;
    await fake.pingNow('agent-001', new AbortController().signal);
  }
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, baseURL: url });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const isTooWide = () => page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
  return { page, complaints, isTooWide, fake };
}

describe('on a phone', () => {
  it('leads from any page to all agents, to those of one outcome, and to one of them', async (context) => {
    const { page, isTooWide, complaints } = await openPhone(context);
    await page.goto('/alerts');
    await page.getByRole('link', { name: 'agents' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Agents');
    expect(await page.getByText('2, of which 0 above the base interval').isVisible()).toBe(true);
    expect(await isTooWide()).toBe(false);
    await page.getByRole('row', { name: 'no gpu' }).getByRole('link').click();
    expect(await page.getByText('1 agent matches status=no_gpu').isVisible()).toBe(true);
    expect(await isTooWide()).toBe(false);
    await page.getByRole('link', { name: 'agent-001' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('no gpu agent-001');
    expect(await page.getByText('a failure is being confirmed, asked 2 times so far').isVisible()).toBe(true);
    expect(await isTooWide()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('shows times and badges on one line, and every reason without going sideways', async (context) => {
    const { page } = await openPhone(context);
    await page.goto('/ping-system/agents/agent-001');
    const lines = await page.evaluate(
      '[...document.querySelectorAll("time, .badge")].map((e) => e.getClientRects().length)',
    );
    expect(new Set(lines as readonly number[])).toEqual(new Set([1]));
    for (const path of ['/ping-system/agents', '/ping-system/dashboard', '/ping-system/agents/agent-001']) {
      await page.goto(path);
      const widths = await page.evaluate(
        '[...document.querySelectorAll(".scroll")].map((e) => e.scrollWidth - e.clientWidth)',
      );
      expect([path, ...(widths as readonly number[])].slice(1).filter((more) => more !== 0)).toEqual([]);
    }
  });

  it('finds agents by what is typed', async (context) => {
    const { page } = await openPhone(context);
    await page.goto('/ping-system/dashboard');
    await page.getByRole('searchbox').fill('GONE');
    await page.getByRole('button', { name: 'Search' }).click();
    expect(await page.getByText('1 agent matches').isVisible()).toBe(true);
    expect(await page.getByRole('searchbox').inputValue()).toBe('GONE');
    expect(await page.getByRole('link', { name: 'agent-gone' }).count()).toBe(1);
  });

  it('shows the suspicion of the engine above everything', async (context) => {
    const { page, fake, isTooWide } = await openPhone(context);
    fake.figures = { isSuspect: true, suspectSinceMs: 1_767_614_400_000 };
    await page.goto('/ping-system/dashboard');
    expect(await page.getByText('The engine suspects itself').isVisible()).toBe(true);
    expect(await isTooWide()).toBe(false);
  });

  it('what an agent says is only ever text, and nothing is fetched for it', async (context) => {
    const { page, complaints, isTooWide } = await openPhone(context);
    const fetched: string[] = [];
    page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
    const paths = ['/ping-system/dashboard', '/ping-system/agents', '/ping-system/agents/agent-001'];
    for (const path of paths) {
      const response = await page.goto(path);
      expect(response?.headers()['content-security-policy']).toContain("default-src 'none'");
      expect(await page.locator('img, script').count()).toBe(0);
      expect([path, await isTooWide()]).toEqual([path, false]);
    }
    expect(await page.getByText(EVIL).first().isVisible()).toBe(true);
    expect(fetched).toEqual(paths);
    expect(complaints).toEqual([]);
  });

  it('loads pages about agents again by itself, without a script', async (context) => {
    const { page } = await openPhone(context);
    for (const path of ['/ping-system/dashboard', '/ping-system/agents', '/ping-system/agents/agent-001']) {
      await page.goto(path);
      expect(await page.locator('meta[http-equiv=refresh]').getAttribute('content')).toBe('30');
    }
    await page.goto('/alerts');
    expect(await page.locator('meta[http-equiv=refresh]').count()).toBe(0);
  });
});
