/** An evaluator on a virtual clock, with a Prometheus, a store and a receiver that the test holds in its hands. */
import { expect } from 'vitest';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import type { EvaluatorOptions } from '../../../engine/rules/evaluation.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import type { RuleGroup } from '../../../engine/rules/rule.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { slotAtOrBefore } from '../../../engine/rules/schedule.ts';
import { FakePrometheus } from './fake-prometheus.ts';
import { FakeWriter } from './fake-writer.ts';
import { MemoryStore } from './memory-store.ts';
import { VirtualClock } from './virtual-clock.ts';

export const SECOND = 1000;
const NOON = Date.UTC(2026, 0, 1, 12);

export function groups(text: string): readonly RuleGroup[] {
  const loaded = loadRules([{ file: 'rules.yml', text }]);
  expect(loaded.diagnostics).toEqual([]);
  return loaded.groups;
}

export const HOT = groups(`
groups:
  - name: hot
    interval: 5s
    rules:
      - alert: Hot
        expr: temperature > 85
        for: 10s
        labels: { severity: critical }
        annotations: { summary: '{{ $value }} °C' }
`);

const [HOT_GROUP] = HOT;
/** The first slot of `HOT` that an engine which starts on the clock below evaluates. */
export const SLOT = (HOT_GROUP === undefined ? 0 : slotAtOrBefore(HOT_GROUP, NOON)) + 5 * SECOND;
export const START = SLOT - 2 * SECOND;

export interface RuleEngine {
  readonly evaluator: RuleEvaluator;
  readonly prometheus: FakePrometheus;
  readonly writer: FakeWriter | undefined;
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
  readonly sent: AlertMessage[];
  readonly problems: string[];
}

type Shared = Partial<Pick<RuleEngine, 'store' | 'clock' | 'prometheus' | 'writer'>>;

const running: RuleEvaluator[] = [];

/** For `afterEach`. */
export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((evaluator) => evaluator.stop()));
}

export function ruleEngine(shared: Shared = {}, options: Partial<EvaluatorOptions> = {}): RuleEngine {
  const { store = new MemoryStore(), clock = new VirtualClock(START), prometheus = new FakePrometheus() } = shared;
  const writer = 'writer' in shared ? shared.writer : new FakeWriter();
  const sent: AlertMessage[] = [];
  const problems: string[] = [];
  const sink = { send: (messages: readonly AlertMessage[]) => void sent.push(...messages) };
  const { now, sleep } = clock;
  const onProblem = (problem: string) => void problems.push(problem);
  const evaluator = new RuleEvaluator({ query: prometheus, writer, store, sink, now, sleep, onProblem }, options);
  running.push(evaluator);
  return { evaluator, prometheus, writer, store, clock, sent, problems };
}

/** Lets time pass to `seconds` after the first slot. */
export async function until({ clock }: Pick<RuleEngine, 'clock'>, seconds: number): Promise<void> {
  await clock.advance(SLOT + seconds * SECOND - clock.now());
}

export const hot = (value = 90) => [{ labels: { gpu: '3' }, value }];
