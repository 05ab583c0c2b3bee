/** The registry of agents: register, list, show, remove, and who is due. */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { AgentPage } from '../ping/agent-index.ts';
import { AGENT_STATUSES } from '../ping/agent-status.ts';
import type { Pings } from '../ping/pings.ts';
import type { Registered } from '../ping/registry.ts';
import { sendAgent, sendAgentList, wantsPage } from './agent-pages.ts';
import { type Credentials, isOperator, operatorsWay, requireRegistration } from './credentials.ts';
import { agentEntry, type Present, presentOf, schedulerOf } from './ping-answers.ts';
import { agentId, agentOf, type Exchange, ID_FIX, LIMIT, withoutQuery } from './ping-request.ts';
import { unknownAgent } from './pinged-answer.ts';
import { Problem } from './problem.ts';
import { parseQuery } from './request.ts';

const LIST = z.strictObject({
  capability: z.string({ error: 'write one capability' }).min(1, 'write a capability').max(128).optional(),
  status: z.enum(AGENT_STATUSES, { error: `write one of ${AGENT_STATUSES.join(', ')}` }).optional(),
  q: z.string({ error: 'write one text' }).min(1, 'write what to search for').max(200).optional(),
  due: z.literal('true', { error: 'write true, or leave it out' }).optional(),
  limit: LIMIT,
  after: z.string({ error: 'write one agent_id' }).min(1, ID_FIX).max(128, ID_FIX).optional(),
});

const DUE = z.strictObject({ limit: LIMIT });

export function agentRoutes(pings: Pings, credentials: Credentials, now: () => number): Router {
  const router = Router();
  const guard = requireRegistration(credentials);
  const exchange = (req: Request, res: Response): Exchange => ({ req, res, nowMs: now() });
  router.post('/ping-system/agents/register', guard, (req, res) => register(pings, exchange(req, res)));
  router.get('/ping-system/agents', (req, res) => list(pings, exchange(req, res)));
  router.get('/ping-system/agents/due-for-ping', (req, res) => dueForPing(pings, exchange(req, res)));
  router.get('/ping-system/agents/:agent_id', (req, res) => show(pings, exchange(req, res)));
  router.delete('/ping-system/agents/:agent_id', guard, async (req, res) => {
    withoutQuery(req);
    await remove(pings, credentials, req);
    res.status(204).end();
  });
  return router;
}

async function register(pings: Pings, { req, res, nowMs }: Exchange): Promise<void> {
  withoutQuery(req);
  if (req.body === undefined) throw new Problem(415, 'send a JSON body with content-type: application/json');
  const registered = await pings.registry.register(req.body, ownToken(req));
  const answer = registeredAnswer(registered, presentOf(pings, nowMs));
  res.setHeader('cache-control', 'no-store');
  if (registered.kind === 'registered') res.status(201).location(`/ping-system/agents/${registered.agent.id}`);
  res.json(answer);
}

function registeredAnswer(registered: Registered, present: Present): Record<string, unknown> {
  switch (registered.kind) {
    case 'registered': {
      const agent = agentEntry(registered, present);
      return { result: registered.kind, agent_token: registered.token, agent };
    }
    case 'changed':
    case 'unchanged':
      return { result: registered.kind, agent: agentEntry(registered, present) };
    case 'invalid': {
      const { problems } = registered;
      const text = problems.map(({ field, problem }) => `${field === '' ? 'the body' : field}: ${problem}`).join('; ');
      throw new Problem(400, `the registration is not valid: ${text}`, { errors: problems });
    }
    case 'not_owner':
      throw new Problem(403, `${registered.reason}; it travels in the header Agent-Token`);
    case 'taken':
      throw new Problem(409, `${registered.reason}; the token travels in the header Agent-Token`);
    case 'full':
      throw new Problem(507, registered.reason);
  }
}

/** The secret that says an agent is one's own. */
function ownToken(req: Request): string | undefined {
  return req.get('agent-token') || undefined;
}

function list(pings: Pings, exchange: Exchange): void {
  const { req, res, nowMs } = exchange;
  const { capability, status, q, due, limit, after } = parseQuery(LIST, req);
  const filter = { capability, outcome: status, text: q, dueAtMs: due === undefined ? undefined : nowMs };
  const page = pings.registry.page(filter, { limit, after });
  if (wantsPage(exchange)) sendAgentList(exchange, pings, page);
  else res.json(listAnswer(page, presentOf(pings, nowMs)));
}

function listAnswer({ total, next, agents }: AgentPage, present: Present): Record<string, unknown> {
  const entries = agents.map((registered) => agentEntry(registered, present));
  return { total, count: entries.length, next: next ?? null, agents: entries };
}

async function show(pings: Pings, exchange: Exchange): Promise<void> {
  const { req, res, nowMs } = exchange;
  withoutQuery(req);
  const registered = agentOf(pings, agentId(req));
  if (wantsPage(exchange)) await sendAgent(exchange, pings, registered);
  else res.json(agentEntry(registered, presentOf(pings, nowMs)));
}

function dueForPing(pings: Pings, { req, res, nowMs }: Exchange): void {
  const { limit } = parseQuery(DUE, req);
  const overdue = pings.registry.due(nowMs, Number.POSITIVE_INFINITY);
  const due = overdue.filter(({ agent }) => !pings.isInFlight(agent.id));
  const present = presentOf(pings, nowMs);
  const agents = due.slice(0, limit).map((registered) => agentEntry(registered, present));
  res.json({ total: due.length, count: agents.length, agents, scheduler: schedulerOf(pings) });
}

/** A token that is shown is what counts; without one the operator's word does. */
async function remove(pings: Pings, credentials: Credentials, req: Request): Promise<void> {
  const id = agentId(req);
  const token = ownToken(req);
  const authority = token === undefined ? isOperator(credentials, req) && 'operator' : { token };
  if (authority === false)
    throw new Problem(
      403,
      `send the token of its registration in the header Agent-Token; ${operatorsWay(credentials)}`,
    );
  const outcome = await pings.registry.remove(id, authority);
  if (outcome === 'unknown') throw unknownAgent(id);
  if (outcome === 'not_owner')
    throw new Problem(
      403,
      `the header Agent-Token is not the token that ${id} was given; ${operatorsWay(credentials)}`,
    );
}
