/** Whether there is anything to look at: a comparison that finds nothing is not the same as a metric that is gone. */
import { type Selector, selectorsOf } from '../promql/promql.ts';
import type { RuleContext } from './evaluation.ts';
import type { AlertingRule } from './rule.ts';

/** True when none of the series that the expression reads has a sample at the evaluation. Rejects with QueryError. */
export async function hasNoData(
  { ports, options, group }: RuleContext,
  { expr }: AlertingRule,
  at: number,
  signal: AbortSignal,
): Promise<boolean> {
  const selectors = selectorsOf(expr);
  if (selectors.length === 0) return false;
  const anyOf = selectors.map((selector) => `group(${selectorText(selector)})`).join(' or ');
  const limit = AbortSignal.any([signal, AbortSignal.timeout(options.queryTimeoutMs)]);
  return (await ports.query.instant(anyOf, at - group.queryOffsetMs, limit)).length === 0;
}

/** The selector alone, without range, offset and @. */
function selectorText({ name, matchers }: Selector): string {
  const own = name === undefined ? [] : [{ label: '__name__', op: '=', value: name }];
  const texts = [...own, ...matchers].map(({ label, op, value }) => `${labelText(label)}${op}${JSON.stringify(value)}`);
  return `{${texts.join(',')}}`;
}

/** Only Prometheus 3 knows quoted label names, and only there can a rule have been loaded that needs them. */
function labelText(label: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) ? label : JSON.stringify(label);
}
