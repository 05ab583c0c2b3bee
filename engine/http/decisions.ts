/** POST /api/v1/decisions/delay: always 200 with the whole answer; only our own faults are 5xx. */
import { Router } from 'express';
import { z } from 'zod';
import { explain } from '../core/explain.ts';
import { wholeAnswer } from './answers.ts';
import { questionFor } from './question.ts';
import { parseBody } from './request.ts';
import type { EngineView } from './view.ts';

const DELAY = z.strictObject({
  capability: z.string().min(1).max(200).default('default'),
  node: z.string().min(1).max(500).optional(),
  gpu: z.string().min(1).max(500).optional(),
  request_id: z.string().max(500).optional(),
});

export function decisionRoutes(view: EngineView): Router {
  const router = Router();
  router.post('/api/v1/decisions/delay', (req, res) => {
    const { request_id: requestId, ...filters } = parseBody(DELAY, req);
    const question = questionFor(view, filters);
    const judged = view.judged();
    const answer = wholeAnswer(judged, question, explain(judged.plan, judged.state, question));
    res.json(requestId === undefined ? answer : { ...answer, request_id: requestId });
  });
  return router;
}
