/** Keeps the store in step with the alerts of one rule, writing only what has changed. */
import { setImmediate } from 'node:timers/promises';
import type { Alert, RuleState } from '../core/alert.ts';
import type { Store, StoreRecord } from '../store/store.ts';
import { Pool } from './pool.ts';
import type { AlertingRule } from './rule.ts';
import { alertRecord, alertRecordKey, instantsOf, type RuleInstants, ruleRecord } from './saved-state.ts';

/** Records per transaction: gateways are answered between two. */
const RECORDS_AT_ONCE = 250;

export class AlertJournal {
  readonly #store: Store;
  readonly #rule: AlertingRule;
  /** Alerts as the store holds them, by key. */
  readonly #saved: Map<string, Alert>;
  #savedInstants: RuleInstants;
  /** What one write saves is no longer what the next one sees as unsaved. */
  readonly #turns = new Pool(1);

  /** `saved` is what the store already holds under the rule's id. */
  constructor(store: Store, rule: AlertingRule, saved: RuleState) {
    this.#store = store;
    this.#rule = rule;
    this.#saved = new Map(saved.alerts.map((alert) => [alert.key, alert]));
    this.#savedInstants = instantsOf(saved);
  }

  /** What the store holds under the rule's id. */
  saved(): RuleState {
    return { alerts: [...this.#saved.values()], ...this.#savedInstants };
  }

  /** Rejects when the store fails; what was not written is written by the next call. Calls take turns. */
  save(state: RuleState): Promise<void> {
    return this.#turns.run(() => this.#write(state));
  }

  async #write(state: RuleState): Promise<void> {
    const changed = state.alerts.filter((alert) => this.#saved.get(alert.key) !== alert);
    const removed = this.#removed(state);
    await this.#saveRule(state);
    for (let from = 0; from < changed.length; from += RECORDS_AT_ONCE) {
      if (from > 0) await setImmediate();
      await this.#put(changed.slice(from, from + RECORDS_AT_ONCE));
    }
    if (removed.length > 0) await this.#remove(removed);
  }

  #removed({ alerts }: RuleState): readonly string[] {
    if (this.#saved.size === 0) return [];
    const kept = new Set(alerts.map(({ key }) => key));
    return [...this.#saved.keys()].filter((key) => !kept.has(key));
  }

  /** A rule without alerts needs no record: when it was looked at last matters only to alerts. */
  async #saveRule(state: RuleState): Promise<void> {
    const { confirmedAt, evaluatedAt } = this.#savedInstants;
    const isSaved = state.confirmedAt === confirmedAt && state.evaluatedAt === evaluatedAt;
    if (state.alerts.length === 0 || isSaved) return;
    const instants = instantsOf(state);
    await this.#change({ put: [ruleRecord(this.#rule, instants)] });
    this.#savedInstants = instants;
  }

  async #put(alerts: readonly Alert[]): Promise<void> {
    await this.#change({ put: alerts.map((alert) => alertRecord(this.#rule.id, alert)) });
    for (const alert of alerts) this.#saved.set(alert.key, alert);
  }

  async #remove(keys: readonly string[]): Promise<void> {
    const isLast = keys.length === this.#saved.size;
    const own = isLast ? [this.#rule.id] : [];
    await this.#change({ remove: [...own, ...keys.map((key) => alertRecordKey(this.#rule.id, key))] });
    for (const key of keys) this.#saved.delete(key);
    if (isLast) this.#savedInstants = {};
  }

  #change(change: { readonly put?: readonly StoreRecord[]; readonly remove?: readonly string[] }): Promise<void> {
    return this.#store.write('alert', change);
  }
}
