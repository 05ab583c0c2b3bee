/** One alerting rule at work: its alerts, kept in the store, sent, and shown as series. */
import { type AlertElement, type EvaluationResult, type RuleState, step } from '../core/alert.ts';
import { deliver } from '../core/delivery.ts';
import { shiftState } from '../core/resume.ts';
import type { Sample } from '../prometheus/query.ts';
import { messageOf } from '../text/message-of.ts';
import { AlertJournal } from './alert-journal.ts';
import { AlertRestore } from './alert-restore.ts';
import { alertSeries } from './alert-series.ts';
import { expandElements } from './elements.ts';
import type { Outcome, RuleContext } from './evaluation.ts';
import { EvaluationLog } from './evaluation-log.ts';
import { hasNoData } from './no-data.ts';
import { resultOfError, resultOfNoData } from './reaction.ts';
import type { AlertingRule } from './rule.ts';
import { type ExposedSeries, RuleSeries } from './rule-series.ts';

/** What a rule goes on from. */
export interface AlertingStart {
  readonly state: RuleState;
  /** The part of the state that the store holds under the rule's id. */
  readonly saved: RuleState;
  /** Series that Prometheus may still show. */
  readonly exposed?: ExposedSeries | undefined;
  readonly log?: EvaluationLog | undefined;
  /** Whether Prometheus is asked since when alerts have been active, because the store knows nothing. */
  readonly isLost: boolean;
}

export class AlertingRun {
  readonly kind = 'alerting';
  readonly rule: AlertingRule;
  readonly series: RuleSeries;
  readonly log: EvaluationLog;
  readonly #context: RuleContext;
  readonly #journal: AlertJournal;
  readonly #restore: AlertRestore;
  #state: RuleState;
  #saveProblem: string | undefined;

  constructor(rule: AlertingRule, context: RuleContext, start: AlertingStart) {
    const { state, saved, exposed, log = new EvaluationLog(), isLost } = start;
    this.rule = rule;
    this.log = log;
    this.series = new RuleSeries(exposed);
    this.#context = context;
    this.#state = state;
    this.#journal = new AlertJournal(context.ports.store, rule, saved);
    this.#restore = new AlertRestore(rule, context, isLost);
  }

  state(): RuleState {
    return this.#state;
  }

  /** The part of the state that the store holds. */
  saved(): RuleState {
    return this.#journal.saved();
  }

  /**
   * The state is durable before anything is sent: after a crash the same alert may be sent twice, never another one.
   * Undefined when the signal aborted it, and nothing has changed. Never rejects.
   */
  async evaluate(at: number, signal: AbortSignal): Promise<Outcome | undefined> {
    const answer = await this.#ask(at, signal);
    if (signal.aborted) return undefined;
    const result = await this.#react(answer, at, signal);
    const activeSince = await this.#restore.activeSince(Array.isArray(result) ? result : [], at, signal);
    if (signal.aborted) return undefined;
    const { state, events } = step(this.rule, this.#state, { at, result, ...(activeSince && { activeSince }) });
    const failure = events.find((event) => event.kind === 'failed')?.message;
    this.#state = state;
    await this.save();
    // Colliding labels and a broken limit send nothing, but what is merely unknown keeps its alerts alive.
    const isBroken = failure !== undefined && !('failed' in result);
    if (!isBroken) this.#send(at);
    const isSilent = isBroken || ('failed' in result && result.raised === undefined);
    const error = failure ?? ('failed' in answer ? answer.failed : undefined);
    const samples = error === undefined && Array.isArray(result) ? result.length : 0;
    return { samples, error, series: isSilent ? undefined : alertSeries(this.#state.alerts) };
  }

  /** Makes the newest state durable, the times of sending included. Never rejects. */
  async save(): Promise<void> {
    try {
      await this.#journal.save(this.#state);
      this.#saveProblem = undefined;
    } catch (error) {
      const problem = `the alerts of rule ${this.rule.name} could not be saved, a restart may lose them: ${messageOf(error)}`;
      if (problem !== this.#saveProblem) this.#context.ports.onProblem(problem);
      this.#saveProblem = problem;
    }
  }

  /** Follows a clock that was set: ages and waits stay as they are. */
  shift(byMs: number): void {
    this.#state = shiftState(this.#state, byMs);
  }

  async #ask(at: number, signal: AbortSignal): Promise<readonly AlertElement[] | { readonly failed: string }> {
    try {
      const samples = await this.#context.ask(this.rule, at - this.#context.group.queryOffsetMs, signal);
      return await this.#expand(samples, at, signal);
    } catch (error) {
      return { failed: messageOf(error) };
    }
  }

  /** Templates that ask the same question of the same instant share the answer. */
  #expand(samples: readonly Sample[], at: number, signal: AbortSignal): Promise<readonly AlertElement[]> {
    const { ports, options } = this.#context;
    const answers = new Map<string, Promise<readonly Sample[]>>();
    const query = (expr: string) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(options.queryTimeoutMs)]);
      const answer = answers.get(expr) ?? ports.query.instant(expr, at, limit);
      answers.set(expr, answer);
      return answer;
    };
    const externalLabels = this.#context.externalLabels();
    const { externalUrl } = options;
    return expandElements(this.rule, samples, { world: { atMs: at, query }, externalLabels, externalUrl });
  }

  async #react(
    answer: readonly AlertElement[] | { readonly failed: string },
    at: number,
    signal: AbortSignal,
  ): Promise<EvaluationResult> {
    const reaction = this.#context.reactionOf(this.rule);
    if ('failed' in answer) return resultOfError(this.rule, reaction, answer.failed);
    if (answer.length > 0 || reaction.onNoData === 'ok') return answer;
    try {
      const isNoData = await hasNoData(this.#context, this.rule, at, signal);
      return isNoData ? resultOfNoData(this.rule, reaction) : answer;
    } catch (error) {
      return resultOfError(this.rule, reaction, messageOf(error));
    }
  }

  #send(at: number): void {
    const { ports, options, group } = this.#context;
    const { rule } = this;
    const { state, messages } = deliver(
      { rule, state: this.#state, at, now: ports.now() },
      { ...options, intervalMs: group.intervalMs },
    );
    if (messages.length > 0) ports.sink.send(messages);
    this.#state = state;
  }
}
