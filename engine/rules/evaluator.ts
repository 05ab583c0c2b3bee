/** Evaluates rules: every group on its own, each at its interval, with alerts that survive the process. */
import type { LabelSet } from '../core/alert.ts';
import type { Policy } from '../core/policy.ts';
import type { Sample } from '../prometheus/query.ts';
import { messageOf } from '../text/message-of.ts';
import { countedStore, type SaveStats } from './counted-store.ts';
import { DEFAULT_OPTIONS, type EvaluatorOptions, type EvaluatorPorts } from './evaluation.ts';
import { compare, firstGeneration, nextGeneration, type Workplace } from './generation.ts';
import type { GroupRun } from './group-run.ts';
import { sayFarewell } from './orphans.ts';
import { answerFromMemory, type OwnRead, type OwnReads, ownReadsOf, unreadable, warningsOf } from './own-reads.ts';
import { Pool } from './pool.ts';
import { PROMETHEUS_REACTION } from './reaction.ts';
import type { LoadedRule, RuleGroup } from './rule.ts';
import { activeAlertsOf, groupStatus } from './rule-status.ts';
import { readSaved } from './saved-state.ts';
import { type OutputStats, SeriesOutput } from './series-output.ts';
import type { ActiveAlert, GroupStatus } from './status.ts';
import { type Past, pastOfSaved, recordKeysOf } from './succession.ts';

/** What comes with the rules and may change with them. */
export interface RuleSurroundings {
  /** What the policy says of rules that see nothing, by name of the alert. */
  readonly reactions: Policy['rules'];
  /** What templates see as $externalLabels. */
  readonly externalLabels: LabelSet;
}

const NO_SURROUNDINGS: RuleSurroundings = { reactions: {}, externalLabels: {} };

export class RuleEvaluator {
  readonly #ports: EvaluatorPorts;
  readonly #options: EvaluatorOptions;
  readonly #output: SeriesOutput;
  readonly #pool: Pool;
  readonly #saves: SaveStats = { failed: 0 };
  readonly #life = new AbortController();
  readonly #loops = new Map<GroupRun, Promise<void>>();
  #runs: readonly GroupRun[] = [];
  #surroundings = NO_SURROUNDINGS;
  #ownReads: OwnReads = new Map();
  /** The start and reloads take turns: two at once would leave loops behind that nobody can end. */
  readonly #turns = new Pool(1);
  #isStarted = false;
  #isLoaded = false;
  /** What a reload before the start has brought. */
  #newest: readonly [readonly RuleGroup[], RuleSurroundings] | undefined;

  constructor(ports: EvaluatorPorts, options: Partial<EvaluatorOptions> = {}) {
    this.#ports = { ...ports, store: countedStore(ports.store, this.#saves) };
    this.#options = { ...DEFAULT_OPTIONS, ...options };
    const { queryTimeoutMs: timeoutMs } = this.#options;
    this.#output = new SeriesOutput({ ...ports, timeoutMs, onNoReceiver: () => this.#warn() });
    this.#pool = new Pool(this.#options.groupsAtOnce);
  }

  /**
   * Takes up the saved alerts and starts every group, those of the newest reload if there has been one. Works once, and
   * rejects for good when the store cannot be read.
   */
  async start(groups: readonly RuleGroup[], surroundings = NO_SURROUNDINGS): Promise<void> {
    if (this.#isStarted) throw new Error('the evaluation of rules has been started before');
    this.#isStarted = true;
    await this.#turns.run(async () => {
      await this.#takeUp(...(this.#newest ?? ([groups, surroundings] as const)));
      if (this.#life.signal.aborted) return;
      void this.#watch(this.#output.probe(this.#life.signal));
      this.#go();
    });
  }

  /** Takes up the saved alerts and starts nothing: the caller evaluates the groups. Rejects as `start` does. */
  async load(groups: readonly RuleGroup[], surroundings = NO_SURROUNDINGS): Promise<readonly GroupRun[]> {
    await this.#turns.run(() => this.#takeUp(groups, surroundings));
    return this.#runs;
  }

  async #takeUp(groups: readonly RuleGroup[], surroundings: RuleSurroundings): Promise<void> {
    this.#isLoaded = true;
    try {
      await this.#load(groups, surroundings);
    } catch (error) {
      // Going on without them would write over the alerts that could not be read.
      this.#life.abort();
      throw error;
    }
  }

  async #load(groups: readonly RuleGroup[], surroundings: RuleSurroundings): Promise<void> {
    const saved = readSaved(await this.#ports.store.list('alert'));
    const unreadable = saved.flatMap((rule) => rule.unreadable);
    if (unreadable.length > 0) {
      this.#ports.onProblem(`${unreadable.length} records of saved alerts cannot be read; the alerts start anew`);
    }
    this.#surround(groups, surroundings);
    const pasts = saved.map(pastOfSaved);
    const { runs, adopted } = firstGeneration(groups, pasts, this.#workplace());
    this.#runs = runs;
    await this.#clean(pasts, adopted, unreadable);
  }

  /**
   * Replaces the groups. One that has not changed goes on as if nothing had happened, and a rule that is in both keeps its
   * alerts wherever it stands now. The alerts of the others are forgotten and their series ended. Before the
   * start nothing is at work, and the start will take the newest groups.
   */
  async reload(groups: readonly RuleGroup[], surroundings = NO_SURROUNDINGS): Promise<void> {
    await this.#turns.run(async () => {
      if (this.#isLoaded) await this.#replace(groups, surroundings);
      else this.#newest = [groups, surroundings];
    });
  }

  /** Ends every loop, for good; resolves when none is running and everything is saved. */
  async stop(): Promise<void> {
    this.#life.abort();
    await this.#turns.run(async () => {
      await Promise.all(this.#loops.values());
      await this.#save();
    });
  }

  /** Pending and firing alerts of all rules. */
  activeAlerts(): readonly ActiveAlert[] {
    return this.#runs.flatMap(({ rules }) => rules.flatMap(activeAlertsOf));
  }

  groups(): readonly GroupStatus[] {
    return this.#runs.map(groupStatus);
  }

  /** What has become of results since the start. */
  written(): OutputStats {
    return this.#output.stats();
  }

  /** Writes of alerts to the store since the start. */
  saves(): Readonly<SaveStats> {
    return this.#saves;
  }

  async #replace(groups: readonly RuleGroup[], surroundings: RuleSurroundings): Promise<void> {
    if (this.#life.signal.aborted) return;
    const comparison = compare(groups, this.#runs);
    await this.#end(comparison.leaving);
    this.#surround(groups, surroundings);
    const { runs, adopted, pasts, removed } = nextGeneration(groups, comparison, this.#workplace());
    this.#runs = runs;
    const { output } = this.#workplace();
    const { now, sleep } = this.#ports;
    for (const { group, series } of removed) {
      const farewell = { group, series, atMs: now(), output, sleep, runs: () => this.#runs };
      void this.#watch(sayFarewell(farewell, this.#life.signal));
    }
    await this.#clean(pasts, adopted, []);
    this.#go();
  }

  #workplace(): Workplace {
    return {
      ports: this.#ports,
      options: this.#options,
      output: this.#output,
      pool: this.#pool,
      runs: () => this.#runs,
      ask: (rule, atMs, signal) => this.#ask(rule, atMs, signal),
      externalLabels: () => this.#surroundings.externalLabels,
      reactionOf: ({ name }) => this.#surroundings.reactions[name] ?? PROMETHEUS_REACTION,
    };
  }

  async #ask(rule: LoadedRule, atMs: number, signal: AbortSignal): Promise<readonly Sample[]> {
    const read = this.#output.isReadable() ? undefined : this.#ownReads.get(rule.id);
    if (read?.question !== undefined) {
      const series = this.#runs.flatMap(({ rules }) => rules.map((run) => run.series));
      return answerFromMemory(read.question, series, atMs);
    }
    if (read !== undefined) await this.#insistOnReceiver(read, signal);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.queryTimeoutMs)]);
    return this.#ports.query.instant(rule.expr, atMs, limit);
  }

  /** Prometheus would answer as if there were no such series, and an answer that is wrong looks like any other. */
  async #insistOnReceiver(read: OwnRead, signal: AbortSignal): Promise<void> {
    await this.#output.probe(signal);
    if (!this.#output.isReadable()) throw new Error(`the rule ${unreadable(read)}`);
  }

  /** From now on every rule is evaluated in these surroundings, the groups that go on included. */
  #surround(groups: readonly RuleGroup[], surroundings: RuleSurroundings): void {
    this.#surroundings = surroundings;
    this.#ownReads = ownReadsOf(groups);
    const names = new Set(groups.flatMap(({ rules }) => rules.filter(({ kind }) => kind === 'alerting')).map(nameOf));
    for (const name of Object.keys(surroundings.reactions).filter((reaction) => !names.has(reaction))) {
      this.#ports.onProblem(`the policy's section "rules" names ${name}, and no rule file has such an alert`);
    }
    this.#warn();
  }

  #warn(): void {
    if (this.#output.isReadable()) return;
    for (const warning of warningsOf(this.#ownReads)) this.#ports.onProblem(warning);
  }

  #go(): void {
    for (const run of this.#runs) {
      if (!this.#loops.has(run)) this.#loops.set(run, this.#watch(run.run(this.#life.signal)));
    }
  }

  /** For work that nobody waits for: what it throws would end the process. */
  async #watch(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#ports.onProblem(`the evaluation of rules met an unexpected error: ${messageOf(error)}`);
    }
  }

  async #end(leaving: readonly GroupRun[]): Promise<void> {
    for (const run of leaving) run.finish();
    await Promise.all(leaving.map((run) => this.#loops.get(run)));
    for (const run of leaving) this.#loops.delete(run);
  }

  /** Makes the store agree with the rules: what has moved to another id is written before the old record goes. */
  async #clean(pasts: readonly Past[], adopted: ReadonlySet<Past>, unreadable: readonly string[]): Promise<void> {
    const ids = new Set(this.#runs.flatMap(({ rules }) => rules.map(({ rule }) => rule.id)));
    const isGone = ({ id }: Past) => !ids.has(id);
    const hasMoved = pasts.some((past) => adopted.has(past) && isGone(past));
    if (hasMoved) await this.#save();
    await this.#forget([...unreadable, ...pasts.filter(isGone).flatMap(recordKeysOf)]);
  }

  async #save(): Promise<void> {
    for (const { rules } of this.#runs) for (const run of rules) if (run.kind === 'alerting') await run.save();
  }

  async #forget(keys: readonly string[]): Promise<void> {
    try {
      if (keys.length > 0) await this.#ports.store.write('alert', { remove: keys });
    } catch (error) {
      this.#ports.onProblem(`the alerts of removed rules could not be deleted: ${messageOf(error)}`);
    }
  }
}

function nameOf({ name }: LoadedRule): string {
  return name;
}
