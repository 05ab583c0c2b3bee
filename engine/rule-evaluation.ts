/** The evaluation of rules with connections of its own: a slow rule must not hold up the judging of ticks. */
import type { Logger } from 'pino';
import type { EngineConfig } from './config.ts';
import type { Configuration } from './configuration.ts';
import type { AlertSink } from './core/delivery.ts';
import type { HttpClientSettings } from './http-client/settings.ts';
import { createPromClient } from './prometheus/client.ts';
import { createRemoteWriter } from './prometheus/remote-write.ts';
import { RuleEvaluator, type RuleSurroundings } from './rules/evaluator.ts';
import type { Clock } from './scheduler.ts';
import type { Store } from './store/store.ts';

export interface RuleEvaluationOptions {
  readonly config: EngineConfig;
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly clock: Clock;
  readonly store: Store;
  readonly sink: AlertSink;
}

export interface RuleEvaluation {
  readonly evaluator: RuleEvaluator;
  /** Reaches Prometheus in another way from the next request on. */
  use(http: HttpClientSettings): void;
  /** Once the evaluator has stopped. */
  close(deadlineMs: number): Promise<void>;
}

export function createRuleEvaluation(options: RuleEvaluationOptions): RuleEvaluation {
  const { config, configuration, log, clock, store, sink } = options;
  const reach = {
    timeoutMs: config.prometheusTimeoutMs,
    concurrency: config.ruleGroupsAtOnce,
    http: configuration.prometheusHttp,
  };
  const query = createPromClient({ url: config.prometheusUrl, ...reach });
  const { remoteWriteUrl: url } = config;
  const writer = url === undefined ? undefined : createRemoteWriter({ url, ...reach });
  const onProblem = (text: string) => log.warn(text);
  const evaluator = new RuleEvaluator(
    { ...clock, query, writer, store, sink, onProblem },
    {
      queryTimeoutMs: config.prometheusTimeoutMs,
      resendDelayMs: config.alertResendMs,
      groupsAtOnce: config.ruleGroupsAtOnce,
      forOutageToleranceMs: config.forOutageToleranceMs,
      forGracePeriodMs: config.forGracePeriodMs,
      externalUrl: config.externalUrl,
    },
  );
  const connections = writer === undefined ? [query] : [query, writer];
  const use = (http: HttpClientSettings) => {
    for (const connection of connections) connection.use(http);
  };
  const close = async (deadlineMs: number) => {
    await Promise.all(connections.map((connection) => connection.close(deadlineMs)));
  };
  return { evaluator, use, close };
}

/** What the rules of a configuration are evaluated in. */
export function surroundingsOf({ policy, alerting }: Configuration): RuleSurroundings {
  return { reactions: policy.rules, externalLabels: alerting.externalLabels };
}
