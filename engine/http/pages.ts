/** Pages for people: /alerts, /alerts/{fingerprint}, /rules and /rules/{rule_id}. */
import { type Response, Router } from 'express';
import { alertPage, alertsPage, unknownAlertPage } from '../page/alert-page.ts';
import { rulePage, rulesPage } from '../page/rule-page.ts';
import { alertEvidence, ruleEvidence } from '../rules/evidence.ts';
import { Problem } from './problem.ts';
import type { EngineView } from './view.ts';

export function pageRoutes(view: EngineView): Router {
  const router = Router();
  router.get('/alerts', (_req, res) => {
    const alerts = view.ruleGroups().flatMap(({ rules }) => rules.flatMap(({ alerts: active }) => active));
    send(res, alertsPage(alerts, view.now()));
  });
  router.get('/alerts/:fingerprint', (req, res) => {
    const evidence = alertEvidence(view.ruleGroups(), req.params.fingerprint, view.prometheusUrl);
    if (evidence === undefined) send(res.status(404), unknownAlertPage());
    else send(res, alertPage(evidence, view.now()));
  });
  router.get('/rules', (_req, res) => send(res, rulesPage(view.ruleGroups())));
  router.get('/rules/:rule_id', (req, res) => {
    const evidence = ruleEvidence(view.ruleGroups(), req.params.rule_id, view.prometheusUrl);
    if (evidence === undefined) throw new Problem(404, 'no rule has this id; /rules lists them');
    send(res, rulePage(evidence));
  });
  return router;
}

/** Labels and annotations come from the network: no script of theirs may ever run here. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

function send(res: Response, page: string): void {
  res.setHeader('content-security-policy', POLICY);
  res.type('html').send(page);
}
