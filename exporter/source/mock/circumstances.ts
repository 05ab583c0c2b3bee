/** What acts on a node and its GPUs under one schedule: worked out once, for as long as nothing is added to it. */

import { type Influence, isActive, type NodeEffect } from './effects.ts';
import { influencesOn, outagesOf, type Schedule } from './schedule.ts';

export interface Circumstances {
  readonly schedule: Schedule;
  readonly outages: readonly Influence<NodeEffect>[];
  /** By the index of the GPU. */
  readonly influences: readonly (readonly Influence[])[];
}

export function circumstancesOf(schedule: Schedule, node: number, gpus: number): Circumstances {
  const own = { ...schedule, events: schedule.events.filter(({ target }) => target.nodes?.includes(node) ?? true) };
  const influences = Array.from({ length: gpus }, (_, gpu) => influencesOn(own, { node, gpu }));
  return { schedule, outages: outagesOf(own, node), influences };
}

export function isInOutage({ outages }: Circumstances, kind: NodeEffect['kind'], atMs: number): boolean {
  return outages.some((outage) => outage.effect.kind === kind && isActive(outage, atMs));
}

/** When the counters in the driver of one GPU began: with the last load of the driver, or the last reset of the GPU. */
export function countersSince({ outages, influences }: Circumstances, gpu: number, atMs: number): number {
  const begun = [...driverLoads(outages), ...resets(influences[gpu] ?? [])];
  return Math.max(0, ...begun.filter((beginMs) => beginMs <= atMs));
}

/** How often counters have begun anew on this node: with each load of the driver, and with each reset of one of its GPUs. */
export function beginnings({ outages, influences }: Circumstances, atMs: number): number {
  const instants = new Set([...driverLoads(outages), ...influences.flatMap(resets)]);
  return [...instants].filter((beginMs) => beginMs <= atMs).length;
}

// A driver is loaded at the end of each time without one.
function driverLoads(outages: readonly Influence<NodeEffect>[]): readonly number[] {
  return outages.filter(({ effect }) => effect.kind !== 'exporter-hang').map(({ untilMs }) => untilMs);
}

function resets(influences: readonly Influence[]): readonly number[] {
  return influences.filter(({ effect }) => effect.kind === 'broken-row').map(({ untilMs }) => untilMs);
}
