/** What the endpoints see of the running engine. */
import type { EngineConfig } from './config.ts';
import type { Engine } from './engine.ts';
import type { EngineView, ShownAlert } from './http/view.ts';
import type { LiveActions } from './live-actions.ts';
import type { Maintenance } from './maintenance.ts';
import type { RuleEvaluator } from './rules/evaluator.ts';
import type { ActiveAlert } from './rules/status.ts';
import { readRunbook } from './runbook.ts';

export interface ViewedParts {
  readonly engine: Engine;
  readonly evaluator: RuleEvaluator;
  readonly live: LiveActions;
  readonly maintenance: Maintenance;
}

export function engineView(
  config: EngineConfig,
  { engine, evaluator, live, maintenance }: ViewedParts,
  now: () => number,
): EngineView {
  return {
    now,
    judged: () => engine.judged(),
    holds: () => engine.holds(),
    alerts: () => evaluator.activeAlerts().map(shownAlert),
    actions: () => live.book(),
    maintenance: () => maintenance.view(),
    ruleGroups: () => evaluator.groups(),
    prometheusUrl: config.prometheusExternalUrl,
    runbook: (alert) => readRunbook(config.runbooksDir, alert),
    isReady: () => engine.isReady(),
    lastFailure: () => engine.lastFailure(),
    backlogTicks: () => engine.backlogTicks(),
  };
}

function shownAlert({ name, state, severity, annotations, labels, activeAt, firedAt }: ActiveAlert): ShownAlert {
  return { name, state, severity, summary: annotations.summary ?? '', labels, sinceMs: firedAt ?? activeAt };
}
