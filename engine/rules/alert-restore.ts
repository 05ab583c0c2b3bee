/** Takes a rule's lost alerts up again in its first evaluations, before their new times are written over the old ones. */
import { type AlertElement, labelKey } from '../core/alert.ts';
import { isRestorable, type LostAlert, restoredActiveAt } from '../core/resume.ts';
import { messageOf } from '../text/message-of.ts';
import type { RuleContext } from './evaluation.ts';
import { readForState } from './for-state.ts';
import type { AlertingRule } from './rule.ts';

/** Right after a start not everything has been scraped: an alert may be found again in the second evaluation only. */
const EVALUATIONS = 2;

export class AlertRestore {
  readonly #rule: AlertingRule;
  readonly #context: RuleContext;
  #evaluationsLeft: number;
  #lost: ReadonlyMap<string, LostAlert> | undefined;

  /** `isNeeded` where the store holds nothing of the rule. */
  constructor(rule: AlertingRule, context: RuleContext, isNeeded: boolean) {
    this.#rule = rule;
    this.#context = context;
    const isWanted = isNeeded && isRestorable(rule, context.options.forGracePeriodMs);
    this.#evaluationsLeft = isWanted ? EVALUATIONS : 0;
  }

  /** Since when the elements have been active, by key, as far as Prometheus remembers; undefined when there is no need. */
  async activeSince(
    elements: readonly AlertElement[],
    at: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number> | undefined> {
    if (this.#evaluationsLeft === 0) return undefined;
    this.#evaluationsLeft--;
    if (elements.length === 0) return undefined;
    this.#lost ??= await this.#read(at, signal);
    const { forGracePeriodMs: graceMs } = this.#context.options;
    const since = new Map<string, number>();
    for (const { labels } of elements) {
      const key = labelKey(labels);
      const lost = this.#lost.get(key);
      // Anybody may write the series: what cannot be the past of an alert is none.
      if (lost !== undefined && lost.activeAt >= 0 && lost.activeAt <= at)
        since.set(key, restoredActiveAt(this.#rule, lost, { at, graceMs }));
    }
    return since;
  }

  async #read(atMs: number, signal: AbortSignal): Promise<ReadonlyMap<string, LostAlert>> {
    const { ports, options, group } = this.#context;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(options.queryTimeoutMs)]);
    const { queryOffsetMs, intervalMs } = group;
    try {
      return await readForState({
        query: ports.query,
        rule: this.#rule,
        intervalMs,
        toleranceMs: options.forOutageToleranceMs,
        atMs: atMs - queryOffsetMs,
        signal: limit,
      });
    } catch (error) {
      ports.onProblem(
        `rule ${this.#rule.name} waits its "for" again, its alerts cannot be restored: ${messageOf(error)}`,
      );
      return new Map();
    }
  }
}
