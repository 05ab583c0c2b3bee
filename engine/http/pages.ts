/** Pages for people: /alerts, /alerts/{fingerprint}, /rules, /rules/{rule_id} and /runbooks/{alert}. */
import { type Response, Router } from 'express';
import { alertPage, alertsPage, unknownAlertPage } from '../page/alert-page.ts';
import { type Page, renderPage } from '../page/frame.ts';
import { rulePage, rulesPage } from '../page/rule-page.ts';
import { runbookPage, unknownRunbookPage } from '../page/runbook-page.ts';
import { alertEvidence, ruleEvidence } from '../rules/evidence.ts';
import { Problem } from './problem.ts';
import type { EngineView } from './view.ts';

export function pageRoutes(view: EngineView): Router {
  const router = Router();
  router.get('/alerts', (_req, res) => {
    const alerts = view.ruleGroups().flatMap(({ rules }) => rules.flatMap(({ alerts: active }) => active));
    sendPage(res, alertsPage(alerts, view.now()));
  });
  router.get('/alerts/:fingerprint', (req, res) => {
    const evidence = alertEvidence(view.ruleGroups(), req.params.fingerprint, view.prometheusUrl);
    if (evidence === undefined) sendPage(res.status(404), unknownAlertPage());
    else sendPage(res, alertPage(evidence, view.now()));
  });
  router.get('/rules', (_req, res) => sendPage(res, rulesPage(view.ruleGroups())));
  router.get('/rules/:rule_id', (req, res) => {
    const evidence = ruleEvidence(view.ruleGroups(), req.params.rule_id, view.prometheusUrl);
    if (evidence === undefined) throw new Problem(404, 'no rule has this id; /rules lists them');
    sendPage(res, rulePage(evidence));
  });
  router.get('/runbooks/:alert', async (req, res) => {
    const { alert } = req.params;
    const text = await view.runbook(alert);
    if (text === undefined) sendPage(res.status(404), unknownRunbookPage(alert));
    else sendPage(res, runbookPage(alert, text));
  });
  return router;
}

/** Labels and annotations come from the network: no script of theirs may ever run here. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

export function sendPage(res: Response, page: Page): void {
  res.setHeader('content-security-policy', POLICY);
  res.type('html').send(renderPage(page, rootOf(res.req.path)));
}

/** From `/alerts/0123` to the engine's root: `../`. A slash at the end counts, as it does for browsers. */
function rootOf(path: string): string {
  return '../'.repeat(path.split('/').length - 2) || './';
}
