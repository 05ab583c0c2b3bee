/** GET /gpu/monitoring/summary: the whole picture in one answer. */

import { gpusOf, type Question } from '../core/decision.ts';
import { explain } from '../core/explain.ts';
import type { FleetState, GpuRecord } from '../core/fleet.ts';
import { verdictReason } from '../core/reason.ts';
import { TICK, type TickState, tickStateName } from '../core/tick.ts';
import { alertEntry, alertsAbout } from './alerts.ts';
import { delayEntry, unixSeconds, uptimeSummary } from './answers.ts';
import { delaysOf } from './delays.ts';
import { holdEntry } from './holds.ts';
import { type Filters, questionFor } from './question.ts';
import type { EngineView } from './view.ts';

export function monitoringSummary(view: EngineView, filters: Filters): Record<string, unknown> {
  const { plan, state } = view.judged();
  const question = questionFor(view, filters);
  const { status, figures, outcome } = explain(plan, state, question);
  const gpus = gpusOf(state, question.capability, question.subject);
  return {
    timestamp: unixSeconds(question.nowMs),
    overall_status: status,
    uptime_summary: uptimeSummary(figures),
    gpus: gpuCountsByState(question, gpus),
    nodes: nodesOf(gpus).map((node) => nodeEntry(view, question, node)),
    unhealthy_gpus: unhealthyGpus(question, gpus),
    active_delays: delaysOf(view, filters).map(([asked, explained]) => delayEntry(asked, explained)),
    alerts: alertsAbout(view, question).map(alertEntry),
    holds: view
      .holds()
      .filter(({ expiresAtMs }) => expiresAtMs > question.nowMs)
      .map(holdEntry),
    guard: { frozen: state.guard.frozenSinceMs !== undefined, low_nodes: state.guard.lowSince.size },
    engine: {
      ready: view.isReady(),
      policy_revision: plan.policy.revision,
      evaluated_at: state.tickMs === undefined ? null : state.tickMs / 1000,
      data_age_seconds: outcome.dataAgeMs === undefined ? null : outcome.dataAgeMs / 1000,
      stale: outcome.isStale,
      backlog_ticks: view.backlogTicks(),
      last_failure: view.lastFailure() ?? null,
    },
  };
}

function stateOf({ tracks }: GpuRecord, { capability }: Question): TickState {
  return tracks[capability.profile]?.verdict.state ?? TICK.unobserved;
}

function gpuCountsByState(question: Question, gpus: readonly GpuRecord[]): Record<string, number> {
  const counts: Record<string, number> = { total: gpus.length, up: 0, busy: 0, down: 0, unobserved: 0 };
  for (const gpu of gpus) {
    const name = tickStateName(stateOf(gpu, question));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function nodesOf(gpus: readonly GpuRecord[]): readonly string[] {
  return [...new Set(gpus.map(({ node }) => node))].sort();
}

function nodeEntry(view: EngineView, { capability }: Question, node: string): Record<string, unknown> {
  const { plan, state } = view.judged();
  const question = questionFor(view, { capability: capability.name, node });
  const { status, figures, outcome } = explain(plan, state, question);
  return {
    node,
    status,
    gpus: gpusOfNode(state, question).length,
    can_process: outcome.canProcess,
    uptime_summary: uptimeSummary(figures),
  };
}

function gpusOfNode(state: FleetState, question: Question): readonly GpuRecord[] {
  return gpusOf(state, question.capability, question.subject);
}

function unhealthyGpus(question: Question, gpus: readonly GpuRecord[]): readonly Record<string, unknown>[] {
  return gpus
    .filter((gpu) => stateOf(gpu, question) !== TICK.up)
    .map((gpu) => {
      const track = gpu.tracks[question.capability.profile];
      const reason = track === undefined ? null : (verdictReason(track.verdict) ?? null);
      return { gpu: gpu.gpu, node: gpu.node, labels: gpu.labels, state: tickStateName(stateOf(gpu, question)), reason };
    });
}
