/** What really happens to a simulated GPU, exact to the millisecond: the measure for whatever judges its uptime. */

import { type Influence, isActive, type Span } from './effects.ts';
import { spansOffTheBus } from './flapping.ts';
import { type GpuPlace, influencesOn, outagesOf, type Schedule } from './schedule.ts';
import { nodeSeed } from './seed.ts';

export interface TruthInterval extends Span {
  /** Whether the GPU could have worked. */
  readonly state: 'up' | 'down';
  /** Whether anybody could have seen that: not while the exporter hangs, the driver is away, or the node is off. */
  readonly isObservable: boolean;
  /** The faults and behaviours at work, by name; flapping only while it keeps the GPU off the bus. */
  readonly because: readonly string[];
}

interface Cause extends Span {
  readonly id: number;
  readonly name: string;
  readonly takesDown: boolean;
  readonly hides: boolean;
}

/** The truth about one GPU within `span`: intervals without gaps, in order, no two neighbours alike. */
export function groundTruth(schedule: Schedule, place: GpuPlace, span: Span): readonly TruthInterval[] {
  const causes = causesOf(schedule, place, span).toSorted((one, other) => one.fromMs - other.fromMs);
  const edges = causes.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]);
  const inside = edges.filter((atMs) => span.fromMs < atMs && atMs < span.untilMs);
  const starts = [...new Set([span.fromMs, ...inside])].toSorted((one, other) => one - other);
  const activeAt = sweep(causes);
  const states = starts.map((fromMs, nth) => ({
    fromMs,
    untilMs: starts[nth + 1] ?? span.untilMs,
    ...stateOf(activeAt(fromMs)),
  }));
  return joined(states);
}

// The causes at work at instants that only rise: each cause is taken up once and dropped once, however many there are.
function sweep(causes: readonly Cause[]): (atMs: number) => readonly Cause[] {
  let active: readonly Cause[] = [];
  let next = 0;
  return (atMs) => {
    const begun: Cause[] = [];
    for (let cause = causes[next]; cause !== undefined && cause.fromMs <= atMs; cause = causes[next]) {
      begun.push(cause);
      next += 1;
    }
    active = [...active, ...begun].filter((cause) => isActive(cause, atMs)).toSorted((one, other) => one.id - other.id);
    return active;
  };
}

function stateOf(active: readonly Cause[]): Omit<TruthInterval, keyof Span> {
  return {
    state: active.some(({ takesDown }) => takesDown) ? 'down' : 'up',
    isObservable: !active.some(({ hides }) => hides),
    because: [...new Set(active.map(({ name }) => name))],
  };
}

/** Neighbours that say the same become one. */
export function joined(intervals: readonly TruthInterval[]): readonly TruthInterval[] {
  return intervals.reduce(joinNeighbours, []);
}

function joinNeighbours(before: TruthInterval[], next: TruthInterval): TruthInterval[] {
  const last = before.at(-1);
  if (last === undefined || !isAlike(last, next)) before.push(next);
  else before[before.length - 1] = { ...last, untilMs: next.untilMs };
  return before;
}

function isAlike(one: TruthInterval, other: TruthInterval): boolean {
  const isSameState = one.state === other.state && one.isObservable === other.isObservable;
  return isSameState && one.because.join() === other.because.join();
}

function causesOf(schedule: Schedule, place: GpuPlace, span: Span): readonly Cause[] {
  const nameOf = new Map(schedule.events.map(({ id, name }) => [id, name]));
  const gpu = { seed: nodeSeed(schedule.seed, place.node), index: place.gpu };
  const acting = [...influencesOn(schedule, place), ...outagesOf(schedule, place.node)];
  return acting.flatMap((influence) => {
    const times = influence.effect.kind === 'flapping' ? spansOffTheBus(gpu, influence, span) : [influence];
    return times.map((time) => causeOf(influence, nameOf.get(influence.id) ?? influence.effect.kind, time));
  });
}

function causeOf({ id, effect: { kind } }: Influence, name: string, { fromMs, untilMs }: Span): Cause {
  return {
    id,
    name,
    fromMs,
    untilMs,
    takesDown: ['gone', 'flapping', 'driver-reload', 'node-down'].includes(kind),
    hides: ['driver-reload', 'exporter-hang', 'node-down'].includes(kind),
  };
}
