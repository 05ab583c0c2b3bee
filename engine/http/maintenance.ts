/** GET /api/v1/maintenance: what is left out of uptime, by whose word, and what is left of the budget. */
import { Router } from 'express';
import {
  type ExcludedTicks,
  type PeerHealth,
  type RefusedSilence,
  type ReportedNode,
  type ReportedSpan,
  reportNodes,
  reportSpans,
} from '../core/maintenance-report.ts';
import type { SilenceMatcher } from '../core/policy.ts';
import type { EngineView } from './view.ts';

/** What the endpoint needs of the engine. */
export type MaintenanceSource = Pick<EngineView, 'now' | 'judged' | 'maintenance'>;

export function maintenanceRoutes(source: MaintenanceSource): Router {
  const router = Router();
  router.get('/api/v1/maintenance', (_req, res) => res.json(maintenanceAnswer(source)));
  return router;
}

function maintenanceAnswer({ now, judged, maintenance }: MaintenanceSource): Record<string, unknown> {
  const nowMs = now();
  const { calendar, refused, peers } = maintenance();
  const { policy } = judged().plan;
  return {
    timestamp: nowMs / 1000,
    enabled: calendar !== undefined,
    budget_seconds: (calendar?.budgetMs ?? 0) / 1000,
    notice_seconds: (policy.maintenance?.noticeMs ?? 0) / 1000,
    gate: policy.maintenance?.gate ?? 'allow',
    spans: calendar === undefined ? [] : reportSpans(judged(), calendar, nowMs).map(spanEntry),
    nodes:
      calendar === undefined
        ? []
        : reportNodes(judged(), calendar, nowMs).map((node) => nodeEntry(node, calendar.budgetMs)),
    refused: refused.map(refusedEntry),
    alertmanagers: peers.map(peerEntry),
  };
}

function spanEntry({ span, phase, gpus }: ReportedSpan) {
  return {
    id: span.id,
    silence: span.silence,
    phase,
    from: span.fromMs / 1000,
    to: span.toMs / 1000,
    created_by: span.createdBy,
    comment: span.comment,
    matchers: span.matchers.map(matcherText),
    first_seen: span.firstSeenMs / 1000,
    nodes: [...new Set(gpus.map(({ node }) => node))].sort(),
    gpus: gpus.map(({ gpu }) => gpu).sort(),
  };
}

/** As Alertmanager and amtool write it. */
function matcherText({ name, value, isRegex, isEqual }: SilenceMatcher): string {
  return `${name}${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}${JSON.stringify(value)}`;
}

const STATES = { excluded: 'maintenance', over_budget: 'over_budget' } as const;

function nodeEntry({ node, gpus, planned, spent, windows }: ReportedNode, budgetMs: number) {
  return {
    node,
    state: planned === undefined ? 'none' : STATES[planned.kind],
    until: planned === undefined ? null : planned.untilMs / 1000,
    gpus,
    budget_used_seconds: spent.excludedMs / 1000,
    budget_left_seconds: (budgetMs - spent.excludedMs) / 1000,
    over_budget_seconds: spent.overMs / 1000,
    windows: windows.map(windowEntry),
  };
}

function windowEntry({ window, excluded, expected }: ExcludedTicks) {
  const share = expected === 0 ? 0 : excluded / expected;
  return { name: window.name, excluded_ticks: excluded, excluded_percentage: Math.floor(share * 100_000) / 1000 };
}

function refusedEntry({ silence, reason }: RefusedSilence) {
  const { id, createdBy, comment, matchers } = silence;
  return { silence: id, created_by: createdBy, comment, matchers: matchers.map(matcherText), reason };
}

function peerEntry({ url, heardAtMs, failure }: PeerHealth) {
  return { url, heard_at: heardAtMs === undefined ? null : heardAtMs / 1000, failure: failure ?? null };
}
