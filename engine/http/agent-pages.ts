/** Agents as pages, where a browser asks for what programs get as JSON. */
import { z } from 'zod';
import { agentListPage } from '../page/agent-list-page.ts';
import { agentPage } from '../page/agents-page.ts';
import type { AgentPage, RegisteredAgent } from '../ping/agent-index.ts';
import type { Pings } from '../ping/pings.ts';
import { sendPage } from './pages.ts';
import type { Exchange } from './ping-request.ts';

const SHOWN_MS = 24 * 3_600_000;
const MOST_SHOWN = 100;

/** Whether a browser asks. */
export function wantsPage({ req, res }: Pick<Exchange, 'req' | 'res'>): boolean {
  res.vary('Accept');
  return req.accepts(['json', 'html']) === 'html';
}

// The request has been parsed strictly before: each parameter stands there once.
const QUERY = z.record(z.string(), z.string());

export function sendAgentList({ req, res, nowMs }: Exchange, pings: Pings, page: AgentPage): void {
  const isInFlight = (agentId: string) => pings.isInFlight(agentId);
  sendPage(res, agentListPage({ ...page, query: QUERY.parse(req.query), nowMs, isInFlight }));
}

export async function sendAgent({ res, nowMs }: Exchange, pings: Pings, shown: RegisteredAgent): Promise<void> {
  const span = { fromMs: nowMs - SHOWN_MS, toMs: Number.MAX_SAFE_INTEGER };
  const history = await pings.history({ agentId: shown.agent.id, ...span, before: undefined, limit: MOST_SHOWN });
  const isInFlight = pings.isInFlight(shown.agent.id);
  sendPage(res, agentPage({ ...shown, nowMs, isInFlight, policy: pings.policy(), history }));
}
