/** One rule group at work: its rules in order, at its interval and phase, never overlapping. */
import type { Labels } from '../prometheus/query.ts';
import { messageOf } from '../text/message-of.ts';
import type { AlertingRun } from './alerting-run.ts';
import type { EvaluatorOptions, EvaluatorPorts, Outcome } from './evaluation.ts';
import type { Pace, Pool } from './pool.ts';
import type { RecordingRun } from './recording-run.ts';
import type { RuleGroup } from './rule.ts';
import { endOf, type YieldedSeries } from './rule-series.ts';
import { slotAtOrBefore } from './schedule.ts';
import type { SeriesOutput } from './series-output.ts';
import type { EvaluationRecord } from './status.ts';

export type RuleRun = AlertingRun | RecordingRun;

/** What counts over all configurations that have the group. */
export interface GroupCounts {
  readonly evaluations: number;
  readonly missed: number;
  readonly failures: number;
  /** The newest evaluated slot. */
  readonly lastAt: number | undefined;
}

export const NEW_GROUP_COUNTS: GroupCounts = { evaluations: 0, missed: 0, failures: 0, lastAt: undefined };

export interface GroupParts {
  readonly group: RuleGroup;
  readonly rules: readonly RuleRun[];
  readonly ports: EvaluatorPorts;
  readonly options: EvaluatorOptions;
  readonly output: SeriesOutput;
  readonly pool: Pool;
  readonly counts: GroupCounts;
  /** Series of rules that a reload has taken out of the group and nobody yields any more; asked at each evaluation. */
  orphans(): readonly Labels[];
}

type RuleResult = Pick<EvaluationRecord, 'samples' | 'error'>;

/** No timer sleeps longer, so that a clock that is set is noticed soon, and because timers overflow after 24 days. */
const LONGEST_SLEEP_MS = 60_000;
/** A clock that was set back by less is waited for: no instant is evaluated twice. */
const PATIENCE_MS = 60_000;

export class GroupRun {
  readonly group: RuleGroup;
  readonly rules: readonly RuleRun[];
  readonly #parts: GroupParts;
  readonly #finish = new AbortController();
  #counts: GroupCounts;
  #orphansLeft = true;
  #lastDurationMs: number | undefined;
  #lastSamples: number | undefined;

  constructor(parts: GroupParts) {
    this.group = parts.group;
    this.rules = parts.rules;
    this.#parts = parts;
    this.#counts = parts.counts;
  }

  counts(): GroupCounts {
    return this.#counts;
  }

  /** Figures of the newest evaluation; undefined before the first. */
  newest(): { readonly durationMs: number | undefined; readonly samples: number | undefined } {
    return { durationMs: this.#lastDurationMs, samples: this.#lastSamples };
  }

  /** Evaluates every slot of the group after now, until `finish` or until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { now, sleep } = this.#parts.ports;
    const end = AbortSignal.any([signal, this.#finish.signal]);
    let last = this.#counts.lastAt ?? slotAtOrBefore(this.group, now());
    while (!end.aborted) {
      await sleep(Math.min(last + this.group.intervalMs - now(), LONGEST_SLEEP_MS), end);
      const slot = slotAtOrBefore(this.group, now());
      if (end.aborted || slot === last || (slot < last && last - slot <= PATIENCE_MS)) continue;
      if (slot < last) last = this.#followClock(last, slot);
      this.#count({ missed: Math.max(0, Math.round((slot - last) / this.group.intervalMs) - 1) });
      last = slot;
      await this.evaluateAt(slot, signal);
    }
  }

  /** Lets the rule that is being evaluated finish, and starts none. */
  finish(): void {
    this.#finish.abort();
  }

  /** Evaluates all rules once, in their order, each seeing what those before it yielded. Never rejects. */
  async evaluateAt(slot: number, signal: AbortSignal): Promise<void> {
    const { ports, pool } = this.#parts;
    const startedAt = ports.now();
    let samples = 0;
    this.#counts = { ...this.#counts, lastAt: slot };
    for (const run of this.rules) {
      if (signal.aborted || this.#finish.signal.aborted) return;
      samples += await pool.run(() => this.#evaluateRule(run, slot, signal), this.#paceOf(run));
    }
    await this.#endOrphans(slot, signal);
    this.#count({ evaluations: 1 });
    this.#lastDurationMs = Math.max(0, ports.now() - startedAt);
    this.#lastSamples = samples;
  }

  #count(by: Partial<Record<'evaluations' | 'missed' | 'failures', number>>): void {
    const { evaluations, missed, failures } = this.#counts;
    this.#counts = {
      ...this.#counts,
      evaluations: evaluations + (by.evaluations ?? 0),
      missed: missed + (by.missed ?? 0),
      failures: failures + (by.failures ?? 0),
    };
  }

  /** A rule that lately took half of what a query may take, or did not end within it. */
  #paceOf({ log }: RuleRun): Pace {
    const [newest] = log.records();
    return newest !== undefined && newest.durationMs >= this.#parts.options.queryTimeoutMs / 2 ? 'slow' : 'quick';
  }

  /** Returns the number of samples. */
  async #evaluateRule(run: RuleRun, slot: number, signal: AbortSignal): Promise<number> {
    const { now } = this.#parts.ports;
    if (signal.aborted) return 0;
    const startedAt = now();
    const result = await this.#resultOf(run, slot, signal);
    if (result === undefined || signal.aborted) return 0;
    if (result.error !== undefined) this.#count({ failures: 1 });
    run.log.add({ at: slot, durationMs: Math.max(0, now() - startedAt), ...result });
    return result.samples;
  }

  /** What nobody has foreseen is the trouble of one rule in one evaluation, and told when it is new. */
  async #resultOf(run: RuleRun, slot: number, signal: AbortSignal): Promise<RuleResult | undefined> {
    try {
      const outcome = await run.evaluate(slot, signal);
      if (outcome === undefined || signal.aborted) return undefined;
      const written = await this.#publish(run, outcome, slot, signal);
      return { samples: outcome.samples, error: outcome.error ?? written };
    } catch (cause) {
      const error = `unexpected error: ${messageOf(cause)}`;
      if (run.log.lastError() !== error) this.#parts.ports.onProblem(`rule ${run.rule.name} fails: ${error}`);
      return { samples: 0, error };
    }
  }

  /** Returns what went wrong. A failed write costs no alert: it has been kept and sent before. */
  async #publish(run: RuleRun, { series }: Outcome, slot: number, signal: AbortSignal): Promise<string | undefined> {
    if (series === undefined) return undefined;
    const error = await this.#write(run, series, slot, signal);
    if (error?.kind === 'failed') run.series.doubt();
    else run.series.settle();
    // Alerts do their work without Prometheus, and beside another engine's; what is recorded for it is lost.
    const isOfNoMatter = error?.kind === 'no_receiver' || error?.kind === 'duplicate';
    const isHarmless = isOfNoMatter && run.kind === 'alerting';
    return error === undefined || isHarmless ? undefined : `the results are not written: ${error.message}`;
  }

  async #write(run: RuleRun, series: Iterable<YieldedSeries>, slot: number, signal: AbortSignal) {
    const changes = run.series.renew(series, slot - this.group.queryOffsetMs);
    try {
      return await this.#parts.output.write(changes, signal);
    } catch (error) {
      run.series.doubt();
      throw error;
    }
  }

  /** Tried again only where that may help. */
  async #endOrphans(slot: number, signal: AbortSignal): Promise<void> {
    if (!this.#orphansLeft || signal.aborted) return;
    const { ports, output, orphans } = this.#parts;
    this.#orphansLeft = false;
    try {
      const error = await output.end(endOf(orphans(), slot - this.group.queryOffsetMs), signal);
      this.#orphansLeft = error?.kind === 'failed';
    } catch (error) {
      ports.onProblem(`series of removed rules are not ended: unexpected error: ${messageOf(error)}`);
    }
  }

  /** Alerts move with the clock, so that none waits for it to catch up. Returns the slot before the one that is due. */
  #followClock(last: number, slot: number): number {
    const before = slot - this.group.intervalMs;
    for (const run of this.rules) if (run.kind === 'alerting') run.shift(before - last);
    return before;
  }
}
