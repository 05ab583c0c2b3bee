/** What a rule makes of a query that failed, or that found nothing to look at: Prometheus' way unless the policy says else. */
import { ACTION_LABEL } from '../core/action.ts';
import { type AlertElement, alertLabels, type EvaluationResult, type LabelSet } from '../core/alert.ts';
import type { RuleReaction } from '../core/policy.ts';
import type { AlertingRule } from './rule.ts';

export const PROMETHEUS_REACTION: RuleReaction = { onError: 'keep', onNoData: 'ok' };

export function resultOfError(rule: AlertingRule, reaction: RuleReaction, failed: string): EvaluationResult {
  if (reaction.onError === 'ok') return [];
  if (reaction.onError === 'keep') return { failed };
  return { failed, raised: [raise(rule, 'query failed', `the query of ${rule.name} fails: ${failed}`)] };
}

export function resultOfNoData(rule: AlertingRule, reaction: RuleReaction): EvaluationResult {
  if (reaction.onNoData === 'ok') return [];
  if (reaction.onNoData === 'keep') return { noData: true };
  const summary = `${rule.name} sees nothing: none of the series that it reads exists`;
  return { noData: true, raised: [raise(rule, 'no data', summary)] };
}

/**
 * The rule's own labels and texts that need no element to be filled in, such as severity and runbook_url, but no action:
 * what is unknown must not take a GPU out of service.
 */
function raise(rule: AlertingRule, reason: string, summary: string): AlertElement {
  const { [ACTION_LABEL]: _, ...labels } = fixedTexts(rule.written.labels);
  const annotations = { ...fixedTexts(rule.written.annotations), summary };
  return { labels: alertLabels(rule, {}, { ...labels, reason }), annotations, value: Number.NaN };
}

function fixedTexts(texts: LabelSet): LabelSet {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => !text.includes('{{')));
}
