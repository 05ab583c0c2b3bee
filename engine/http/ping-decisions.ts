/** For outside schedulers: whether to ping an agent now, and how to hand in what came of it. */
import { type RequestHandler, Router } from 'express';
import { intervalReason } from '../core/ping/interval-reason.ts';
import { spanOf } from '../core/ping/judge.ts';
import type { RegisteredAgent } from '../ping/agent-index.ts';
import { questionUrl } from '../ping/client.ts';
import type { Pings } from '../ping/pings.ts';
import { type Present, presentOf, recoveryEntry } from './ping-answers.ts';
import { agentId, agentOf, goneSignal, withoutQuery } from './ping-request.ts';
import { handedInBy } from './ping-result.ts';
import { pingedAnswer, pingOf } from './pinged-answer.ts';
import type { EngineView } from './view.ts';

interface PingDecisionParts {
  readonly pings: Pings;
  readonly view: Pick<EngineView, 'now'>;
  readonly guard: RequestHandler;
}

export function pingDecisionRoutes({ pings, view, guard }: PingDecisionParts): Router {
  const router = Router();
  router.get('/api/v1/decisions/ping/:agent_id', (req, res) => {
    withoutQuery(req);
    const decision = decisionOf(agentOf(pings, agentId(req)), presentOf(pings, view.now()));
    res.json({ ...decision, policy_revision: pings.policy().revision });
  });
  router.post('/api/v1/decisions/ping/:agent_id/ping-result', guard, async (req, res) => {
    withoutQuery(req);
    const id = agentId(req);
    const ping = pingOf(await pings.handIn(id, handedInBy(req), goneSignal(res)), id);
    const answer = pingedAnswer(ping, presentOf(pings, view.now()));
    res.json({ ...answer, duplicate: ping.kind === 'duplicate' });
  });
  return router;
}

/** Follows from the agent's state, the policy and the instant, and from nothing else. */
function decisionOf(registered: RegisteredAgent, present: Present): Record<string, unknown> {
  const { agent, state } = registered;
  const { nowMs, policy } = present;
  const waitMs = Math.max(0, state.nextDueAtMs - nowMs);
  // A ping that waits is about the time until it runs.
  const span = spanOf(policy, state, nowMs + waitMs);
  return {
    agent_id: agent.id,
    ping_now: waitMs === 0,
    next_ping_at: state.nextDueAtMs / 1000,
    wait_seconds: waitMs / 1000,
    interval_seconds: state.intervalMs / 1000,
    reason: intervalReason(policy, state),
    consecutive_poor: state.consecutivePoor,
    recovery: recoveryEntry(registered, present),
    question: {
      url: questionUrl(agent.url, state.cursor),
      cursor: state.cursor === undefined ? null : { since: state.cursor.seq, boot_id: state.cursor.bootId },
    },
    span: span === undefined ? null : { from: span.fromMs / 1000, to: span.toMs / 1000 },
  };
}
