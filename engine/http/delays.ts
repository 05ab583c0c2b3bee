/** Active delays by capability. */
import type { Question } from '../core/decision.ts';
import { type Explanation, explain } from '../core/explain.ts';
import { type Filters, questionFor } from './question.ts';
import type { EngineView } from './view.ts';

/** Running episodes of every capability (or the one asked for) at the subject's level. */
export function delaysOf(view: EngineView, filters: Filters): readonly (readonly [Question, Explanation])[] {
  const { plan, state } = view.judged();
  const names = filters.capability === undefined ? plan.capabilities.map(({ name }) => name) : [filters.capability];
  return names
    .map((capability) => questionFor(view, { ...filters, capability }))
    .map((question) => [question, explain(plan, state, question)] as const)
    .filter(([, { outcome }]) => outcome.episode !== undefined);
}
