/** What the parts of an evaluation share: the ports, the options, and how a query of a rule is answered. */
import type { LabelSet } from '../core/alert.ts';
import type { AlertSink } from '../core/delivery.ts';
import type { RuleReaction } from '../core/policy.ts';
import type { PromQuery, Sample } from '../prometheus/query.ts';
import type { SeriesWriter } from '../prometheus/series-writer.ts';
import type { Store } from '../store/store.ts';
import type { LoadedRule, RuleGroup } from './rule.ts';
import type { YieldedSeries } from './rule-series.ts';

export interface EvaluatorPorts {
  readonly query: PromQuery;
  readonly store: Store;
  readonly sink: AlertSink;
  /** Where results are written; undefined when they are not. */
  readonly writer: SeriesWriter | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Told what went wrong without stopping the evaluation. */
  onProblem(message: string): void;
}

export interface EvaluatorOptions {
  /** Limit of one query, and of writing the results of one rule. */
  readonly queryTimeoutMs: number;
  /** A firing or resolved alert is sent again when more than this has passed. */
  readonly resendDelayMs: number;
  /** How long beyond its normal expiry an alert is kept alive while its query fails. */
  readonly keepAliveMs: number;
  /** Rules under evaluation at once, each of another group. */
  readonly groupsAtOnce: number;
  /** After a longer outage pending alerts start over. */
  readonly forOutageToleranceMs: number;
  /** Least time a pending alert waits after an outage; a rule with a shorter `for` just waits that again. */
  readonly forGracePeriodMs: number;
  /** What templates see as $externalURL. */
  readonly externalUrl: string;
}

export const DEFAULT_OPTIONS: EvaluatorOptions = {
  queryTimeoutMs: 10_000,
  resendDelayMs: 60_000,
  keepAliveMs: 3_600_000,
  groupsAtOnce: 16,
  forOutageToleranceMs: 3_600_000,
  forGracePeriodMs: 600_000,
  externalUrl: '',
};

/** What a rule needs for its work. */
export interface RuleContext {
  readonly group: RuleGroup;
  readonly ports: EvaluatorPorts;
  readonly options: EvaluatorOptions;
  /** Answers the rule's own expression, from memory where Prometheus cannot know. Rejects with QueryError. */
  ask(rule: LoadedRule, atMs: number, signal: AbortSignal): Promise<readonly Sample[]>;
  /** What templates see as $externalLabels. */
  externalLabels(): LabelSet;
  /** What the policy says of the rule. */
  reactionOf(rule: LoadedRule): RuleReaction;
}

/** What an evaluation came to. */
export interface Outcome {
  /** Elements of the result; 0 when it failed. */
  readonly samples: number;
  readonly error: string | undefined;
  /** What to write; undefined when nothing is known, and what was written last stays. */
  readonly series: Iterable<YieldedSeries> | undefined;
}
