/** What may be seen of a case at an instant: the harness accepts every state that some evaluation in time could show. */
import { isDeepStrictEqual } from 'node:util';
import type { Sample } from '../../../engine/prometheus/query.ts';
import { type Case, type Face, INTERVAL_MS, type Life } from './harness-cases.ts';
import { RULES } from './harness-world.ts';

type Labels = Readonly<Record<string, string>>;

/** An alert as /api/v1/alerts shows it. */
export interface AlertAnswer {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: string;
  readonly value: string;
  readonly activeAt: string;
}

interface RuleAnswer {
  readonly type: string;
  readonly name: string;
  readonly query: string;
  readonly duration: number;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly health: string;
  readonly lastError?: string;
  readonly lastEvaluation: string;
  readonly state: string;
  readonly alerts: readonly AlertAnswer[];
}

export interface GroupAnswer {
  readonly name: string;
  readonly interval: number;
  readonly lastEvaluation: string;
  readonly rules: readonly RuleAnswer[];
}

/** An instant of a case. */
export interface Moment {
  /** Milliseconds after the zero of the case. */
  readonly ms: number;
  /** Milliseconds since the epoch. */
  readonly zero: number;
}

/** The states that a life may be in: a change shows at an evaluation within one interval of its cause. */
function possibleStates({ activeAt, firedAt, endedAt }: Life, ms: number): readonly string[] {
  const states: string[] = [];
  if (ms < activeAt + INTERVAL_MS || ms >= endedAt) states.push('-');
  const isPendingPossible = firedAt !== activeAt && ms >= activeAt && ms < (firedAt ?? endedAt) + INTERVAL_MS;
  if (isPendingPossible) states.push('pending');
  if (firedAt !== undefined && ms >= firedAt && ms < endedAt + INTERVAL_MS) states.push('firing');
  return states;
}

/** What a life may show: its newest face, or the one before until an evaluation has seen the new one. */
export function possibleFaces({ faces }: Life, ms: number): readonly Face[] {
  return faces.flatMap(([from, face], index) => {
    const next = faces[index + 1]?.[0];
    return ms >= from && (next === undefined || ms < next + INTERVAL_MS) ? [face] : [];
  });
}

/** What is wrong with the alerts of a case. */
export function alertProblems(found: Case, { ms, zero }: Moment, alerts: readonly AlertAnswer[]): readonly string[] {
  const describes = (life: Life, { labels, annotations, state, value, activeAt }: AlertAnswer) => {
    const since = Date.parse(activeAt) - zero;
    const isInTime = since >= life.activeAt && since < life.activeAt + INTERVAL_MS;
    const isShown = possibleFaces(life, ms).some(
      (face) => isDeepStrictEqual(face.annotations, annotations) && face.value === Number(value),
    );
    return isDeepStrictEqual(sorted(life.labels), sorted(labels)) && isInTime && isShown && isPossible(life, ms, state);
  };
  return problemsOf(found, ms, { kind: 'alert', seen: alerts, describes, stateOf: ({ state }) => state });
}

/** What is wrong with the samples of ALERTS. */
export function sampleProblems(found: Case, { ms }: Moment, samples: readonly Sample[]): readonly string[] {
  const stateOf = ({ labels }: Sample) => labels.alertstate ?? '';
  const describes = (life: Life, sample: Sample) => {
    const expected = { ...life.labels, __name__: 'ALERTS', alertstate: stateOf(sample) };
    const isSame = isDeepStrictEqual(sorted(expected), sorted(sample.labels)) && sample.value === 1;
    return isSame && isPossible(life, ms, stateOf(sample));
  };
  return problemsOf(found, ms, { kind: 'sample of ALERTS', seen: samples, describes, stateOf });
}

function isPossible(life: Life, ms: number, state: string): boolean {
  return state !== '-' && possibleStates(life, ms).includes(state);
}

interface Sight<Thing> {
  readonly kind: string;
  readonly seen: readonly Thing[];
  describes(life: Life, thing: Thing): boolean;
  stateOf(thing: Thing): string;
}

/** Each thing belongs to one life, and together they are one of the combinations that the case knows. */
function problemsOf<Thing>(
  { lives, combinations }: Case,
  ms: number,
  { kind, seen, describes, stateOf }: Sight<Thing>,
): readonly string[] {
  const strange = seen.filter((thing) => lives.filter((life) => describes(life, thing)).length !== 1);
  if (strange.length > 0)
    return strange.map((thing) => `at ${ms / 1000} s no ${kind} such as ${JSON.stringify(thing)}`);
  const states = lives.map((life) => {
    const own = seen.filter((thing) => describes(life, thing));
    return own.length === 1 && own[0] !== undefined ? stateOf(own[0]) : '-'.repeat(own.length + 1);
  });
  const isTimely = lives.every((life, index) => possibleStates(life, ms).includes(states[index] ?? ''));
  return isTimely && combinations.includes(states.join(' ')) ? [] : [`at ${ms / 1000} s ${kind}: ${states.join(' ')}`];
}

/** What is wrong with the group as /api/v1/rules shows it. */
export function groupProblems(found: Case, moment: Moment, group: GroupAnswer | undefined): readonly string[] {
  const written = RULES.find(({ name }) => name === found.group);
  if (group === undefined || written === undefined) return ['there is no such group'];
  const now = moment.zero + moment.ms;
  const isFresh = (at: string) => Date.parse(at) > now - INTERVAL_MS && Date.parse(at) <= now;
  const expected = written.rules.map((rule) => ({
    type: 'alerting',
    name: rule.name,
    query: rule.expr,
    duration: rule.kind === 'alerting' ? rule.forMs / 1000 : 0,
    ...(rule.kind === 'alerting' ? rule.written : {}),
    health: 'ok',
    lastError: undefined,
  }));
  const got = group.rules.map(({ type, name, query, duration, labels, annotations, health, lastError }) => {
    return { type, name, query, duration, labels, annotations, health, lastError };
  });
  const isRight = isDeepStrictEqual(got, expected) && group.interval === INTERVAL_MS / 1000;
  const isCurrent = [group, ...group.rules].every(({ lastEvaluation }) => isFresh(lastEvaluation));
  return [
    ...(isRight ? [] : [`at ${moment.ms / 1000} s the rules are ${JSON.stringify(got)}`]),
    ...(isCurrent ? [] : [`at ${moment.ms / 1000} s the last evaluation is too old`]),
    ...group.rules.flatMap(({ name, state, alerts }) =>
      state === strongest(alerts) ? [] : [`at ${moment.ms / 1000} s ${name} is called ${state}`],
    ),
    ...alertProblems(
      found,
      moment,
      group.rules.flatMap(({ alerts }) => alerts),
    ),
  ];
}

function strongest(alerts: readonly AlertAnswer[]): string {
  return ['firing', 'pending'].find((state) => alerts.some((alert) => alert.state === state)) ?? 'inactive';
}

function sorted(labels: Labels): unknown {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}
