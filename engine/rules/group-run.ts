/** One rule group at work: its rules in order, at its interval and phase, never overlapping. */
import type { Labels } from '../prometheus/query.ts';
import type { AlertingRun } from './alerting-run.ts';
import type { EvaluatorOptions, EvaluatorPorts, Outcome } from './evaluation.ts';
import type { Pool } from './pool.ts';
import type { RecordingRun } from './recording-run.ts';
import type { RuleGroup } from './rule.ts';
import { endOf } from './rule-series.ts';
import { slotAtOrBefore } from './schedule.ts';
import type { SeriesOutput } from './series-output.ts';

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
      samples += await pool.run(() => this.#evaluateRule(run, slot, signal));
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

  /** Returns the number of samples. */
  async #evaluateRule(run: RuleRun, slot: number, signal: AbortSignal): Promise<number> {
    const { now } = this.#parts.ports;
    if (signal.aborted) return 0;
    const startedAt = now();
    const outcome = await run.evaluate(slot, signal);
    if (outcome === undefined || signal.aborted) return 0;
    const written = await this.#publish(run, outcome, slot, signal);
    const error = outcome.error ?? written;
    if (error !== undefined) this.#count({ failures: 1 });
    const durationMs = Math.max(0, now() - startedAt);
    run.log.add({ at: slot, durationMs, samples: outcome.samples, error });
    return outcome.samples;
  }

  /** Returns what went wrong. A failed write costs no alert: it has been kept and sent before. */
  async #publish(run: RuleRun, { series }: Outcome, slot: number, signal: AbortSignal): Promise<string | undefined> {
    if (series === undefined) return undefined;
    const { output, options } = this.#parts;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(options.queryTimeoutMs)]);
    const error = await output.write(run.series.renew(series, slot - this.group.queryOffsetMs), limit);
    if (error?.kind === 'failed') run.series.doubt();
    else run.series.settle();
    // Alerts do their work without Prometheus; what is recorded for it is lost.
    const isHarmless = error?.kind === 'no_receiver' && run.kind === 'alerting';
    return error === undefined || isHarmless ? undefined : `the results are not written: ${error.message}`;
  }

  async #endOrphans(slot: number, signal: AbortSignal): Promise<void> {
    if (!this.#orphansLeft || signal.aborted) return;
    const { output, orphans } = this.#parts;
    const left = orphans();
    const error = left.length > 0 ? await output.end(endOf(left, slot - this.group.queryOffsetMs), signal) : undefined;
    this.#orphansLeft = error?.kind === 'failed';
  }

  /** Alerts move with the clock, so that none waits for it to catch up. Returns the slot before the one that is due. */
  #followClock(last: number, slot: number): number {
    const before = slot - this.group.intervalMs;
    for (const run of this.rules) if (run.kind === 'alerting') run.shift(before - last);
    return before;
  }
}
