/** The harness' series in virtual time, each group evaluated at the same offset from the zero of its own series. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outgoingOf } from '../../../engine/alertmanager/outgoing.ts';
import { encodeAlert, type PostableAlert } from '../../../engine/alertmanager/payload.ts';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import type { Sample } from '../../../engine/prometheus/query.ts';
import { RuleEvaluator } from '../../../engine/rules/evaluator.ts';
import { slotAtOrBefore } from '../../../engine/rules/schedule.ts';
import { FakePrometheus } from '../rules/fake-prometheus.ts';
import { MemoryStore } from '../rules/memory-store.ts';
import { VirtualClock } from '../rules/virtual-clock.ts';
import { CASES, SAMPLE_MS, type Steps } from './harness-cases.ts';
import { SeriesMemory } from './series-memory.ts';
import { groupsOf } from './stage.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const LOOKBACK_MS = 300_000;

export const RULES = groupsOf(readFileSync(join(import.meta.dirname, 'harness-rules.yml'), 'utf8'));

/** An alert as it is posted, and when. */
export interface Posted extends PostableAlert {
  readonly at: number;
}

export interface HarnessWorld {
  readonly evaluator: RuleEvaluator;
  readonly clock: VirtualClock;
  readonly series: SeriesMemory;
  readonly posted: readonly Posted[];
  /** The zero of a group's series. */
  zeroOf(group: string): number;
}

export async function openHarness(offsetMs: number): Promise<HarnessWorld> {
  const zeros = new Map(RULES.map((group) => [group.name, slotAtOrBefore(group, NOON) - offsetMs]));
  const zeroOf = (group: string) => zeros.get(group) ?? 0;
  const clock = new VirtualClock(Math.min(...zeros.values()) - 1);
  const [series, posted] = [new SeriesMemory(), [] as Posted[]];
  const { now, sleep } = clock;
  const send = (messages: readonly AlertMessage[]) => {
    for (const one of messages) posted.push({ ...encodeAlert(outgoingOf(one, 'http://engine:8000')), at: now() });
  };
  const onProblem = (problem: string) => {
    throw new Error(problem);
  };
  const query = prometheusOf(series, zeroOf);
  const store = new MemoryStore();
  const evaluator = new RuleEvaluator({ query, writer: series, store, sink: { send }, now, sleep, onProblem });
  await evaluator.start(RULES);
  return { evaluator, clock, series, posted, zeroOf };
}

function prometheusOf(series: SeriesMemory, zeroOf: (group: string) => number): FakePrometheus {
  const prometheus = new FakePrometheus();
  for (const { name, rules } of RULES) {
    for (const { name: rule, expr } of rules) {
      prometheus.answers.set(expr, (atMs) => answer(name, rule, atMs - zeroOf(name)) ?? twoOf(series, atMs));
    }
  }
  const group = 'ZeroFor_SmallFor';
  prometheus.answers.set(`alert_generator_test_suite{rulegroup='${group}',for='template'}`, (atMs) =>
    samplesOf(group, atMs - zeroOf(group), ({ labels }) => labels.for === 'template'),
  );
  return prometheus;
}

/** Thresholds of the rules that look at the harness' series. */
const THRESHOLDS: Readonly<Record<string, number>> = {
  PendingAndFiringAndResolved_SimpleAlert: 10,
  PendingAndResolved_AlwaysInactive_PendingAlert: 10,
  PendingAndResolved_AlwaysInactive_InactiveAlert: 99,
  ZeroFor_SmallFor_ZeroFor: 10,
  ZeroFor_SmallFor_SmallFor: 13,
  NewAlerts_OrderCheck_Rule1: 10,
};

function answer(group: string, rule: string, ms: number): readonly Sample[] | undefined {
  const threshold = THRESHOLDS[rule];
  if (threshold === undefined) return undefined;
  return samplesOf(group, ms, ({ labels }) => labels.alertname === rule).filter(({ value }) => value > threshold);
}

function samplesOf(group: string, ms: number, isWanted: (series: Steps) => boolean): readonly Sample[] {
  const { series } = CASES.find((one) => one.group === group) ?? { series: [] };
  return series.filter(isWanted).flatMap((one) => {
    const value = valueAt(one, ms);
    return value === undefined ? [] : [{ labels: one.labels, value }];
  });
}

function valueAt({ steps, samples }: Steps, ms: number): number | undefined {
  const index = Math.min(Math.floor(ms / SAMPLE_MS), samples - 1);
  if (index < 0 || ms - index * SAMPLE_MS >= LOOKBACK_MS) return undefined;
  return steps.findLast(([from]) => from <= index)?.[1];
}

/** The sum of the two variants of the first rule of the last group, where both fire. */
function twoOf(series: SeriesMemory, atMs: number): readonly Sample[] {
  const firing = (variant: string) =>
    series.select('ALERTS', { alertstate: 'firing', alertname: 'NewAlerts_OrderCheck_Rule1', variant }, atMs);
  const [[one], [two]] = [firing('one'), firing('two')];
  if (one === undefined || two === undefined || one.value + two.value !== 2) return [];
  const { __name__: _, variant: _variant, ...labels } = one.labels;
  return [{ labels, value: 2 }];
}
