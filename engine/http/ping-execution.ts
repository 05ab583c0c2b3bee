/** Pinging an agent now, and what its pings came to: POST /ping-system/agents/{id}/ping and GET …/history. */
import { type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import type { PingPolicy } from '../core/ping/policy.ts';
import type { PingRecord } from '../core/ping/state.ts';
import type { Pings } from '../ping/pings.ts';
import { presentOf, recordEntry } from './ping-answers.ts';
import { agentId, agentOf, goneSignal, LIMIT, withoutQuery } from './ping-request.ts';
import { pingedAnswer, pingOf } from './pinged-answer.ts';
import { Problem } from './problem.ts';
import { parseQuery } from './request.ts';

const HOUR_MS = 3_600_000;

export function pingRoutes(pings: Pings, guard: RequestHandler, now: () => number): Router {
  const router = Router();
  router.post('/ping-system/agents/:agent_id/ping', guard, async (req, res) => {
    withoutQuery(req);
    withoutBody(req);
    const id = agentId(req);
    const ping = pingOf(await pings.pingNow(id, goneSignal(res)), id);
    res.json(pingedAnswer(ping, presentOf(pings, now())));
  });
  router.get('/ping-system/agents/:agent_id/history', async (req, res) => res.json(await history(pings, now(), req)));
  return router;
}

const EMPTY = z.strictObject({}).optional();

function withoutBody(req: Request): void {
  if (!EMPTY.safeParse(req.body).success) throw new Problem(400, 'a ping takes no body; send none');
}

async function history(pings: Pings, nowMs: number, req: Request): Promise<Record<string, unknown>> {
  const { id } = agentOf(pings, agentId(req)).agent;
  const { hours, limit, before } = parseQuery(historyQuery(pings.policy()), req);
  const span = { fromMs: nowMs - hours * HOUR_MS, toMs: Number.MAX_SAFE_INTEGER };
  // One more than asked for tells whether there is another page.
  const found = await pings.history({ agentId: id, ...span, before, limit: limit + 1 });
  const records = found.slice(0, limit);
  const next = found.length > records.length ? cursorOf(records.at(-1)) : null;
  const policy = pings.policy();
  const entries = records.map((record) => recordEntry(record, policy));
  return { agent_id: id, hours, count: entries.length, next, pings: entries };
}

const CURSOR = /^(\d{1,15})\.(\d{1,15})$/;
const CURSOR_FIX = 'write the `next` of the page before';

/** Where a page ends; the next one begins below it, whatever was pinged since. */
function cursorOf(record: PingRecord | undefined): string | null {
  return record === undefined ? null : `${record.atMs}.${record.sequence}`;
}

function historyQuery({ historyMs }: Pick<PingPolicy, 'historyMs'>) {
  const most = historyMs / HOUR_MS;
  return z.strictObject({ hours: hoursUpTo(most), limit: LIMIT, before: BEFORE });
}

function hoursUpTo(most: number) {
  const fix = `write a number of hours above 0, at most ${most}: older pings are forgotten`;
  return z
    .string({ error: fix })
    .regex(/^\d{1,6}(\.\d{1,6})?$/, fix)
    .transform(Number)
    .refine((hours) => hours > 0 && hours <= most, fix)
    .prefault(String(Math.min(24, most)));
}

const BEFORE = z
  .string({ error: CURSOR_FIX })
  .regex(CURSOR, CURSOR_FIX)
  .transform((text) => {
    const [, atMs, sequence] = CURSOR.exec(text) ?? [];
    return { atMs: Number(atMs), sequence: Number(sequence) };
  })
  .optional();
