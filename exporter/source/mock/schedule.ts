/** What happens to which GPU of a fleet, and when: events on the clock of the scenario, and what ends them early. */

import type { Effect, Influence, NodeEffect } from './effects.ts';
import { stream, unit } from './seed.ts';

export interface Schedule {
  /** Seed of the fleet. */
  readonly seed: number;
  readonly events: readonly ScheduledEvent[];
  /** Above the id of every event. */
  readonly nextId: number;
}

export interface ScheduledEvent {
  /** Rises from one event to the next. */
  readonly id: number;
  /** The fault or behaviour, as it was asked for. */
  readonly name: string;
  readonly effects: readonly Effect[];
  readonly fromMs: number;
  /** Infinity while no end is known; equal to `fromMs` for what happens at an instant. */
  readonly untilMs: number;
  readonly target: Target;
  /** From when on it can be ended early, even before it has begun; Infinity for the behaviours cards are made with. */
  readonly announcedMs: number;
  readonly pardons?: readonly Pardon[] | undefined;
}

interface Target {
  /** Indices of nodes; undefined means all. */
  readonly nodes: readonly number[] | undefined;
  /** Indices of GPUs in their nodes; undefined means all. */
  readonly gpus: readonly number[] | undefined;
  /** Part of these GPUs that is meant, chosen by the seed; undefined means all. */
  readonly share?: number | undefined;
}

/** An early end at one place. */
interface Pardon extends Place {
  readonly atMs: number;
}

/** Undefined means all. */
export interface Place {
  readonly node: number | undefined;
  readonly gpu: number | undefined;
}

export interface GpuPlace {
  readonly node: number;
  readonly gpu: number;
}

/** Everything that acts on one GPU at any time, without what acts on its node. */
export function influencesOn(schedule: Schedule, place: GpuPlace): readonly Influence[] {
  return schedule.events
    .filter((event) => isMeant(event, place, schedule.seed))
    .flatMap((event) => influencesOf(event, endOf(event, place)))
    .filter(({ effect }) => !isNodeEffect(effect));
}

/** Everything that acts on one node at any time. */
export function outagesOf(schedule: Schedule, node: number): readonly Influence<NodeEffect>[] {
  return schedule.events
    .filter(({ target }) => target.nodes?.includes(node) ?? true)
    .flatMap((event) => influencesOf(event, endOf(event, { node, gpu: undefined })))
    .filter((influence): influence is Influence<NodeEffect> => isNodeEffect(influence.effect));
}

/** When an event ends at a place, which is a GPU or, for what strikes nodes, a node: as planned, or with a pardon there. */
export function endOf({ untilMs, pardons = [] }: ScheduledEvent, place: Place): number {
  const there = pardons.filter((pardon) => covers(pardon, place));
  return there.reduce((endMs, { atMs }) => Math.min(endMs, atMs), untilMs);
}

/** The event as it is once it has been ended at a place; the same event where there is nothing to end. */
export function pardonedAt(event: ScheduledEvent, place: Place, atMs: number): ScheduledEvent {
  const { announcedMs, untilMs, target, pardons = [] } = event;
  const isOpen = announcedMs <= atMs && atMs < untilMs && strikes(target, place);
  const isKnown = pardons.some((pardon) => covers(pardon, place));
  const { node, gpu } = place;
  return isOpen && !isKnown ? { ...event, pardons: [...pardons, { node, gpu, atMs }] } : event;
}

/** Whether a place lies within another: whoever ends something everywhere ends it here, but not the other way round. */
export function covers(outer: Place, { node, gpu }: Place): boolean {
  return (outer.node === undefined || outer.node === node) && (outer.gpu === undefined || outer.gpu === gpu);
}

function strikes({ nodes, gpus }: Target, { node, gpu }: Place): boolean {
  const isAmong = (indices: readonly number[] | undefined, index: number | undefined) =>
    indices === undefined || index === undefined || indices.includes(index);
  return isAmong(nodes, node) && isAmong(gpus, gpu);
}

function isMeant({ id, target }: ScheduledEvent, { node, gpu }: GpuPlace, seed: number): boolean {
  const { nodes, gpus, share = 1 } = target;
  const isNamed = (nodes?.includes(node) ?? true) && (gpus?.includes(gpu) ?? true);
  return isNamed && (share >= 1 || unit(seed, stream.share, id, node, gpu) < share);
}

function influencesOf({ id, effects, fromMs, untilMs }: ScheduledEvent, endMs: number): readonly Influence[] {
  const isInstant = fromMs === untilMs;
  if (isInstant ? endMs < fromMs : endMs <= fromMs) return [];
  return effects.map((effect) => ({ effect, fromMs, untilMs: endMs, id }));
}

function isNodeEffect(effect: Effect): effect is NodeEffect {
  return effect.kind === 'driver-reload' || effect.kind === 'exporter-hang' || effect.kind === 'node-down';
}
