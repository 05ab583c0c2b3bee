/** One test played through: the rules evaluated over its history, instant by instant, and what came of it. */
import { join } from 'node:path';
import type { AlertMessage } from '../core/delivery.ts';
import type { Policy } from '../core/policy.ts';
import { type PromQuery, QueryError } from '../prometheus/query.ts';
import { RuleEvaluator } from '../rules/evaluator.ts';
import type { GroupRun } from '../rules/group-run.ts';
import type { RuleGroup } from '../rules/rule.ts';
import type { GroupStatus } from '../rules/status.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { DecisionMaker } from './decision-maker.ts';
import { Feeder } from './feeder.ts';
import type { HistoryServer } from './history-server.ts';
import type { Trouble, UnitTest } from './unit-test.ts';

/** A message with the instant at which it was sent. Instants are milliseconds since the epoch. */
export interface SentMessage extends AlertMessage {
  readonly sentAt: number;
}

export interface RehearsalOptions {
  readonly test: UnitTest;
  readonly groups: readonly RuleGroup[];
  readonly groupOrder: readonly string[];
  readonly policy: Policy;
  readonly server: HistoryServer;
  readonly signal: AbortSignal;
}

/** A rule whose evaluation failed although the test did not ask for it. */
export class UnexpectedRuleError extends Error {
  override readonly name = 'UnexpectedRuleError';
}

/**
 * The test's world. `advance` moves its time on; what can be seen of it is then as of that time. Groups are evaluated at
 * multiples of their interval, counted from the test's start.
 */
export class Rehearsal {
  readonly decisions: DecisionMaker;
  readonly #options: RehearsalOptions;
  readonly #feeder: Feeder;
  #store: Store;
  readonly #sent: SentMessage[] = [];
  #evaluator: RuleEvaluator;
  #runs: readonly GroupRun[] = [];
  /** Milliseconds since the test's start; everything up to here is evaluated. */
  #now = -1;

  private constructor(options: RehearsalOptions) {
    const { test, server, policy } = options;
    this.#options = options;
    this.#feeder = new Feeder(test, server.writer);
    this.#store = openStore(server);
    this.decisions = new DecisionMaker({ prom: server.query, policy, startMs: test.startMs });
    this.#evaluator = this.#newEvaluator();
  }

  /** A world at the test's start. Rejects when Prometheus or the disk fail. */
  static async begin(options: RehearsalOptions): Promise<Rehearsal> {
    const rehearsal = new Rehearsal(options);
    await rehearsal.#load();
    return rehearsal;
  }

  groups(): readonly GroupStatus[] {
    return this.#evaluator.groups();
  }

  sent(): readonly SentMessage[] {
    return this.#sent;
  }

  /** Lets time pass until `toMs`. Throws UnexpectedRuleError. */
  async advance(toMs: number): Promise<void> {
    for (;;) {
      const next = this.#nextInstant();
      if (next > toMs) break;
      this.#now = next;
      await this.#feeder.feed(next, this.#options.signal);
      if (this.#options.test.restartsMs.includes(next)) await this.#restart();
      await this.#evaluate(next);
    }
    this.#now = Math.max(this.#now, toMs);
    await this.#feeder.feed(toMs, this.#options.signal);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /** The next instant after now at which something happens. */
  #nextInstant(): number {
    const slots = this.#runs.map(({ group }) => (Math.floor(this.#now / group.intervalMs) + 1) * group.intervalMs);
    return Math.min(...slots, ...this.#options.test.restartsMs.filter((atMs) => atMs > this.#now));
  }

  async #evaluate(atMs: number): Promise<void> {
    const { test, signal } = this.#options;
    for (const run of this.#runs) {
      const { group } = run;
      if (atMs % group.intervalMs !== 0 || isTroubled(test.missed, group.name, atMs)) continue;
      await run.evaluateAt(test.startMs + atMs, signal);
    }
    this.#expectNoErrors(atMs);
  }

  #expectNoErrors(atMs: number): void {
    const { test } = this.#options;
    for (const { rule, evaluations } of this.groups().flatMap(({ rules }) => rules)) {
      const [newest] = evaluations;
      const isNew = newest?.at === test.startMs + atMs;
      if (!isNew || newest.error === undefined || isTroubled(test.queryErrors, rule.name, atMs)) continue;
      throw new UnexpectedRuleError(`rule ${rule.name} fails: ${newest.error}`);
    }
  }

  #newEvaluator(): RuleEvaluator {
    const { test, server } = this.#options;
    const ports = {
      query: this.#troubled(server.query),
      store: this.#store,
      writer: server.writer,
      sink: { send: (messages: readonly AlertMessage[]) => this.#keep(messages) },
      now: () => test.startMs + Math.max(0, this.#now),
      sleep: async () => {},
      onProblem: () => {},
    };
    return new RuleEvaluator(ports, { externalUrl: test.externalUrl });
  }

  /** The engine is killed and started again: nothing is saved at the end, so that it knows what each evaluation saved. */
  async #restart(): Promise<void> {
    await this.#store.close();
    this.#store = openStore(this.#options.server);
    this.#evaluator = this.#newEvaluator();
    await this.#load();
  }

  async #load(): Promise<void> {
    const { groups, groupOrder, policy, test } = this.#options;
    const rank = ({ name }: RuleGroup) => (groupOrder.includes(name) ? groupOrder.indexOf(name) : groupOrder.length);
    const ordered = [...groups].sort((a, b) => rank(a) - rank(b));
    this.#runs = await this.#evaluator.load(ordered, {
      reactions: policy.rules,
      externalLabels: test.externalLabels,
    });
  }

  #keep(messages: readonly AlertMessage[]): void {
    const sentAt = this.#options.test.startMs + this.#now;
    for (const message of messages) this.#sent.push({ ...message, sentAt });
  }

  /** Queries of rules that the test wants to fail, fail. */
  #troubled(query: PromQuery): PromQuery {
    const { test, groups } = this.#options;
    const rules = groups.flatMap((group) => group.rules);
    return {
      range: (...question) => query.range(...question),
      instant: async (expr, ...question) => {
        const asking = rules.filter((rule) => rule.expr === expr);
        const fails = asking.some(({ name }) => isTroubled(test.queryErrors, name, this.#now));
        if (fails) throw new QueryError('unreachable', 'the test lets this query fail');
        return query.instant(expr, ...question);
      },
    };
  }
}

function openStore({ directory }: HistoryServer): Store {
  return openSqliteStore(join(directory, 'engine.db')).store;
}

function isTroubled(troubles: readonly Trouble[], name: string, atMs: number): boolean {
  return troubles.some((trouble) => {
    return (trouble.name === undefined || trouble.name === name) && trouble.fromMs <= atMs && atMs <= trouble.toMs;
  });
}
