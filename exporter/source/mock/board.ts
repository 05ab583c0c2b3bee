/** What is made to happen to a running simulation. Every change takes effect at the next reading. */

import type { SimulationClock } from './clock.ts';
import { type Effect, isActive, type Span } from './effects.ts';
import { asksFor, type FleetPlan, lengthOf, resolved, type ScenarioPlan } from './plan.ts';
import {
  covers,
  endOf,
  type GpuPlace,
  type Place,
  pardonedAt,
  type Schedule,
  type ScheduledEvent,
} from './schedule.ts';

/** A fault or behaviour that begins now. */
export interface Strike {
  readonly name: string;
  readonly effects: readonly Effect[];
  readonly node: number;
  /** Undefined for what strikes a whole node. */
  readonly gpu: number | undefined;
  /** Infinity when it stays until it is taken back, 0 for what happens at an instant. */
  readonly lastsMs: number;
}

/** A fault, behaviour or scenario that is going on; a place that is undefined means all, or several. */
export interface GoingOn extends Place {
  readonly name: string;
  readonly activeForMs: number;
  /** Undefined while no end is known. */
  readonly remainingMs: number | undefined;
}

export interface SimulationBoard {
  readonly plan: FleetPlan;
  readonly clock: SimulationClock;
  /** Everything that was planned or asked for; the same object until something changes. */
  schedule(): Schedule;
  /** Begins now, in place of one of the same name at the same place. False when there have been too many. */
  strike(strike: Strike): boolean;
  /** Starts a scenario now, for the node and GPU that it leaves open. False when there have been too many. */
  start(scenario: ScenarioPlan, place: GpuPlace): boolean;
  /** Ends what is going on at a place, and the scenarios started for it; the behaviours cards are made with stay. */
  clear(place: Place): void;
  /** Faults and behaviours, without the behaviours cards are made with. */
  active(): readonly GoingOn[];
  /** Scenarios. */
  running(): readonly GoingOn[];
}

/** A scenario that was started. */
interface Run extends Place, Span {
  readonly name: string;
  readonly eventIds: ReadonlySet<number>;
}

/** Ended events are kept, as their counts are part of every later reading; more would make a reading slow. */
export const maxEvents = 2000;

export function createBoard(plan: FleetPlan, clock: SimulationClock): SimulationBoard {
  let schedule: Schedule = { seed: plan.seed, events: plan.events, nextId: plan.events.length };
  let runs: readonly Run[] = [];

  function add(events: readonly Omit<ScheduledEvent, 'id'>[]): boolean {
    if (schedule.nextId + events.length > plan.events.length + maxEvents) return false;
    const numbered = events.map((event, nth) => ({ ...event, id: schedule.nextId + nth }));
    schedule = { ...schedule, events: [...schedule.events, ...numbered], nextId: schedule.nextId + events.length };
    return true;
  }

  function end(pardoned: (event: ScheduledEvent) => ScheduledEvent): void {
    const events = schedule.events.map(pardoned);
    if (events.some((event, nth) => event !== schedule.events[nth])) schedule = { ...schedule, events };
  }

  function clear(place: Place): void {
    const atMs = clock.elapsedMs();
    // A scenario that was started for this place ends as a whole, with what it does to others.
    const whole = new Set(runs.filter((run) => covers(place, run)).flatMap(({ eventIds }) => [...eventIds]));
    end((event) => pardonedAt(event, whole.has(event.id) ? everywhere : place, atMs));
  }

  function strike({ name, effects, node, gpu, lastsMs }: Strike): boolean {
    const fromMs = clock.elapsedMs();
    const target = { nodes: [node], gpus: gpu === undefined ? undefined : [gpu] };
    if (lastsMs > 0) end((event) => (event.name === name ? pardonedAt(event, { node, gpu }, fromMs) : event));
    return add([{ name, effects, target, fromMs, untilMs: fromMs + lastsMs, announcedMs: fromMs }]);
  }

  function start(scenario: ScenarioPlan, { node, gpu }: GpuPlace): boolean {
    const fromMs = clock.elapsedMs();
    const firstId = schedule.nextId;
    if (!add(scenario.events.map((event) => scheduled(event, { node, gpu, fromMs })))) return false;
    const eventIds = new Set(scenario.events.map((_, nth) => firstId + nth));
    const place = {
      node: asksFor(scenario, 'nodes') ? node : undefined,
      gpu: asksFor(scenario, 'gpus') ? gpu : undefined,
    };
    const run = { ...place, name: scenario.name, fromMs, untilMs: fromMs + lengthOf(scenario), eventIds };
    runs = [...runs.filter((one) => isUnderWay(schedule, one, fromMs)), run];
    return true;
  }

  return {
    plan,
    clock,
    schedule: () => schedule,
    strike,
    start,
    clear,
    active: () => activeEvents(schedule, clock.elapsedMs()),
    running: () => {
      const nowMs = clock.elapsedMs();
      return runs.filter((run) => isUnderWay(schedule, run, nowMs)).map((run) => describe(run, run, nowMs));
    },
  };
}

function scheduled(
  { name, effects, fromMs, untilMs, nodes, gpus }: ScenarioPlan['events'][number],
  start: GpuPlace & { readonly fromMs: number },
): Omit<ScheduledEvent, 'id'> {
  return {
    name,
    effects,
    fromMs: start.fromMs + fromMs,
    untilMs: start.fromMs + untilMs,
    announcedMs: start.fromMs,
    target: { nodes: resolved(nodes, [start.node]), gpus: resolved(gpus, [start.gpu]) },
  };
}

const everywhere: Place = { node: undefined, gpu: undefined };

function activeEvents(schedule: Schedule, atMs: number): readonly GoingOn[] {
  const faults = schedule.events.filter(({ announcedMs }) => Number.isFinite(announcedMs));
  return faults.flatMap((event) => {
    const place = placeOf(event);
    const span = { fromMs: event.fromMs, untilMs: endOf(event, place) };
    return isActive(span, atMs) ? [describe({ ...place, name: event.name }, span, atMs)] : [];
  });
}

function isUnderWay(schedule: Schedule, { eventIds }: Run, atMs: number): boolean {
  return schedule.events.some((event) => eventIds.has(event.id) && endOf(event, placeOf(event)) > atMs);
}

// Undefined where it strikes several or all: then it goes on until it is ended everywhere.
function placeOf({ target }: ScheduledEvent): Place {
  return { node: soleOf(target.nodes), gpu: soleOf(target.gpus) };
}

function soleOf(indices: readonly number[] | undefined): number | undefined {
  return indices?.length === 1 ? indices[0] : undefined;
}

function describe({ name, node, gpu }: Place & { readonly name: string }, span: Span, atMs: number): GoingOn {
  const remainingMs = Number.isFinite(span.untilMs) ? span.untilMs - atMs : undefined;
  return { name, node, gpu, activeForMs: atMs - span.fromMs, remainingMs };
}
