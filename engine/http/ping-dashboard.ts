/** GET /ping-system/dashboard: all agents at a glance, as JSON for programs and as a page for browsers. */
import { Router } from 'express';
import { agentsPage } from '../page/agents-page.ts';
import { type DivergentAgent, type PingDashboard, pingDashboard } from '../ping/dashboard.ts';
import type { Pings } from '../ping/pings.ts';
import { wantsPage } from './agent-pages.ts';
import { secondsOrNull } from './answers.ts';
import { sendPage } from './pages.ts';
import { agentEntry, evidenceEntry, fineSeconds, type Present, presentOf } from './ping-answers.ts';
import { withoutQuery } from './ping-request.ts';

const DAY_MS = 86_400_000;

export function dashboardRoutes(pings: Pings, now: () => number): Router {
  const router = Router();
  router.get('/ping-system/dashboard', async (req, res) => {
    withoutQuery(req);
    const nowMs = now();
    const dashboard = await dashboardOf(pings, nowMs);
    if (wantsPage({ req, res })) sendPage(res, agentsPage(dashboard));
    else res.json(dashboardAnswer(dashboard, presentOf(pings, nowMs)));
  });
  return router;
}

async function dashboardOf(pings: Pings, nowMs: number): Promise<PingDashboard> {
  const totals = await pings.totals(nowMs - DAY_MS);
  const agents = pings.registry.all();
  const isInFlight = (agentId: string) => pings.isInFlight(agentId);
  return pingDashboard({ agents, totals, stats: pings.stats(), isInFlight, policy: pings.policy(), nowMs });
}

function dashboardAnswer(dashboard: PingDashboard, present: Present): Record<string, unknown> {
  return {
    generated_at: dashboard.atMs / 1000,
    scheduler: dashboard.isScheduling ? 'engine' : 'external',
    suspect: dashboard.suspectSinceMs !== undefined,
    suspect_since: secondsOrNull(dashboard.suspectSinceMs),
    agents: {
      total: dashboard.total,
      by_status: dashboard.byStatus,
      due: dashboard.due,
      in_flight: dashboard.inFlight,
      escalated: dashboard.escalated,
      never_pinged: dashboard.byStatus.never_pinged,
    },
    lag_seconds: fineSeconds(dashboard.lagMs),
    worst_lag_seconds: fineSeconds(dashboard.worstLagMs),
    pings_24h: {
      total: dashboard.day.total,
      by_outcome: dashboard.day.byOutcome,
      mean_round_trip_seconds: fineSeconds(dashboard.day.meanRoundTripMs),
    },
    next_due_at: secondsOrNull(dashboard.nextDueAtMs),
    worst: dashboard.worst.map((registered) => agentEntry(registered, present)),
    divergent: dashboard.divergent.map((agent) => divergentEntry(agent, present)),
  };
}

function divergentEntry({ entry: { agent }, evidence }: DivergentAgent, { policy }: Present): Record<string, unknown> {
  return { agent_id: agent.id, node: agent.node, ...evidenceEntry(evidence, policy) };
}
