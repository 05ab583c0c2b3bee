import { describe, expect, it } from 'vitest';
import { agentListPage } from '../../../engine/page/agent-list-page.ts';
import { agentPage, agentsPage } from '../../../engine/page/agents-page.ts';
import { type Page, renderPage } from '../../../engine/page/frame.ts';
import { pingDashboard } from '../../../engine/ping/dashboard.ts';
import { claim, HOUR, NOON_MS, POOR, pingPolicy, play, times, UNREACHABLE, UP } from '../core/ping/fixtures.ts';
import { AGENTS, EVIL, pingStats } from '../ping/shown-agents.ts';
import { anAgent } from '../store/ping-fixtures.ts';

const POLICY = pingPolicy();
const HOUR_OF_NOON = { hourMs: NOON_MS, outcome: 'good', pings: 990, answered: 990, roundTripMs: 11_880 } as const;
const TOTALS = [
  HOUR_OF_NOON,
  { ...HOUR_OF_NOON, outcome: 'unreachable', pings: 10, answered: 0, roundTripMs: 0 },
] as const;
const NOBODY = { isInFlight: () => false };
const SHOWN = { totals: TOTALS, stats: pingStats(), policy: POLICY, nowMs: NOON_MS + HOUR / 2 };
const FACTS = { agents: AGENTS, ...NOBODY, ...SHOWN };

function rendered(page: Page): string {
  return renderPage(page, '../');
}

/** An agent that was good, lied, was poor, and answers no more, with its history. */
function troubled() {
  const attempts = [UP, { reply: UP, observed: claim(0.998) }, { reply: UP, observed: claim(0.85, 0.3) }, POOR];
  const { state: played, steps } = play(POLICY, [...attempts, { reply: UP, observed: claim(0.85) }, UNREACHABLE]);
  const state = { ...played, clockSkewMs: -2500 };
  const history = steps.flatMap(({ record }) => record ?? []).reverse();
  const agent = anAgent('agent-001', { gpu: 'GPU-1', registeredAtMs: NOON_MS, updatedAtMs: NOON_MS + HOUR });
  return { agent, state, history, isInFlight: false, policy: POLICY, nowMs: (state.lastAttemptAtMs ?? 0) + 1000 };
}

describe('agentsPage', () => {
  it('shows how all agents fare, the worst of them, and whose word is doubtful', async () => {
    await expect(rendered(agentsPage(pingDashboard(FACTS)))).toMatchFileSnapshot('golden/agents.html');
  });

  it('says so when the engine suspects itself', () => {
    const stats = pingStats({ isSuspect: true, suspectSinceMs: NOON_MS });
    const text = rendered(agentsPage(pingDashboard({ ...FACTS, stats })));
    expect(text).toMatch(
      /The engine suspects itself<.strong> since <time[^>]*>2023-11-14 12:00:00 UTC<.time>, because/,
    );
    expect(text).toContain('until a whole 5m has passed in which most did not');
    expect(rendered(agentsPage(pingDashboard(FACTS)))).not.toContain('suspects itself');
  });

  it('shows an engine without agents, and one that leaves pings to others', async () => {
    const stats = pingStats({ isScheduling: false, waiting: 0, inFlight: 0, lagMs: undefined, worstLagMs: undefined });
    const page = agentsPage(pingDashboard({ ...FACTS, agents: [], totals: [], stats }));
    await expect(rendered(page)).toMatchFileSnapshot('golden/no-agents.html');
  });
});

describe('agentPage', () => {
  it.each([
    [{ seenAtMs: undefined, isUnseen: false }, 'both', 'has not known a GPU of it so far'],
    [{ seenAtMs: NOON_MS, isUnseen: false }, 'both', 'knew its GPUs at <time'],
    [{ seenAtMs: NOON_MS, isUnseen: true }, 'both', 'has known no GPU of it since <time'],
    [{ seenAtMs: NOON_MS, isUnseen: true }, 'prometheus', 'href="runbooks/GpuAgentUnseen"'],
    [{ seenAtMs: NOON_MS, isUnseen: false }, 'agent', 'is not asked (ping.evidence: agent)'],
  ] as const)('says whether Prometheus knows its GPUs: %j with evidence of %s', (sight, evidence, text) => {
    const agent = troubled();
    const page = rendered(
      agentPage({ ...agent, state: { ...agent.state, ...sight }, policy: pingPolicy({ evidence }) }),
    );
    expect(page.split('<dt>Prometheus</dt>')[1]?.split('<dt>')[0]).toContain(text);
  });

  it('shows how an agent stands, why, what is next, and what its pings came to', async () => {
    await expect(rendered(agentPage(troubled()))).toMatchFileSnapshot('golden/agent.html');
  });

  it.each([
    [undefined, 'not known: no answer has told it yet'],
    [-999, 'agrees with the engine&#39;s to the second'],
    [90_000, '1m30s ahead of the engine&#39;s'],
  ])('says that a clock that is off by %s ms %s', (clockSkewMs, text) => {
    const agent = troubled();
    expect(rendered(agentPage({ ...agent, state: { ...agent.state, clockSkewMs } }))).toContain(
      `<dt>clock</dt><dd>${text}</dd>`,
    );
  });

  it('shows the interval that an agent is paid at where it is looked at more often', () => {
    const policy = pingPolicy({ observe: 'base' });
    const { state } = play(policy, [UP, ...times(3, POOR)]);
    const text = rendered(agentPage({ ...troubled(), state, policy, nowMs: state.lastPingAtMs ?? 0 }));
    expect(text).toContain('<dt>interval</dt><dd>1h, which ends at <time');
  });

  it('makes nothing of what an agent says but text', () => {
    const [evil] = AGENTS.filter(({ agent }) => agent.id === 'agent-evil');
    const text = rendered(agentPage({ ...troubled(), history: [], ...evil }));
    expect(text).not.toMatch(/<(img|script)/);
    expect(text).toContain(EVIL.replace(/[&<>"']/g, (sign) => `&${NAMES[sign]};`));
  });
});

const NAMES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' };

describe('agentListPage', () => {
  const list = { ...NOBODY, agents: AGENTS, total: 1200, next: 'agent-not asked', nowMs: NOON_MS + HOUR / 2 };

  it('lists agents, and leads to the next page of the same list', async () => {
    const query = { q: EVIL, status: 'poor', after: 'agent-a', limit: '8' };
    await expect(rendered(agentListPage({ ...list, query }))).toMatchFileSnapshot('golden/agent-list.html');
  });

  it('says of an agent that is being asked that it is, and not that it is late', () => {
    const late = { ...list, nowMs: NOON_MS + 900 * HOUR, query: {} };
    expect(rendered(agentListPage(late))).not.toContain('being asked');
    const text = rendered(agentListPage({ ...late, isInFlight: () => true }));
    expect(text.match(/being asked/g)).toHaveLength(AGENTS.length);
    expect(text).not.toContain('due for');
  });

  it('ends with its last page', () => {
    const text = rendered(agentListPage({ ...list, agents: [], total: 0, next: undefined, query: {} }));
    expect(text).toContain('<p>0 agents match</p>');
    expect(text).not.toMatch(/<table>|>more</);
  });
});
