/** One rule group at work: its rules in order, at its interval, never overlapping. */
import { type AlertElement, alertLabels, type LabelSet, NEW_RULE_STATE, type RuleState, step } from '../core/alert.ts';
import { type AlertSink, deliver } from '../core/delivery.ts';
import type { PromQuery, Sample } from '../prometheus/query.ts';
import type { Store } from '../store/store.ts';
import type { AlertingRule, RuleGroup } from './rule.ts';
import { saveState } from './saved-state.ts';
import type { Template, TemplateData, TemplateWorld } from './template/template.ts';

export interface EvaluatorPorts {
  readonly query: PromQuery;
  readonly store: Store;
  readonly sink: AlertSink;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Told what went wrong without stopping the evaluation. */
  onProblem(message: string): void;
}

export interface EvaluatorOptions {
  /** Limit of one query. */
  readonly queryTimeoutMs: number;
  /** A firing or resolved alert is sent again when more than this has passed. */
  readonly resendDelayMs: number;
  /** How long beyond its normal expiry an alert is kept alive while its query fails. */
  readonly keepAliveMs: number;
}

export type RuleHealth =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ok'; readonly at: number; readonly durationMs: number }
  | { readonly kind: 'err'; readonly at: number; readonly durationMs: number; readonly message: string };

/** A rule at work. */
export interface RuleRun {
  readonly rule: AlertingRule;
  state: RuleState;
  health: RuleHealth;
  /** Whether the store holds a record for the rule. */
  isSaved: boolean;
}

export class GroupRun {
  readonly group: RuleGroup;
  readonly rules: readonly RuleRun[];
  /** Slots that passed while an earlier evaluation was still running. */
  missed = 0;
  evaluations = 0;
  lastAt: number | undefined;
  readonly #ports: EvaluatorPorts;
  readonly #options: EvaluatorOptions;

  constructor(
    group: RuleGroup,
    restored: ReadonlyMap<string, RuleState>,
    ports: EvaluatorPorts,
    options: EvaluatorOptions,
  ) {
    this.group = group;
    this.rules = group.rules.filter((rule) => rule.kind === 'alerting').map((rule) => ({
      rule,
      state: restored.get(rule.id) ?? NEW_RULE_STATE,
      health: { kind: 'unknown' },
      isSaved: restored.has(rule.id),
    }));
    this.#ports = ports;
    this.#options = options;
  }

  /** Evaluates the current slot, sleeps until the next one, and so on until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { intervalMs } = this.group;
    while (!signal.aborted) {
      const slot = Math.floor(this.#ports.now() / intervalMs) * intervalMs;
      if (this.lastAt === undefined || slot > this.lastAt) await this.#evaluateSlot(slot, signal);
      await this.#ports.sleep(slot + intervalMs - this.#ports.now(), signal);
    }
  }

  async #evaluateSlot(slot: number, signal: AbortSignal): Promise<void> {
    if (this.lastAt !== undefined) this.missed += (slot - this.lastAt) / this.group.intervalMs - 1;
    this.lastAt = slot;
    for (const run of this.rules) {
      if (!signal.aborted) await this.#evaluateRule(run, slot, signal);
    }
    this.evaluations++;
  }

  /** The state is durable before anything is sent: after a crash the same alert may be sent twice, never another one. */
  async #evaluateRule(run: RuleRun, at: number, signal: AbortSignal): Promise<void> {
    const startedAt = this.#ports.now();
    const result = await this.#ask(run.rule, at, signal);
    if (signal.aborted) return;
    const { state, events } = step(run.rule, run.state, { at, result });
    run.state = state;
    const failure = events.find((event) => event.kind === 'failed');
    const timing = { at, durationMs: this.#ports.now() - startedAt };
    run.health = failure ? { kind: 'err', ...timing, message: failure.message } : { kind: 'ok', ...timing };
    await this.#save(run);
    this.#send(run, at);
  }

  async #ask(rule: AlertingRule, at: number, signal: AbortSignal): Promise<readonly AlertElement[] | { failed: string }> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.queryTimeoutMs)]);
    const atMs = at - this.group.queryOffsetMs;
    const query = (expr: string) => this.#ports.query.instant(expr, atMs, limit);
    try {
      const samples = await query(rule.expr);
      return await Promise.all(samples.map((sample) => elementOf(rule, sample, { atMs: at, query })));
    } catch (error) {
      return { failed: messageOf(error) };
    }
  }

  async #save(run: RuleRun): Promise<void> {
    const isEmpty = run.state.alerts.length === 0;
    if (isEmpty && !run.isSaved) return;
    const { id, name } = run.rule;
    try {
      await this.#ports.store.write(
        'alert',
        isEmpty ? { remove: [id] } : { put: [{ key: id, value: saveState(run.state) }] },
      );
      run.isSaved = !isEmpty;
    } catch (error) {
      this.#ports.onProblem(
        `the alerts of rule ${name} could not be saved, a restart may lose them: ${messageOf(error)}`,
      );
    }
  }

  #send(run: RuleRun, at: number): void {
    const { state, messages } = deliver(
      { rule: run.rule, state: run.state, at, now: this.#ports.now() },
      { ...this.#options, intervalMs: this.group.intervalMs },
    );
    run.state = state;
    if (messages.length > 0) this.#ports.sink.send(messages);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function elementOf(rule: AlertingRule, { labels, value }: Sample, world: TemplateWorld): Promise<AlertElement> {
  const data: TemplateData = { labels, value, externalLabels: {}, externalUrl: '' };
  const own = await expandAll(rule.labels, data, world);
  const annotations = await expandAll(rule.annotations, data, world);
  return { labels: alertLabels(rule, labels, own), annotations, value };
}

async function expandAll(
  templates: Readonly<Record<string, Template>>,
  data: TemplateData,
  world: TemplateWorld,
): Promise<LabelSet> {
  const texts = Object.entries(templates).map(async ([name, template]) => [name, await template.expand(data, world)]);
  return Object.fromEntries(await Promise.all(texts));
}
