/** Evaluates alert rules: every group on its own, each at its interval, with alerts that survive the process. */
import { type Alert, type LabelSet, NEW_RULE_STATE, type RuleState } from '../core/alert.ts';
import { type EvaluatorOptions, type EvaluatorPorts, GroupRun, type RuleHealth, type RuleRun } from './group-run.ts';
import type { AlertingRule, LoadedRule, RuleGroup } from './rule.ts';
import { parseState, resumeState } from './saved-state.ts';

/** An alert that is pending or firing now. Instants are milliseconds since the epoch. */
export interface ActiveAlert {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly value: number;
  readonly activeAt: number;
  /** Undefined while pending. */
  readonly firedAt: number | undefined;
  /** The label `severity`, empty when the rule sets none. */
  readonly severity: string;
}

export interface RuleStatus {
  readonly file: string;
  readonly group: string;
  readonly rule: AlertingRule;
  readonly health: RuleHealth;
  readonly pending: number;
  readonly firing: number;
}

export interface GroupStatus {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  readonly evaluations: number;
  readonly missed: number;
  /** Instant of the last evaluation; undefined before the first. */
  readonly lastAt: number | undefined;
}

export class RuleEvaluator {
  readonly #ports: EvaluatorPorts;
  readonly #options: EvaluatorOptions;
  #groups: readonly GroupRun[] = [];
  #loops: Promise<unknown> = Promise.resolve();
  #loop = new AbortController();
  #isStopped = false;
  /** Reloads take turns: two at once would leave loops behind that nobody can end. */
  #reloads: Promise<void> = Promise.resolve();

  constructor(ports: EvaluatorPorts, options: Partial<EvaluatorOptions> = {}) {
    this.#ports = ports;
    this.#options = { queryTimeoutMs: 10_000, resendDelayMs: 60_000, keepAliveMs: 3_600_000, ...options };
  }

  /** Takes up the saved alerts and starts every group. Throws when the store cannot be read. */
  async start(groups: readonly RuleGroup[]): Promise<void> {
    const saved = await this.#restore(groups.flatMap((group) => group.rules));
    this.#run(groups, saved);
  }

  /** Replaces the groups. Rules that are in both keep their alerts; the alerts of the others are forgotten. */
  async reload(groups: readonly RuleGroup[]): Promise<void> {
    this.#reloads = this.#reloads.then(() => this.#replace(groups));
    await this.#reloads;
  }

  /** Ends every loop, for good; resolves when none is running. A query in flight is abandoned, not counted as failed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#halt();
  }

  /** Pending and firing alerts of all rules. */
  activeAlerts(): readonly ActiveAlert[] {
    return this.#groups.flatMap((group) => group.rules.flatMap(({ rule, state }) => activeOf(rule, state)));
  }

  rules(): readonly RuleStatus[] {
    return this.#groups.flatMap(({ group, rules }) => rules.map((run) => statusOf(group, run)));
  }

  groups(): readonly GroupStatus[] {
    return this.#groups.map(({ group, evaluations, missed, lastAt }) => {
      return { file: group.file, name: group.name, intervalMs: group.intervalMs, evaluations, missed, lastAt };
    });
  }

  async #replace(groups: readonly RuleGroup[]): Promise<void> {
    await this.#halt();
    const states = new Map(
      this.#groups.flatMap(({ rules }) => rules.map(({ rule, state }) => [rule.id, state] as const)),
    );
    const kept = new Set(groups.flatMap((group) => group.rules.map((rule) => rule.id)));
    await this.#forget([...states.keys()].filter((id) => !kept.has(id)));
    this.#run(groups, states);
  }

  async #halt(): Promise<void> {
    this.#loop.abort();
    await this.#loops;
  }

  #run(groups: readonly RuleGroup[], states: ReadonlyMap<string, RuleState>): void {
    if (this.#isStopped) return;
    this.#loop.abort();
    this.#loop = new AbortController();
    this.#groups = groups.map((group) => new GroupRun(group, states, this.#ports, this.#options));
    this.#loops = Promise.all(this.#groups.map((group) => group.run(this.#loop.signal)));
  }

  async #restore(rules: readonly LoadedRule[]): Promise<Map<string, RuleState>> {
    const byId = new Map(rules.filter((rule) => rule.kind === 'alerting').map((rule) => [rule.id, rule]));
    const records = await this.#ports.store.list('alert');
    await this.#forget(records.map(({ key }) => key).filter((key) => !byId.has(key)));
    return new Map(
      records.flatMap(({ key, value }) => {
        const rule = byId.get(key);
        return rule === undefined ? [] : [[key, this.#resume(rule, value)] as const];
      }),
    );
  }

  async #forget(ids: readonly string[]): Promise<void> {
    try {
      if (ids.length > 0) await this.#ports.store.write('alert', { remove: ids });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#ports.onProblem(`the alerts of ${ids.length} removed rules could not be deleted: ${reason}`);
    }
  }

  #resume(rule: AlertingRule, record: unknown): RuleState {
    const state = parseState(record);
    if (state !== undefined) return resumeState(rule, state, this.#ports.now());
    this.#ports.onProblem(`the saved alerts of rule ${rule.name} cannot be read; the rule starts without them`);
    return NEW_RULE_STATE;
  }
}

function activeOf(rule: AlertingRule, state: RuleState): ActiveAlert[] {
  return state.alerts.flatMap((alert) => {
    if (alert.state === 'inactive') return [];
    const { state, labels, annotations, value, activeAt } = alert;
    const firedAt = alert.state === 'firing' ? alert.firedAt : undefined;
    return [{ name: rule.name, state, labels, annotations, value, activeAt, firedAt, severity: labels.severity ?? '' }];
  });
}

function statusOf(group: RuleGroup, { rule, state, health }: RuleRun): RuleStatus {
  const count = (wanted: Alert['state']) => state.alerts.filter((alert) => alert.state === wanted).length;
  return { file: group.file, group: group.name, rule, health, pending: count('pending'), firing: count('firing') };
}
