/** /-/healthy, /-/ready and /-/reload, as Prometheus and Alertmanager have them. */
import { type RequestHandler, Router } from 'express';
import { Problem } from './problem.ts';
import type { EngineControl, EngineView } from './view.ts';

export function lifecycleRoutes(view: EngineView, control: EngineControl, guard: RequestHandler): Router {
  const router = Router();
  router.get('/-/healthy', (_req, res) => res.type('text/plain').send('gpu-uptime engine is healthy.\n'));
  router.get('/-/ready', (_req, res) => {
    if (!view.isReady()) throw new Problem(503, notReady(view), { backlog_ticks: view.backlogTicks() });
    res.type('text/plain').send('gpu-uptime engine is ready.\n');
  });
  router.post('/-/reload', guard, async (_req, res) => {
    const outcome = await control.reload();
    if (!outcome.ok)
      throw new Problem(422, 'the new configuration was refused and the last good one stays', {
        diagnostics: outcome.text,
      });
    res.json({ policy_revision: outcome.revision });
  });
  return router;
}

function notReady(view: EngineView): string {
  const failure = view.lastFailure();
  return failure === undefined ? 'still reading Prometheus history' : `still reading Prometheus history: ${failure}`;
}
