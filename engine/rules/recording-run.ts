/** One recording rule at work: the result of its query under a new name. */
import { type LabelSet, labelKey } from '../core/alert.ts';
import type { Sample } from '../prometheus/query.ts';
import { messageOf } from '../text/message-of.ts';
import type { Outcome, RuleContext } from './evaluation.ts';
import { EvaluationLog } from './evaluation-log.ts';
import type { RecordingRule } from './rule.ts';
import { type ExposedSeries, RuleSeries, type YieldedSeries } from './rule-series.ts';

/** What a rule goes on from. */
export interface RecordingStart {
  /** Series that Prometheus may still show. */
  readonly exposed?: ExposedSeries | undefined;
  readonly log?: EvaluationLog | undefined;
}

export class RecordingRun {
  readonly kind = 'recording';
  readonly rule: RecordingRule;
  readonly series: RuleSeries;
  readonly log: EvaluationLog;
  readonly #context: RuleContext;

  constructor(rule: RecordingRule, context: RuleContext, { exposed, log = new EvaluationLog() }: RecordingStart) {
    this.rule = rule;
    this.log = log;
    this.#context = context;
    this.series = new RuleSeries(exposed);
  }

  /** Asks and relabels. Never rejects. */
  async evaluate(at: number, signal: AbortSignal): Promise<Outcome> {
    try {
      const result = await this.#context.ask(this.rule, at - this.#context.group.queryOffsetMs, signal);
      return outcomeOf(this.rule, result);
    } catch (error) {
      return failed(messageOf(error));
    }
  }
}

function outcomeOf(rule: RecordingRule, result: readonly Sample[]): Outcome {
  const series = new Map<string, YieldedSeries>();
  for (const { labels, value } of result) {
    const renamed = recordedLabels(rule, labels);
    const key = labelKey(renamed);
    if (series.has(key)) return failed(`vector contains metrics with the same labelset after applying rule labels`);
    series.set(key, { key, value, labels: () => renamed });
  }
  if (rule.limit > 0 && series.size > rule.limit) {
    return failed(`exceeded limit of ${rule.limit} with ${series.size} series`);
  }
  return { samples: series.size, error: undefined, series: series.values() };
}

/** The rule's labels win; one without a value removes the element's. */
function recordedLabels({ name, labels }: RecordingRule, element: LabelSet): LabelSet {
  const merged = Object.entries({ ...element, ...labels, __name__: name });
  return Object.fromEntries(merged.filter(([, value]) => value !== ''));
}

function failed(error: string): Outcome {
  return { samples: 0, error, series: undefined };
}
