/** The documented endpoints: /gpu/uptime, /gpu/payment-delays, /gpu/monitoring/summary, /gpu/check-payment-delay. */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { explain } from '../core/explain.ts';
import { alertEntry, alertsAbout } from './alerts.ts';
import { delayEntry, unixSeconds, uptimeSummary } from './answers.ts';
import { delaysOf } from './delays.ts';
import { type Filters, questionFor } from './question.ts';
import { parseBody, parseQuery } from './request.ts';
import { monitoringSummary } from './summary.ts';
import type { EngineView } from './view.ts';

const FILTERS = z.strictObject({
  capability: z.string().min(1).max(200).optional(),
  node: z.string().min(1).max(500).optional(),
  gpu: z.string().min(1).max(500).optional(),
});

const CHECK = FILTERS.extend({ request_id: z.string().max(500).optional() });

export function gpuRoutes(view: EngineView): Router {
  const router = Router();
  router.get('/gpu/uptime', (req, res) => res.json(uptime(view, filtersOf(req))));
  router.get('/gpu/payment-delays', (req, res) => res.json(paymentDelays(view, filtersOf(req))));
  router.get('/gpu/monitoring/summary', (req, res) => res.json(monitoringSummary(view, filtersOf(req))));
  router.post('/gpu/check-payment-delay', (req, res) => checkPaymentDelay(view, req, res));
  return router;
}

function filtersOf(req: Request): Filters {
  return parseQuery(FILTERS, req);
}

function uptime(view: EngineView, filters: Filters): Record<string, unknown> {
  const { plan, state } = view.judged();
  const question = questionFor(view, filters);
  const { status, figures } = explain(plan, state, question);
  return {
    timestamp: unixSeconds(question.nowMs),
    overall_status: status,
    uptime_summary: uptimeSummary(figures),
    alerts: alertsAbout(view, question).map(alertEntry),
  };
}

function paymentDelays(view: EngineView, filters: Filters): Record<string, unknown> {
  const delays = delaysOf(view, filters).map(([question, explained]) => delayEntry(question, explained));
  return { timestamp: unixSeconds(view.now()), active_delays_count: delays.length, active_delays: delays };
}

/** Tests a request against the delay logic: always 200, and never a change. */
function checkPaymentDelay(view: EngineView, req: Request, res: Response): void {
  const { plan, state } = view.judged();
  const { outcome, reason } = explain(plan, state, questionFor(view, parseBody(CHECK, req)));
  const waitSeconds = Math.ceil(outcome.waitMs / 1000);
  if (!outcome.canProcess) res.setHeader('Retry-After', String(Math.max(1, waitSeconds)));
  res.json({ can_process: outcome.canProcess, wait_time_seconds: waitSeconds, reason });
}
