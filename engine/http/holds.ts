/** Operator holds: GET, POST /api/v1/holds and DELETE /api/v1/holds/{id}. Writes need credentials. */
import { randomUUID } from 'node:crypto';
import { type RequestHandler, Router } from 'express';
import { z } from 'zod';
import type { Hold } from '../core/hold.ts';
import type { Subject } from '../core/subject.ts';
import { Problem } from './problem.ts';
import { questionFor } from './question.ts';
import { parseBody } from './request.ts';
import type { EngineControl, EngineView } from './view.ts';

const MAX_HOLD_SECONDS = 90 * 24 * 3600;

const HOLD = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(1000),
  expires_in_seconds: z.number().positive().max(MAX_HOLD_SECONDS),
  capability: z.string().min(1).max(200).optional(),
  node: z.string().min(1).max(500).optional(),
  gpu: z.string().min(1).max(500).optional(),
});

export function holdRoutes(view: EngineView, control: EngineControl, guard: RequestHandler): Router {
  const router = Router();
  router.get('/api/v1/holds', (_req, res) => res.json({ holds: view.holds().map(holdEntry) }));
  router.post('/api/v1/holds', guard, async (req, res) => {
    const hold = holdFrom(view, parseBody(HOLD, req));
    await control.addHold(hold);
    res.status(201).json(holdEntry(hold));
  });
  router.delete('/api/v1/holds/:id', guard, async (req, res) => {
    const id = String(req.params.id);
    if (!(await control.removeHold(id))) throw new Problem(404, `there is no hold ${id}`);
    res.status(204).end();
  });
  return router;
}

function holdFrom(view: EngineView, body: z.output<typeof HOLD>): Hold {
  const { effect, owner, reason, capability } = body;
  const subject: Subject = questionFor(view, { node: body.node, gpu: body.gpu }).subject;
  const createdAtMs = view.now();
  const expiresAtMs = createdAtMs + body.expires_in_seconds * 1000;
  const hold = { id: randomUUID(), subject, effect, owner, reason, createdAtMs, expiresAtMs };
  return capability === undefined ? hold : { ...hold, capability };
}

export function holdEntry(hold: Hold): Record<string, unknown> {
  const { id, subject, capability, effect, owner, reason, createdAtMs, expiresAtMs } = hold;
  return {
    id,
    subject,
    capability: capability ?? null,
    effect,
    owner,
    reason,
    created_at: createdAtMs / 1000,
    expires_at: expiresAtMs / 1000,
  };
}
