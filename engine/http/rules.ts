/** /api/v1/rules and /api/v1/alerts, as Grafana and other clients of Prometheus read them. */
import { Router } from 'express';
import { alertEvidence, ruleEvidence } from '../rules/evidence.ts';
import type { GroupStatus } from '../rules/status.ts';
import { Problem } from './problem.ts';
import { BadParameter, prometheusAnswer } from './prometheus-answer.ts';
import { alertEntry, groupEntry, ruleEntry } from './rule-answers.ts';
import { alertEvidenceAnswer, ruleEvidenceAnswer } from './rule-evidence.ts';
import { groupToken, type Page, pageOf, type RuleFilters, ruleFilters } from './rule-filters.ts';
import type { EngineView } from './view.ts';

export function ruleRoutes(view: EngineView, version: string): Router {
  const router = Router();
  router.get(
    '/api/v1/rules',
    prometheusAnswer((query) => rulesAnswer(inOrder(view.ruleGroups()), ruleFilters(query), pageOf(query))),
  );
  router.get(
    '/api/v1/alerts',
    prometheusAnswer(() => ({ alerts: alertsOf(view.ruleGroups()) })),
  );
  router.get(
    '/api/v1/status/buildinfo',
    prometheusAnswer(() => ({ application: 'gpu-uptime', version })),
  );
  router.get('/api/v1/rules/:rule_id', (req, res) => {
    const evidence = ruleEvidence(view.ruleGroups(), req.params.rule_id, view.prometheusUrl);
    if (evidence === undefined)
      throw new Problem(404, 'no rule has this id; GET /api/v1/rules lists them with their id');
    res.json(ruleEvidenceAnswer(evidence));
  });
  router.get('/api/v1/alerts/:fingerprint', (req, res) => {
    const evidence = alertEvidence(view.ruleGroups(), req.params.fingerprint, view.prometheusUrl);
    if (evidence === undefined) {
      throw new Problem(
        404,
        'no pending, firing or lately resolved alert has this fingerprint; GET /api/v1/alerts lists them',
      );
    }
    res.json(alertEvidenceAnswer(evidence));
  });
  return router;
}

function alertsOf(groups: readonly GroupStatus[]): readonly Record<string, unknown>[] {
  return groups.flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts.map(alertEntry)));
}

/** By file, then by name, as Prometheus lists them. */
function inOrder(groups: readonly GroupStatus[]): readonly GroupStatus[] {
  const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  return groups.toSorted((a, b) => order(a.file, b.file) || order(a.name, b.name));
}

function rulesAnswer(groups: readonly GroupStatus[], filters: RuleFilters, page: Page | undefined): unknown {
  const wanted = groups.filter(filters.isWantedGroup).flatMap((group) => {
    const rules = group.rules.filter(filters.isWantedRule);
    return rules.length === 0 ? [] : [{ group, rules }];
  });
  const first = page === undefined || page.token === '' ? 0 : startOf(groups, wanted, page.token);
  const end = page === undefined ? wanted.length : first + page.limit;
  const next = wanted[end];
  return {
    groups: wanted.slice(first, end).map(({ group, rules }) =>
      groupEntry(
        group,
        rules.map((rule) => ruleEntry(rule, filters.withAlerts)),
      ),
    ),
    ...(next === undefined ? {} : { groupNextToken: groupToken(next.group) }),
  };
}

/** The first wanted group at or after the one that the token names. */
function startOf(groups: readonly GroupStatus[], wanted: readonly { group: GroupStatus }[], token: string): number {
  const named = groups.findIndex((group) => groupToken(group) === token);
  if (named < 0) throw new BadParameter('group_next_token names no group; the rules may have changed: start over');
  const start = wanted.findIndex(({ group }) => groups.indexOf(group) >= named);
  return start < 0 ? wanted.length : start;
}
