/** A simulated fleet as it is planned: its nodes, what happens to them when, and the scenarios that can be started. */

import type { Effect } from './effects.ts';
import type { GpuProfile } from './profiles.ts';
import type { ScheduledEvent } from './schedule.ts';

export interface FleetPlan {
  readonly seed: number;
  readonly nodes: readonly NodePlan[];
  /** In the order of their ids. */
  readonly events: readonly ScheduledEvent[];
  readonly scenarios: readonly ScenarioPlan[];
}

export interface NodePlan {
  readonly name: string;
  readonly gpus: number;
  readonly profile: GpuProfile;
}

/** A course of events that is started by its name. */
export interface ScenarioPlan {
  readonly name: string;
  /** What it shows, for people. */
  readonly what: string;
  /** Times count from its start. */
  readonly events: readonly PlannedEvent[];
}

/** Nodes or GPUs by index; `chosen` are those that the scenario is started for. */
export type Choice = 'chosen' | 'all' | readonly number[];

export interface PlannedEvent {
  /** The fault or behaviour. */
  readonly name: string;
  readonly effects: readonly Effect[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly nodes: Choice;
  readonly gpus: Choice;
}

/** When the last event of a scenario is over, from its start; Infinity when one of them has no end. */
export function lengthOf({ events }: ScenarioPlan): number {
  return Math.max(0, ...events.map(({ fromMs, untilMs }) => Math.max(fromMs, untilMs)));
}

/** How a place is written, and what it chooses among. */
export const placeKeys = [
  ['node', 'nodes'],
  ['gpu', 'gpus'],
] as const;

/** Whether a scenario asks for a node or GPU, rather than naming all of its own. */
export function asksFor({ events }: ScenarioPlan, what: 'nodes' | 'gpus'): boolean {
  return events.some((event) => event[what] === 'chosen');
}

/** What becomes of a choice in a schedule, where it is left to `indices`. */
export function resolved(choice: Choice, indices: readonly number[] | undefined): readonly number[] | undefined {
  if (choice === 'all') return undefined;
  return choice === 'chosen' ? indices : choice;
}
