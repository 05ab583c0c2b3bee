/** A rule evaluator in virtual time, whose evaluations fall at a chosen offset from the zero of the test's data. */
import { expect } from 'vitest';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import type { Sample } from '../../../engine/prometheus/query.ts';
import type { EvaluatorOptions } from '../../../engine/rules/evaluation.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import type { RuleGroup } from '../../../engine/rules/rule.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { slotAtOrBefore } from '../../../engine/rules/schedule.ts';
import { FakePrometheus } from '../rules/fake-prometheus.ts';
import { MemoryStore } from '../rules/memory-store.ts';
import { VirtualClock } from '../rules/virtual-clock.ts';
import { SeriesMemory } from './series-memory.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
const NOON = Date.UTC(2026, 0, 1, 12);

/** A message with the instant at which it was sent. */
export interface Sent extends AlertMessage {
  readonly at: number;
}

export interface Stage {
  readonly evaluator: RuleEvaluator;
  readonly prometheus: FakePrometheus;
  readonly series: SeriesMemory;
  readonly sent: Sent[];
  readonly problems: string[];
  readonly group: RuleGroup;
  /** The zero of the test's data, milliseconds since the epoch. */
  readonly zero: number;
  /** The first evaluation, `offsetMs` after zero. */
  readonly first: number;
  /** Lets time pass until `ms` after zero. */
  until(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** What an expression yields, `ms` after zero. */
type Answer = (ms: number, series: SeriesMemory) => readonly Sample[] | Error;

export interface StageSettings {
  /** One group. */
  readonly rules: string;
  /** From zero to the first evaluation; less than the group's interval. */
  readonly offsetMs?: number;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly options?: Partial<EvaluatorOptions>;
}

export function groupsOf(text: string): readonly RuleGroup[] {
  const loaded = loadRules([{ file: 'rules.yml', text }]);
  expect(loaded.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return loaded.groups;
}

/** Starts the evaluator a millisecond before zero. */
export async function openStage({ rules, offsetMs = 7000, answers, options }: StageSettings): Promise<Stage> {
  const [group] = groupsOf(rules);
  if (group === undefined) throw new Error('the rules have no group');
  const first = slotAtOrBefore(group, NOON);
  const zero = first - offsetMs;
  const clock = new VirtualClock(zero - 1);
  const [prometheus, series] = [new FakePrometheus(), new SeriesMemory()];
  for (const [expr, answer] of Object.entries(answers)) {
    prometheus.answers.set(expr, (atMs) => answer(atMs - zero, series));
  }
  const [sent, problems]: [Sent[], string[]] = [[], []];
  const { now, sleep } = clock;
  const sink = {
    send: (messages: readonly AlertMessage[]) => void sent.push(...messages.map((one) => ({ ...one, at: now() }))),
  };
  const onProblem = (problem: string) => void problems.push(problem);
  const store = new MemoryStore();
  const evaluator = new RuleEvaluator(
    { query: prometheus, writer: series, store, sink, now, sleep, onProblem },
    options,
  );
  await evaluator.start([group]);
  const until = (ms: number) => clock.advance(zero + ms - clock.now());
  const close = () => evaluator.stop();
  return { evaluator, prometheus, series, sent, problems, group, zero, first, until, close };
}

/** One element with these labels. */
export function element(value: number, labels: Readonly<Record<string, string>> = {}): readonly Sample[] {
  return [{ labels, value }];
}
